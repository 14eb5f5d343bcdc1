"""HTML comments are nothing, wherever they stand; in code they are what they say."""

from __future__ import annotations

import pytest

from handlers.generation.model import Voice
from handlers.generation.narration.captions import as_vtt, video_captions
from handlers.generation.narration.speech import speak_lines
from handlers.generation.pages.fonts import shown_text
from handlers.generation.script.comments import without_comments
from handlers.generation.script.content import Code, Script
from handlers.generation.script.document import read_scenes, write_document
from handlers.generation.script.script import open_script, parse_script


def everything(script: Script) -> str:
    """What is shown and said, and the titles."""
    said = [line.text for scene in script.scenes for line in scene.lines]
    return "\n".join([script.title, shown_text(script), *said])


REVIEW = """# Quarterly review

<!-- speaker_note: mention the layoffs only if asked -->

## Results

<!-- _class: lead -->

Sales grew by 4 percent.

<!--
Remember: smile, and skip the slide about prices.
-->
"""


@pytest.mark.usefixtures("cldr")
def test_private_notes_are_in_no_page_no_line_and_no_cue() -> None:
    script = parse_script(REVIEW)
    cues = as_vtt(video_captions(speak_lines(scene.lines, Voice()).narration for scene in script.scenes))
    for text in (everything(script), cues):
        assert "Sales grew" in text
        assert not [word for word in ("layoffs", "lead", "smile", "<!--") if word in text]


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\nsaid <!-- secret --> and said",
        "# A <!-- secret -->\n\nsaid and said",
        "A <!-- secret -->\n===\n\nsaid and said",
        "# A\n\nsaid <!-- secret\n\nsecret\n\n## secret\n\n--> and said",
        "# A\n\n- said <!-- secret -->\n- <!-- secret --> and said\n  <!-- secret -->\n\n    <!-- secret -->\n- said",
        "# A\n\n1. said\n\n   <!-- secret\n   ```\n   secret -->\n\n2. and said",
        "# A\n\n| said | <!-- secret --> |\n|---|---|\n| and <!-- secret --> | said |",
        "# A\n\n> said <!-- secret -->\n> <!-- secret\n> secret -->\n> and said",
        "<!-- secret\n\nsecret -->\n# A\n\nsaid and said",
        "<!-- secret -->\n<!-- secret -->\n\n---\ntitle: A\n---\n\nsaid and said",
        "---\n<!-- secret -->\ntitle: A <!-- secret -->\n---\n\nsaid and said",
        "# A\n\nNote: said <!-- secret --> and said",
        "# A\n\n:::columns\nsaid <!-- secret -->\n:::right\n<!-- secret -->\nand said\n:::",
        "# A\n\n`said` <!-- secret --> `and` **said <!-- secret -->**",
        "# A\n\n```\nx\n```\n<!-- secret -->\n~~~\nsaid\n~~~\n\n<!-- secret -->and said",
        "# A\n\nsaid `\n===\nand <!-- secret --> ` said",
        "# A\n\nsaid `\n---\nand <!-- secret --> ` said",
        "# A\n\nsaid `\n* * *\nand <!-- secret --> ` said",
        "# A\n\nsaid `\n> and <!-- secret --> ` said",
        "# A\n\nsaid `\n$$\nx\n$$\nand <!-- secret --> ` said",
        "# A\n\nsaid `\n:::columns\nand <!-- secret --> ` said\n:::right\nsaid\n:::",
        "# A\n\n<!--> said <!---> and <!-- secret -- > secret --> said",
    ],
)
def test_a_comment_is_nothing_anywhere(text: str) -> None:
    script = parse_script(text)
    found = everything(script)
    assert "secret" not in found
    assert "--" not in found
    assert "said" in found
    assert script.title == "A"


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\nWrite `<!-- kept -->` in it",
        "# A\n\nWrite ``<!-- kept` -->`` in it",
        "# A\n\nWrite `x\n<!-- kept -->` in it",
        "# A\n\n> Write `x\n> <!-- kept -->\nx` in it",
        "# A\n\n```html\n<!-- kept -->\n```",
        "# A\n\n- item\n\n  ~~~\n  <!-- kept -->\n  ~~~",
        "# A\n\n> ```\n> <!-- kept -->\n> ```",
        "# A\n\nText.\n\n    <!-- kept -->",
        "# A\n\nWrite \\<!-- kept --> in it",
    ],
)
def test_in_code_a_comment_is_content(text: str) -> None:
    assert "<!-- kept" in shown_text(parse_script(text))
    assert without_comments(text) == (text, None)


def test_code_and_comments_may_take_turns() -> None:
    script = parse_script("## A\n\n```\n<!-- kept -->\n```\n\n<!-- ``` -->\n\n```\nx = 1\n```\n")
    assert [block.text for block in script.scenes[0].blocks if isinstance(block, Code)] == ["<!-- kept -->", "x = 1"]


def test_a_comment_that_does_not_end_is_told_of_with_its_line() -> None:
    opened = open_script("---\ntitle: A\n---\n\nsaid\n\nmore <!-- secret\n\n## secret")
    (warning,) = opened.warnings
    assert warning.code == "comment_unclosed"
    assert "line 7" in warning.message
    assert "secret" not in opened.body
    assert "more" in opened.body


def test_lines_keep_their_numbers_below_a_comment() -> None:
    text, _ = without_comments("a\n<!-- b\n\nc -->\n# d")
    assert text.split("\n").index("# d") == 4


def test_in_a_scene_comments_are_nothing_and_what_is_written_reads_back() -> None:
    scene = {"title": "A <!-- x -->", "blocks": ["said <!-- secret -->", "`<!-- kept -->`", "\\<!-- kept -->"]}
    script = read_scenes({"version": 1, "scenes": [scene]})
    assert "secret" not in everything(script)
    assert shown_text(script).count("<!-- kept -->") == 2
    assert read_scenes(write_document(script)) == script


def test_a_scene_document_shows_none_of_them() -> None:
    hidden = "<!-- layoffs -->"
    series = [{"name": f"b{hidden}", "values": [1]}]
    chart = {"kind": "chart", "style": "bar", "labels": [f"a{hidden}"], "series": series, "title": f"c{hidden}"}
    picture = {"kind": "image", "asset": "as_" + "0" * 32, "alt": f"a river {hidden}"}
    scenes = [{"title": f"One {hidden}", "blocks": [chart, picture, f"Two {hidden}"], "narration": "Three."}]
    script = read_scenes({"version": 1, "title": f"Rivers {hidden}", "scenes": scenes})
    assert "a river" in repr(script)
    assert "layoffs" not in repr(script)
