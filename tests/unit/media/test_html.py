"""HTML in Markdown is shown as what it means: no tag is on a page, none is said, and no text is lost."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from handlers.generation.errors import ScriptError
from handlers.generation.script.content import Bullets, Code, Heading, Paragraph, Quote, Script, Span, Table
from handlers.generation.script.html_blocks import markdown_of
from handlers.generation.script.inline import parse_inline, plain
from handlers.generation.script.script import parse_script
from tests.support.work import calls_of


def blocks(text: str) -> tuple[Any, ...]:
    return tuple(block for scene in parse_script(f"# T\n\n## S\n\n{text}").scenes[1:] for block in scene.blocks)


def said(script: Script) -> str:
    return " ".join(line.text for scene in script.scenes for line in scene.lines)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("H<sub>2</sub>O", (Span("H"), Span("2", shift="sub"), Span("O"))),
        ("x<sup>2</sup>", (Span("x"), Span("2", shift="sup"))),
        ("<kbd>Ctrl</kbd>+<kbd>C</kbd>", (Span("Ctrl", "key"), Span("+"), Span("C", "key"))),
        ("<kbd><kbd>Ctrl</kbd>+<kbd>C</kbd></kbd>", (Span("Ctrl", "key"), Span("+"), Span("C", "key"))),
        ("<mark>new</mark> <s>old</s> <del>older</del>", None),
        ("a <b>bold <i>both</i></b>", (Span("a "), Span("bold ", bold=True), Span("both", bold=True, italic=True))),
        ("an <b>open one", (Span("an "), Span("open one", bold=True))),
        ("<em>crossed **over</em> here**", None),
        ("one<br>two<br/>three", (Span("one\ntwo\nthree"),)),
        ("<q>said</q>", (Span("“said”"),)),
        ("<code>x &lt; y</code>", (Span("x < y", "code"),)),
        ("<span\n  style='color:\nred'>red</span> <u>under</u>", (Span("red under"),)),
        ("<v-click>seen</v-click> <TabItem label='x'>too</TabItem>", (Span("seen too"),)),
        ("use <username> and <host>", (Span("use <username> and <host>"),)),
        ("a < b and c > d", (Span("a < b and c > d"),)),
        ("before <script>alert(1)</script> after", (Span("before  after"),)),
        ("`<div>` stays", (Span("<div>", "code"), Span(" stays"))),
    ],
)
def test_tags_in_a_line_style_its_text_or_vanish(text: str, spans: tuple[Span, ...] | None) -> None:
    found = parse_inline(text)
    assert "<e" not in plain(found)
    assert "</" not in plain(found)
    if spans is not None:
        assert found == spans


def test_marked_and_struck_text() -> None:
    found = parse_inline("<mark>new</mark> <s>old</s> ~~older~~")
    assert found == (
        Span("new", marked=True),
        Span(" "),
        Span("old", struck=True),
        Span(" "),
        Span("older", struck=True),
    )


def test_what_is_struck_is_not_said() -> None:
    assert said(parse_script("# T\n\nIt costs ~~20~~ <del>18</del> 15 euros.")) == "T It costs 15 euros."


def test_the_cell_of_a_table_has_two_lines() -> None:
    (table,) = blocks("| A | B |\n|---|---|\n| a | one<br>two |")
    assert table.rows[0][1] == (Span("one\ntwo"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<details>\n<summary>More</summary>\n\nHidden *text*.\n\n</details>", [Paragraph, Paragraph]),
        ("<ul>\n<li>one<ul><li>deep</li></ul></li>\n<li>two</li>\n</ul>", [Bullets]),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2 | 3</td></tr></table>", [Table]),
        ('<pre lang="sh">\nls -l\n</pre>', [Code]),
        ("<blockquote>Quoted</blockquote>", [Quote]),
        ("<h4>Below</h4>\n<p>Words.", [Heading, Paragraph]),
        ("<script>\nalert(1)\n</script>\n\n<style>\np {}\n</style>\n\nText.", [Paragraph]),
    ],
)
def test_blocks_keep_their_meaning(text: str, expected: list[type]) -> None:
    assert [type(block) for block in blocks(text)] == expected


def test_the_parts_of_html_lists_tables_and_listings() -> None:
    (bullets,) = blocks("<ol start='3'><li>one<ul><li>deep</li></ul></li><li>two</li></ol>")
    assert [(plain(item.spans), item.depth, item.number) for item in bullets.items] == [
        ("one", 0, 3),
        ("deep", 1, None),
        ("two", 0, 4),
    ]
    (code,) = blocks('<pre><code class="language-py">a &lt; b\n</code></pre>')
    assert (code.language, code.text) == ("py", "a < b")
    (table,) = blocks("<table><tr><td>1</td><td>2 | 3</td></tr></table>")
    assert [plain(cell) for cell in table.header] == ["1", "2 | 3"]


def test_a_heading_in_a_centred_box_begins_a_scene() -> None:
    script = parse_script(
        '<div align="center">\n<h1>My <em>tool</em></h1>\n<p>For <b>people</b> &amp; cats.</p>\n</div>'
    )
    assert script.title == "My tool"
    assert said(script) == "My tool For people & cats."


def test_very_deep_html_is_read_as_its_text() -> None:
    assert markdown_of("<div>" * 5_000 + "words").split() == ["words"]


@pytest.mark.parametrize(
    "text",
    ['<p align="center">A <b>b</b></p>', '<div align="right">\n\nA **b**\n\n</div>', "<center>A <b>b</b></center>",
     '<p style="text-align: center">A <b>b</b></p>'],
)  # fmt: skip
def test_alignment_of_a_text_means_nothing(text: str) -> None:
    (paragraph,) = blocks(text)
    assert plain(paragraph.sentences[0].spans) == "A b"


@pytest.mark.parametrize("page", ["{}", "<!doctype html><html><body>{}</body></html>"])
def test_alignment_of_cells_is_that_of_their_columns(page: str) -> None:
    table = (
        '<table><tr><th>A</th><th>B</th><th>C</th></tr><tr><td align="right">1</td>'
        '<td style="color: red; text-align: center">2</td><td>3</td></tr></table>'
    )
    (block,) = parse_script(page.format(table)).scenes[0].blocks
    assert isinstance(block, Table)
    assert block.align == ("right", "center", "")


@pytest.mark.parametrize("top", ["# A\n\n", "<html><body>"])
@pytest.mark.parametrize(
    "piece", ["<div></y>", "<ul><li></y></z>", "<blockquote></b>", "<table><tr><td></y></y></y>", "<div></p>"]
)
def test_tags_that_end_nothing_hide_no_depth(top: str, piece: str) -> None:
    with suppress(ScriptError):
        parse_script(top + f"{piece}a" * 3_000)


@pytest.mark.parametrize("top", ["# A\n\n", "<html><body>"])
def test_tables_in_tables_are_read_once(top: str) -> None:
    nested = "<table><tr><td>a" * 30 + "</td></tr></table>" * 30
    calls_of(lambda: parse_script(top + nested), most=200_000)


@pytest.mark.parametrize("top", ["# A\n\n", "<html><body>"])
def test_a_wide_row_makes_the_others_no_wider_before_the_table_is_refused(top: str) -> None:
    table = "<table><tr>" + "<td>a</td>" * 3_000 + "</tr>" + "<tr><td>b</td></tr>" * 2_000 + "</table>"
    with pytest.raises(ScriptError, match="3,000 columns"):
        parse_script(top + table)
