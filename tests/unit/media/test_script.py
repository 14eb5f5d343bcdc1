"""Markdown or plain text becomes scenes; nothing is lost, nothing crashes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.tree import SyntaxTreeNode

from eventflow.domain.values import MAX_SCRIPT_CHARS
from handlers.generation.errors import ScriptError
from handlers.generation.model_json import dump, load
from handlers.generation.script.content import Bullets, Code, Math, Paragraph, Quote, Scene, Script, Span, Table
from handlers.generation.script.inline import PIECE_CHARS, markdown, parse_inline, plain, spans_of
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.merge import Filling
from handlers.generation.script.script import parse_script

DECK = """# Streams

A short subtitle.

## Why

- one **bold** thing
- two `code`
  - nested $x^2$

Note: Only spoken.

## Code

```python
def f(): ...
```

## Rest

| a | b |
|---|---|
| 1 | 2 |

$$
E = mc^2
$$

## Words

> The truth is the log.
> — Pat Helland
"""


def test_headings_make_the_scenes() -> None:
    script = parse_script(DECK)
    assert script.title == "Streams"
    assert [scene.title for scene in script.scenes] == ["Streams", "Why", "Code", "Rest", "Words"]
    assert [scene.layout for scene in script.scenes] == ["title", "content", "content", "content", "quote"]
    assert [scene.index for scene in script.scenes] == [0, 1, 2, 3, 4]
    assert {scene.count for scene in script.scenes} == {5}


def test_each_kind_of_block_is_found() -> None:
    blocks = [block for scene in parse_script(DECK).scenes for block in scene.blocks]
    assert [type(block) for block in blocks] == [Paragraph, Bullets, Code, Table, Math, Quote]


def test_bullets_are_spoken_as_they_are_revealed() -> None:
    why = parse_script(DECK).scenes[1]
    assert [(line.step, line.text) for line in why.lines] == [
        (0, "Why"),
        (1, "one bold thing"),
        (2, "two code"),
        (3, "nested x squared"),
        (3, "Only spoken."),
    ]
    assert why.steps == 4


def test_code_is_introduced_and_not_read_out() -> None:
    assert [line.text for line in parse_script(DECK).scenes[2].lines] == ["Code", "Here it is in Python."]


def test_a_note_replaces_the_words_about_a_listing() -> None:
    scene = parse_script("## A\n\n```python\nx\n```\n\nNote: Mine.").scenes[0]
    assert [line.text for line in scene.lines] == ["A", "", "Mine."]


def test_quotes_are_read_with_their_source() -> None:
    assert parse_script(DECK).scenes[4].lines[1].text == "Pat Helland said: The truth is the log."


def test_other_languages_get_their_own_words() -> None:
    scene = parse_script("## A\n\n```python\nx\n```", voice="de").scenes[0]
    assert scene.lines[1].text == "So sieht es in Python aus."


def test_plain_text_becomes_scenes() -> None:
    text = "\n\n".join(f"Paragraph {n} says this. " + "And it says more of the same. " * 8 for n in range(6))
    script = parse_script(text)
    assert len(script.scenes) > 1
    spoken = " ".join(line.text for scene in script.scenes for line in scene.lines)
    assert spoken.count("And it says more") == 48
    assert script.title.startswith("Paragraph 0")


def test_one_sentence_is_enough() -> None:
    assert [line.text for line in parse_script("Hello there.").scenes[0].lines] == ["Hello there."]


def test_long_sections_go_over_pages_and_lose_nothing() -> None:
    script = parse_script("## Many\n\n" + "\n".join(f"- item number {n}" for n in range(40)))
    items = [i.spans[0].text for s in script.scenes for b in s.blocks for i in b.items]
    assert items == [f"item number {n}" for n in range(40)]
    assert [(scene.part, scene.parts) for scene in script.scenes] == [
        (n, len(script.scenes)) for n in range(1, len(script.scenes) + 1)
    ]
    assert [scene.lines[0].text for scene in script.scenes[1:]] == [""] * (len(script.scenes) - 1)


def test_long_code_and_wide_tables_are_split() -> None:
    code = "\n".join(f"line_{n} = " + "x" * 200 for n in range(30))
    table = "|" + "|".join("abcdefghij") + "|\n|" + "---|" * 10 + "\n" + ("|" + "1|" * 10 + "\n") * 20
    script = parse_script(f"## A\n\n```\n{code}\n```\n\n## B\n\n{table}")
    listings = [b for s in script.scenes for b in s.blocks if isinstance(b, Code)]
    assert all(len(line) <= 88 for listing in listings for line in listing.text.split("\n"))
    assert sum(listing.text.count("x") for listing in listings) == 30 * 200
    tables = [b for s in script.scenes for b in s.blocks if isinstance(b, Table)]
    assert all(len(t.header) <= 6 and len(t.rows) <= 7 for t in tables)


@pytest.mark.parametrize("text", ["", "  \n\t\n", "---\n\n---", "[a]: x\n"])
def test_nothing_to_say_is_an_error(text: str) -> None:
    with pytest.raises(ScriptError, match="nothing to say"):
        parse_script(text)


@pytest.mark.parametrize(("char", "name"), [("\x00", "U+0000"), ("\uffff", "U+FFFF"), ("\ud800", "U+D800")])
def test_control_characters_are_refused_by_name_and_line(char: str, name: str) -> None:
    with pytest.raises(ScriptError, match=rf"{name.replace('+', '.')} on line 2"):
        parse_script(f"one\ntwo {char} three")


def test_too_long_a_script_is_refused() -> None:
    with pytest.raises(ScriptError, match="at most 200,000"):
        parse_script("a" * (MAX_SCRIPT_CHARS + 1))


def test_too_many_scenes_are_refused() -> None:
    with pytest.raises(ScriptError, match="scenes"):
        parse_script("## a\n" * 301)


def test_html_is_markup_and_typst_stays_text() -> None:
    scene = parse_script('<b>x</b> #read("/etc/passwd") [a](javascript:x) ![alt](y.png)').scenes[0]
    assert scene.lines[0].text == 'x #read("/etc/passwd") [a](javascript:x) alt'


def test_prices_are_not_math() -> None:
    scene = parse_script("It costs $5 and then $6 more.").scenes[0]
    assert scene.lines[0].text == "It costs $5 and then $6 more."


def test_json_both_ways() -> None:
    script = parse_script(DECK)
    assert load(dump(script), Script) == script
    assert load(dump(script.scenes[1]), Scene) == script.scenes[1]


def _check(text: str) -> None:
    try:
        script = parse_script(text)
    except ScriptError:
        return
    for scene in script.scenes:
        assert scene.lines
        assert [line.step for line in scene.lines] == sorted(line.step for line in scene.lines)
        assert {line.step for line in scene.lines} == set(range(scene.steps))


@given(st.text(alphabet="aZ9é漢ß .,;?()'\"…’“”„‘–—-", max_size=80))
def test_words_are_read_as_the_parser_reads_them(text: str) -> None:
    assert parse_inline(text) == spans_of(SyntaxTreeNode(markdown().parseInline(text)))


def test_styles_of_a_long_paragraph_are_right_on_both_sides_of_a_cut() -> None:
    piece = "of **bold** and *slanted* water "
    spans = parse_inline(piece * (2 * PIECE_CHARS // len(piece)))
    assert plain(spans) == ("of bold and slanted water " * (2 * PIECE_CHARS // len(piece))).strip()
    assert {span.text for span in spans if span.bold} == {"bold"}
    assert all(a.style != b.style for a, b in pairwise(spans))


def test_texts_without_fields_stay_the_same_values() -> None:
    first, second = parse_sections("# A\n\nOne **two**.\n\n- three\n\n# B\n\n{{x}} and `{{y}}`")
    filling = Filling({"x": "ten"})
    assert filling.section(first) is first
    filled = filling.section(second)
    assert filled.heading is second.heading
    paragraph = filled.body[0]
    assert isinstance(paragraph, Paragraph)
    assert paragraph.sentences[0].spans == (Span("ten and "), Span("{{y}}", "code"))


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_script_or_a_script_error(text: str) -> None:
    _check(text)


@given(
    st.lists(
        st.sampled_from(
            ["# h\n", "## s\n", "- b\n", "  - n\n", "1. x\n", "```py\n", "```\n", "$$\n", "$x$ ", "> q\n", "> — w\n",
             "|a|b|\n", "|-|-|\n", "|1|2|\n", "Note: n\n", "---\n", "\n", "text. More ", "**b", "`", "$", "\\", "<x>",
             "[", "](y)", "\t"]
        ),
        max_size=25,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=250, deadline=None)
def test_any_markdown_is_a_script_or_a_script_error(text: str) -> None:
    _check(text)
