"""Decks of other tools become scenes, and their signs nothing; themes and titles of other tools are warned of."""

from __future__ import annotations

import pytest

from handlers.generation.errors import ScriptError, UnknownTheme
from handlers.generation.model import Brief, Style, Voice
from handlers.generation.script.content import Columns, Image, Note, Section
from handlers.generation.script.inline import plain
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.picture_references import Pictures
from handlers.generation.script.script import PlannedScript, open_script, plan_brief

MARP = "---\nmarp: true\n---\n"
SLIDEV = "---\nmdc: true\n---\n"
SEPARATORS = '---\nseparator: <!--s-->\nverticalSeparator: "^<!--v-->$"\n---\n'
ASSET = "as_" + "0" * 32


def sections(text: str) -> tuple[Section, ...]:
    return parse_sections(open_script(text).body, Pictures())


def headings(text: str) -> list[str]:
    return [plain(section.heading) for section in sections(text)]


def planned(text: str, style: Style | None = None) -> PlannedScript:
    brief = Brief(script=text, voice=Voice("en-us", 1.0), qualities=("720p",), style=style or Style())
    return plan_brief(brief, ("midnight", "paper"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MARP + "# A\n\n## B\n\ntext\n\n---\n\n### C\n\ntext", ["A", "C"]),
        (MARP + "![w:9](https://x.org/a)\n# A\n\n---\n\nC\n---\n\nD", ["A", "C"]),
        ("---\nmarp: true\nheadingDivider: 3\n---\n# A\n\n## B\n\n### C\n\nD", ["A", "B", "C"]),
        ("---\nmarp: true\nheadingDivider: [1, 3]\n---\n# A\n\nx\n\n## B\n\n### C\n\nD", ["A", "C"]),
        ("<!-- marp: true -->\n# A\n\n## B\n\nC\n\n---\n\nD", ["A", ""]),
        (SLIDEV + "# A\ntext\n---\nlayout: center\nclass: x\n---\n# B", ["A", "B"]),
        (SLIDEV + "# A\n\n---\nhide: true\n---\n\n# Secret\n\n---\n\n# B", ["A", "B"]),
        (SLIDEV + "# A\n\n```\n---\nlayout: x\n---\n```\n\n---\n\n# B", ["A", "B"]),
        ("---\nrevealOptions: x\n---\n# A\ntext\n----\n### B\nb\n---\n## C", ["A", "B", "C"]),
        (SEPARATORS + "# A\n<!--s-->\n## B\n\n---\n\n<!--v-->\n## C", [
            "A", "B", "C",
        ]),
        ('---\nseparator: "\\n\\n\\n"\n---\n# A\n\n\n# B', ["A", "B"]),
        ('---\nverticalSeparator: "^\\n--\\n$"\n---\n# A\n\na\n\n--\n\n### B\nb\n--\n### C', ["A", "B", "C"]),
        ('---\nseparator: "^(?:---|===)$"\n---\n# A\n\na\n\n===\n\n# B\n\n--\n\n# C\n\n---\n\n# D', [*"ABCD"]),
        ('---\nseparator: "\\r?\\n\\\\s*-{4,}\\r?\\n"\n---\n# A\n\na\n\n----\n\n# B\n\n---\n\n# C', ["A", "B"]),
        ('---\nseparator: "[a-z]+"\n---\n# A\n\n---\n\n# B\n\nb\n--\nc', ["A", "B"]),
        ("---\noptions:\n  implicit_slide_ends: true\n---\nA\n===\n\na\n\n# C\n\nB\n===\n\nb", ["A", "B"]),
        ("---\noptions: {command_prefix: 'c:'}\n---\n# A\n\n<!-- c:end_slide -->\n\n# B\n\n# C", ["A", "B"]),
        ("---\noptions:\n  h1_slide_titles: true\n---\n# A\n\na\n\n# C\n\nc", ["A", "C"]),
        ("A\n===\n\nx\n\n---\n\ny\n\n<!-- end_slide -->\n\nB\n===\n\nC\n---\n\nz", ["A", "B"]),
    ],
)  # fmt: skip
def test_a_slide_is_a_scene(text: str, expected: list[str]) -> None:
    assert headings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        SLIDEV + "---\nlayout: two-cols\n---\n\n# A\n\none\n\n::right::\n\ntwo",
        SLIDEV + "# A\n\n::left::\none\n::right::\ntwo\n::bottom::",
        MARP + '# A\n\n<div class="columns">\n<div>\n\none\n\n</div>\n<div>\n\ntwo\n\n</div>\n</div>',
        MARP + '# A\n\n<div style="display: flex"><div>\n\none\n\n</div><div>\n\ntwo\n\n</div></div>',
        "# A\n\n<!-- column_layout: [1] -->\n<!-- column: 0 -->\none\n<!-- column: 1 -->\ntwo\n<!-- reset_layout -->\n",
        "# A\n\n:::: {.columns}\n::: {.column width=40%}\none\n:::\n::: {.column}\ntwo\n:::\n::::\n",
        "# A\n\n:::: columns\n::: column\none\n:::\n::: column\ntwo\n:::\n::::\n",
    ],
)
def test_columns_of_other_tools_are_columns(text: str) -> None:
    (section,) = (section for section in sections(text) if section.body)
    assert plain(section.heading) == "A"
    (columns,) = section.body
    assert isinstance(columns, Columns)
    left, right = columns.left[0], columns.right[0]
    assert [plain(each.sentences[0].spans) for each in (left, right)] == ["one", "two"]


