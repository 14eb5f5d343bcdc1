"""Chinese, Japanese and Korean in Markdown: emphasis beside full-width marks, lines that are joined without a blank."""

from __future__ import annotations

import pytest

from handlers.generation.pages.page_data import _joint
from handlers.generation.script.content import Sentence, Span
from handlers.generation.script.inline import parse_inline, plain


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("这是**《史记》**的。", "《史记》"),
        ("これは**「大事」**です。", "「大事」"),
        ("한국어**「가」**는", "「가」"),
        ("**重要。**但是", "重要。"),
        ("两个**（一）**和**（二）**。", "（一）（二）"),
        ("plain **words** here", "words"),
    ],
)
def test_emphasis_beside_full_width_marks_is_seen(text: str, bold: str) -> None:
    spans = parse_inline(text)
    assert "*" not in plain(spans)
    assert "".join(span.text for span in spans if span.bold) == bold


@pytest.mark.parametrize("text", ["2 * 3 * 4", "a ** b **", "snake_case_name", "*(x)*y"])
def test_other_signs_stay(text: str) -> None:
    assert parse_inline(text) == (Span(text),)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("雨停了\n太阳出来了。", "雨停了太阳出来了。"),
        ("とても\n**大事**です", "とても大事です"),
        ("안녕\n하세요", "안녕 하세요"),
        ("雨 rain\n太阳", "雨 rain 太阳"),
        ("one\ntwo", "one two"),
    ],
)
def test_lines_are_joined_as_the_script_has_it(text: str, joined: str) -> None:
    assert plain(parse_inline(text)) == joined


def test_sentences_stand_behind_each_other_as_the_script_has_it() -> None:
    one, two, row = (Sentence((Span(text),)) for text in ("雨停了。", "太阳出来了。", "First.\n"))
    assert _joint(one, two, rows=False) == ""
    assert _joint(row, row, rows=False) == ""
    assert _joint(Sentence((Span("A."),)), Sentence((Span("B."),)), rows=False) == " "
    assert _joint(one, two, rows=True) == "\n"
