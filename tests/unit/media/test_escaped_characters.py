# ruff: noqa: E501
"""Escapes and references of other notations write no character that a script can't have, and raise nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from eventflow.requests.json_reader import forbidden
from eventflow.requests.limits import LONGEST_WISH_S
from handlers.generation.errors import ScriptError
from handlers.generation.model import Brief
from handlers.generation.script.script import PlannedScript, plan_brief
from handlers.generation.script.shapes.characters import unescaped, written
from handlers.generation.script.shapes.delivery import MARKS

WORDS = "Words that are long enough to be told as English by a model, and some more words of that kind."
ESCAPES = [r"\u0000", r"\u001b", r"\ud800", r"\udfff", r"\uffff", r"\ufdd09\ufdd1", r"\u200b"]
REFERENCES = ["&#0;", "&#x1b;", "&#xd800;", "&#xffff;", "&#xfdd0;9&#xfdd1;", "&#99999999999;", f"&#{'1' * 5000};"]
ESCAPED = {
    "scenes in JSON": '{{"title": "T{0}", "k{0}": "v{0}", "scenes": [{{"narration": "A{0} {1}", "speaker": "Ann{0}"}}, '
    '{{"narration": "B", "visual": "v{0}", "title": "t{0}", "bullets": ["b{0}"], "speaker": "Bob"}}]}}',
    "scenes in YAML": '- narration: "A{0} {1}"\n  visual: "v{0}"\n- narration: "B"\n  title: "t{0}"\n',
    "a notebook": '{{"nbformat": 4, "metadata": {{"kernelspec": {{"name": "p{0}"}}}}, "cells": [{{"cell_type": "markdown", '
    '"source": ["# T{0}\\n", "A{0} {1}"]}}, {{"cell_type": "code", "source": "x{0}", "outputs": [{{"text": "o{0}"}}]}}]}}',
    "front matter": '---\n"k{0}": "v{0}"\n---\n# A\n\n{1}\n',
}
REFERRED = {
    "HTML": "<html><title>T{0}</title><body><h1>H{0}</h1><p>A{0} {1} <code>c{0}</code> <img alt='i{0}'></p>"
    "<pre>p{0}</pre><nav>n{0}</nav></body></html>",
    "SSML": "<speak>A{0} {1}</speak>",
    "subtitles": "WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ann{0}>A{0} {1}\n\n00:03.000 --> 00:04.000\nB\n",
    "Markdown": "# T{0}\n\nA{0} {1} **b{0}**\n\n<p>b{0}</p>\n",
    "a diagram": '# T\n\n{1}\n\n```mermaid\ngraph TD\nA["x{0}"] --> B\n```\n',
    "a tag of a picture": "# T\n\n{1}\n\n<img src='a{0}.png' width='{0}'>\n",
    "lines in another shape": "= T\n:a: b\n\n{1} a{0}b\n",
}


def planned(text: str) -> PlannedScript:
    return plan_brief(Brief(script=text), ("midnight",))


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts_in([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def unsayable(text: str) -> list[str]:
    """The texts of a plan, or of its refusal, that have characters no script may have."""
    try:
        found = list(texts_in(attrs.asdict(planned(text))))
    except ScriptError as error:
        found = [str(error)]
    return [each for each in found if forbidden(each) or MARKS.search(each)]


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("form", ESCAPED.values(), ids=ESCAPED.keys())
def test_escapes_write_nothing_that_a_script_cannot_have(form: str, escape: str) -> None:
    assert unsayable(form.format(escape, WORDS)) == []


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda text: text[:12])
@pytest.mark.parametrize("form", REFERRED.values(), ids=REFERRED.keys())
def test_references_write_nothing_that_a_script_cannot_have(form: str, reference: str) -> None:
    assert unsayable(form.format(reference, WORDS)) == []


def test_halves_of_a_pair_become_their_character() -> None:
    made = planned('- narration: "One \\ud83d\\ude00 face."\n- narration: "Two."\n')
    assert made.script.scenes[0].lines[0].text == "One 😀 face."
    assert written("a\ud83db\0") == "ab"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a &amp; b &#233;", "a & b é"),
        (f"&#{'9' * 4_400};", "\ufffd"),
        ("&#x1b;a&shy;", "a"),
        ("no reference", "no reference"),
    ],
)
def test_references_are_what_they_name(text: str, wanted: str) -> None:
    assert unescaped(text) == wanted


@pytest.mark.parametrize(
    "written_s", ["1e999", "NaN", "-Infinity", "9" * 400, "-" + "9" * 400, "[1]", "true", "null", '"٣"']
)
def test_lengths_of_scenes_may_be_any_number(written_s: str) -> None:
    made = planned(f'[{{"narration": "One.", "duration": {written_s}}}, {{"narration": "Two."}}]')
    wished_s = made.script.scenes[0].wished_s
    assert wished_s is None or 0 < wished_s <= LONGEST_WISH_S


@pytest.mark.parametrize("deep", [19, 100, 900, 5_000])
@pytest.mark.parametrize(
    "form",
    [
        '[{{"narration": "One.", "k": {0}"x"{1}}}, {{"narration": "Two."}}]',
        '{{"a": {0}{{"narration": "One."}}{1}}}',
        '{{"nbformat": 4, "cells": [{{"cell_type": "markdown", "source": [{0}{1}, "One."]}}]}}',
    ],
)
def test_values_may_be_as_deep_as_they_like(form: str, deep: int) -> None:
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        inner = "" if closed == "]" else "1"
        assert unsayable(form.format(opened * deep, inner * ("x" not in form) + closed * deep)) == []


def test_names_of_speakers_have_no_control_characters() -> None:
    with pytest.raises(ScriptError, match="line 2: voices must have no control characters such as U\\+0000"):
        planned('---\nvoices:\n  "A\\0": en-gb\n---\n# A\n\nb\n')


@pytest.mark.parametrize("start", ["²", "①", "٣", "-1", "9" * 400, ""])
def test_a_list_of_html_begins_with_any_number(start: str) -> None:
    assert planned(f"# A\n\n<ol start='{start}'><li>one</li></ol>\n").script.scenes


@pytest.mark.parametrize("words", ["", "[pause 2s]", "(((", '""', "…"])
def test_a_label_may_have_nothing_to_say_behind_it(words: str) -> None:
    script = f"VO: One.\nVisual: a\nVO: {words}\nVisual: b\nVO: Three.\nVisual: c\n"
    assert [line.text for scene in planned(script).script.scenes for line in scene.lines if line.text] == [
        "One.",
        "Three.",
    ]


def test_a_text_of_marks_alone_says_so() -> None:
    with pytest.raises(ScriptError, match="nothing"):
        planned("<speak><break time='1s'/></speak>")