def test_columns_with_one_side_alone_are_its_text() -> None:
    (section,) = sections(SLIDEV + "# A\n\n::right::\n\ntwo")
    assert [block.kind for block in section.body if not isinstance(block, Note)] == ["paragraph"]


def notes(text: str) -> list[str]:
    return [block.text for section in sections(text) for block in section.body if isinstance(block, Note)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\n\nNote: b", ["b"]),
        ("A\n\nNotes: b", ["b"]),
        ("A\n\nnote:\nb", ["b"]),
        ("A\n\n**Note:** b", []),
        ("A\n\n*Note:* b", []),
        ("A\n\n::: notes\nb\n\n- c\n:::", ["b c"]),
        ("---\nrevealOptions: x\n---\n# A\n\nNote:\nb\n\nc\n- d\n\n---\n\n# E\n\nf", ["b", "c d"]),
        ('---\nnotesSeparator: "Speaker:"\n---\n# A\n\nSpeaker: b', ["b"]),
        (MARP + "# A\n\n<!-- b -->\n\nText", []),
        ('# A\n\n<aside class="notes">b <i>c</i></aside>\n\nText\n\n---\n\n# D', ["b c"]),
        ('# A\n\n<aside class="notes">\nb\n\n<p>c</p>\n\n- d\n- e\n</aside>\n\nText\n\n---\n\n# D', ["b", "c", "d e"]),
        ('# A\n\n<div>\n<aside class="notes"><p>b</p><p>c</p></aside>\n</div>\n\nText', ["b c"]),
        ('# A\n\n<aside class="other">b</aside>', []),
    ],
)
def test_what_the_speaker_says(text: str, expected: list[str]) -> None:
    assert notes(text) == expected


def test_a_note_that_nobody_speaks_is_a_warning_with_its_line() -> None:
    text = "# A\n\nText.\n\nNote: b\n\n## C\n\n::: notes\nd\n:::"
    assert planned(text).warnings == ()
    (warning,) = planned(text, Style(narrated=False)).warnings
    assert warning.code == "note_unspoken"
    assert "line 5, 9" in warning.message


@pytest.mark.parametrize(
    ("picture", "alt", "fit"),
    [
        ("![bg](asset:{})", "", "cover"),
        ("![bg fit A lake](asset:{})", "A lake", "contain"),
        ("![w:300px height:2em](asset:{})", "", "contain"),
        ("![bg left:40%](asset:{})", "", "contain"),
        ("![bg](#123456) ![bg](rgb(1, 2, 3)) ![bg](navy)\n![](asset:{})", "", "contain"),
    ],
)
def test_words_of_marp_leave_the_descriptions_of_pictures(picture: str, alt: str, fit: str) -> None:
    (section,) = sections(MARP + "# A\n\n" + picture.format(ASSET))
    assert section.body == (Image(ASSET, alt, fit),)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", ["image:width:60%", "image:w:60%", "img:w:9%", "width:50%"])
def test_words_of_presenterm_leave_the_descriptions_of_pictures(words: str) -> None:
    (section,) = sections(f"---\noptions:\n  incremental_lists: true\n---\n# A\n\n![{words}](asset:{ASSET})")
    assert section.body == (Image(ASSET),)
    (section,) = sections(f"# A\n\n![image:w:60%](asset:{ASSET})")
    assert section.body == (Image(ASSET),)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        (MARP + "# A\n\n![bg left:40%]({})\n\n- one\n- two", "left"),
        (MARP + "![bg right]({})\n\n# A\n\n- one\n- two\n\nNote: b", "right"),
        ('# A\n\n![]({} "side=right")\n\n- one\n- two', "right"),
        ('# A\n\n- one\n- two\n\n![]({} "side=left")', "left"),
    ],
)
def test_a_picture_at_a_side_stands_beside_all_else(text: str, side: str) -> None:
    (section,) = (section for section in sections(text.format(f"asset:{ASSET}")) if section.body)
    columns, *others = section.body
    assert isinstance(columns, Columns)
    sides = {"left": columns.left, "right": columns.right}
    assert sides.pop(side) == (Image(ASSET),)
    assert [block.kind for (blocks) in sides.values() for block in blocks] == ["bullets"]
    assert all(isinstance(block, Note) for block in others)


def test_a_picture_at_a_side_of_nothing_stands_alone() -> None:
    (section,) = sections(f'# A\n\n![x](asset:{ASSET} "side=left")')
    assert section.body == (Image(ASSET, "x"),)
    with pytest.raises(ScriptError, match=r"side=left\|right"):
        sections(f'# A\n\n![x](asset:{ASSET} "side=top")')


PAGE = """\
<!doctype html><html><head><title>The  deck</title></head><body><div class="reveal"><div class="slides">
<section data-markdown data-separator-vertical="^--$" data-separator-notes="^Say:">
  <textarea data-template>
    # A
    `a < b` &amp; c <!-- secret -->

    Say: this
    --
    ### B

    - b
  </textarea>
</section>
<section><h3>C</h3><p>c</p><aside class="notes">that</aside></section>
<section><section data-markdown><script type="text/template">
## D
![d](d.png)
</script></section></section>
<section data-markdown="other.md"></section>
</div></div></body></html>
"""


def test_a_page_of_reveal_js_with_markdown_is_a_deck() -> None:
    opened = open_script(PAGE)
    assert opened.front.title == "The deck"
    assert [plain(section.heading) for section in parse_sections(opened.body, Pictures())] == ["A", "B", "C", "D"]
    assert notes(PAGE) == ["this", "that"]
    assert not any(word in opened.body for word in ("secret", "section", "textarea"))
    rows, page = opened.body.split("\n"), PAGE.split("\n")
    assert rows.index("# A") == page.index("    # A")
    assert [warning.code for warning in opened.warnings] == ["slides_elsewhere"]


def test_a_part_of_such_a_page_is_a_deck_and_other_html_is_none() -> None:
    assert headings("<section data-markdown>\n## A\n\na\n</section>") == ["A"]
    for text in ("# A\n\n<section data-markdown>\nb\n</section>", "<section>data-markdown</section>"):
        assert open_script(text).deck is None


@pytest.mark.parametrize(
    "keys",
    ["marp: true\ntheme: gaia", "mdc: true\ntheme: '@me/theme'", "revealOptions: x\ntheme: moon",
     "format:\n  html: x\ntheme: [cosmo, a.scss]", "mdc: true\ntitle: {a: b}\ntheme: seriph"],
)  # fmt: skip
def test_a_theme_of_another_tool_is_a_warning(keys: str) -> None:
    result = planned(f"---\n{keys}\n---\n# A\n\nb")
    assert result.style.theme is None
    assert result.script.title == "A"
    assert any("theme" in warning.message.partition("available")[0] for warning in result.warnings)


def test_our_own_theme_is_that_of_a_deck_of_another_tool_as_well() -> None:
    assert planned("---\nmarp: true\ntheme: paper\n---\n# A").style.theme == "paper"
    with pytest.raises(UnknownTheme):
        planned("---\ntheme: gaia\n---\n# A")
    with pytest.raises(ScriptError, match="theme must be"):
        planned("---\ntheme: [a]\n---\n# A")


def test_slides_from_another_file_are_warned_of() -> None:
    (warning,) = (
        w for w in open_script(SLIDEV + "# A\n\n---\nsrc: ./b.md\n---\n").warnings if w.code != "front_matter_keys"
    )
    assert warning.code == "slides_elsewhere"
    assert "line 7" in warning.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\n### B\n\nb\n\n### C\n\nc", ["A", "B", "C"]),
        ("A\n---\n\nx\n\n#### B\n\nb\n\n#### C\n\nc", ["A", "B", "C"]),
        ("# A\n\n### B\n\nb", ["A"]),
        ("# A\n\n## X\n\n### B\n\nb\n\n### C\n\nc", ["A", "X"]),
        ("# A\n\n### B\n\nb\n\n---\n\n### C\n\nc", ["A", ""]),
    ],
)
def test_a_document_of_low_headings_only_has_scenes(text: str, expected: list[str]) -> None:
    assert headings(text) == expected
