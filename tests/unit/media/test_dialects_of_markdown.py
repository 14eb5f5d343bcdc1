"""What other tools write into Markdown: boxes, attribute lists, roles, links, listings, comments."""

from __future__ import annotations

import pytest

from handlers.generation.control import Warned
from handlers.generation.errors import ScriptError
from handlers.generation.script.completeness import lost_lines
from handlers.generation.script.content import (
    Bullets,
    Callout,
    Code,
    Math,
    Paragraph,
    Section,
    Table,
    cells_of,
    items_of,
)
from handlers.generation.script.inline import parse_inline, plain
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.script import open_script, parse_script


def parsed(text: str) -> tuple[tuple[Section, ...], list[Warned]]:
    noticed: list[Warned] = []
    return parse_sections(open_script(text).body, None, "en", noticed), noticed


def blocks(text: str) -> list[object]:
    return [block for section in parsed(text)[0] for block in section.body]


def words(text: str) -> str:
    """All inline text of a document."""
    found = []
    for section in parsed(text)[0]:
        found.append(plain(section.heading))
        found += [plain(item.spans) for cell in cells_of(section.body) for item in items_of(cell)]  # type: ignore[arg-type]
    return " ".join(filter(None, found))


BODY = "Do *this*."


@pytest.mark.parametrize(
    ("text", "tone", "title"),
    [
        (f"> [!NOTE]\n> {BODY}", "note", None),
        (f"> [!tip]- Own *title*\n> {BODY}", "tip", "Own title"),
        (f"> [!warning]+\n>\n> {BODY}", "warning", None),
        (f"> [!mine]\n> {BODY}", "plain", "Mine"),
        (f":::{{tip}}\n{BODY}\n:::", "tip", None),
        (f":::{{admonition}} Own\n:class: warning\n\n{BODY}\n:::", "plain", "Own"),
        (f"```{{warning}}\n{BODY}\n```", "warning", None),
        (f"```{{note}} Own\n:class: dropdown\n{BODY}\n```", "note", "Own"),
        (f":::tip[Own]\n\n{BODY}\n\n:::", "tip", "Own"),
        (f"::: tip Own\n{BODY}\n:::", "tip", "Own"),
        (f"::: details Own {{open}}\n{BODY}\n:::", "plain", "Own"),
        (f'::: {{.callout-important title="Own"}}\n{BODY}\n:::', "important", "Own"),
        (f"::: {{.callout-tip collapse=true}}\n## Own\n\n{BODY}\n:::", "tip", "Own"),
        (f"::: {{.warning}}\n{BODY}\n:::", "warning", None),
        (f"::: warning :::\n{BODY}\n:::", "warning", None),
        (f'!!! note "Own"\n    {BODY}', "note", "Own"),
        (f"??? tip\n    {BODY}", "tip", None),
        (f"???+ danger\n\n    {BODY}", "danger", None),
        (f'!!! tip inline end ""\n    {BODY}', "tip", ""),
        (f":::danger\n{BODY}", "danger", None),
        (f"Above\n::: tip\n{BODY}\n:::\nBelow", "tip", None),
        (f"- Item\n\n  ::: tip\n  {BODY}\n  :::\n", "tip", None),
    ],
)
def test_callouts_of_all_dialects(text: str, tone: str, title: str | None) -> None:
    (callout,) = (block for block in blocks(text) if isinstance(block, Callout))
    assert (callout.tone, None if callout.title is None else plain(callout.title)) == (tone, title)
    (paragraph,) = callout.blocks
    assert isinstance(paragraph, Paragraph)
    assert plain(paragraph.sentences[0].spans) == "Do this."


@pytest.mark.parametrize(
    "text",
    [
        "::: tip\na\n:::: note\nb\n::::\n:::",
        "::::{tip}\na\n:::{note}\nb\n:::\n::::",
        "::: {.tip}\na\n::: {.note}\nb\n:::\n:::",
        "> [!tip]\n> a\n> > [!note]\n> > b",
        "!!! tip\n    a\n\n    !!! note\n        b",
        "````{tip}\na\n```{note}\nb\n```\n````",
        "> [!tip]\n> a\n>\n> ::: note\n> b\n> :::",
    ],
)
def test_callouts_in_callouts(text: str) -> None:
    (outer,) = blocks(text)
    assert isinstance(outer, Callout)
    inner = outer.blocks[1]
    assert isinstance(inner, Callout)
    assert (outer.tone, inner.tone, [block.kind for block in inner.blocks]) == ("tip", "note", ["paragraph"])


def test_boxes_deeper_than_pages_have_them_are_their_blocks() -> None:
    assert words("> [!tip] A\n> > [!tip] B\n> > > [!tip] C\n> > > > [!tip] D\n> > > > e") == "e"
    parse_script("".join(f"{'`' * (90 - n)}{{tip}}\n" for n in range(80)))


@pytest.mark.parametrize(("text", "line"), [("a\n\n::: foo\nb\n:::", 3), ("> [!foo]\n> b", 1), ("!!! foo\n    b", 1)])
def test_an_unknown_box_is_a_plain_one_and_a_warning_with_its_line(text: str, line: int) -> None:
    (warning,) = parsed(text)[1]
    assert warning.message.startswith(f"line {line}: 'foo'")
    assert any(isinstance(block, Callout) and block.tone == "plain" for block in blocks(text))


@pytest.mark.parametrize("name", ["colums", "rigth", "outtro"])
def test_a_name_that_is_nearly_ours_is_an_error(name: str) -> None:
    with pytest.raises(ScriptError, match="did you mean"):
        parsed(f":::{name}\na\n:::")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A {#b .c key=val}\n\nd", "A d"),
        ("a [b](c.md){target=_blank} `d`{.e} f {.g}", "a b d f"),
        ("a\n{: .b}", "a"),
        ("{: .b}\n\na", "a"),
        ("# A\n{: #a .b}\n\n> c\n> {: .quote}\n\n- d\n{: .e}\n- f\n  {: .g}\n\nh\n{ .i }", "A d f h"),
        ('| a |\n|---|\n| b |\n{: .wide}\n\n{:ref: .c}\n{::options x="y" /}\nc\n{: title="d"}', "c"),
        ("a {::comment}b\n\nc{:/comment} d {::comment}e", "a d e"),
        ("a\n\n    {: .b}\n\nset\n{x}", "a set {x}"),
        ("- a {.fragment}\n- b", "a b"),
        ("[a *b*]{.c} d", "a b d"),
        ("set {x} and {x=1} `{.y}` {a, b}", "set {x} and {x=1} {.y} {a, b}"),
        ('[TOC]\n\na\n\n[[toc]]\n\n\\newpage\n\n. . .\n\n--8<-- "x"\n\n*[A]: B\n\n^id', "a"),
        ("* TOC\n{:toc}\n\na", "a"),
        ("(x)=\n# A\n\n% secret\n\n+++\n\nb", "A b"),
        ("b\n\n% of all\n\na", "b % of all a"),
        ("{ref}`a <b>` {kbd}`C` {doc}`/d`", "a C /d"),
        ("[[a|b]] [[c/d#e]] ![[f]] [[1, 2]]", "b d › e [[1, 2]]"),
        ("press ++ctrl+s++, C++ or i++ and ++i", "press Ctrl+S, C++ or i++ and ++i"),
        ('a {% if x %}b{% endif %} {{< ref "c" >}} `{% d %}`', "a b {% d %}"),
        ("a {{ page | x }} {{name}}", "a {{name}}"),
        ("import A from 'b';\nimport 'c'\n\nexport const d = {\n  e: 1,\n}\n\nf", "f"),
        ("import a from b", "import a from b"),
        ("a %%b%% c\n\n%%\nd\n\ne\n%%\n\nf 100%% g", "a c f 100%% g"),
        ("a {/* b\n\nc */} d", "a d"),
        ("{% comment %}\na\n\nb\n{% endcomment %}\nc", "c"),
        ("(@) a\n(@) b", "a b"),
        ("A\n: b\n\nC\n\n:   d", "A\nb C d"),
        ("wow!!! a\n\n!!! b\n\n::a::", "wow!!! a !!! b ::a::"),
    ],
)
def test_what_other_tools_write_is_nothing_or_what_it_means(text: str, expected: str) -> None:
    assert " ".join(words(text).split(" ")).replace("  ", " ") == expected


def test_the_texts_of_scenes_are_plain_markdown() -> None:
    for text in ("a {.b}", "[[a|b]]", "++a++", "{% a %}"):
        assert plain(parse_inline(text)) == text


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("```{code-block} python\n:emphasize-lines: 2\n\na\nb\n```", Code("python", "a\nb", highlight=(2,))),
        ("```{python}\n#| label: x\na\n```", Code("python", "a")),
        ("```{.sh .x}\na\n```", Code("sh", "a")),
        ("```{r, echo=FALSE}\na\n```", Code("r", "a")),
        ("```{math}\n:label: x\nx^2\n```", Math("x^2")),
        ("{% highlight ruby %}\na\n{% endhighlight %}", Code("ruby", "a")),
        ('{{< highlight go "x" >}}\na\n{{< /highlight >}}', Code("go", "a")),
    ],
)
def test_listings_of_other_tools(text: str, block: object) -> None:
    assert blocks(text) == [block]


def test_the_simple_table_of_pandoc_is_a_table() -> None:
    table, caption = blocks("  Year    Price\n------  -------\n  2029    31,40\n  2030    36,75\n\n: Prices {#t}")
    assert isinstance(table, Table)
    assert [plain(cell) for row in (table.header, *table.rows) for cell in row] == [
        "Year", "Price", "2029", "31,40", "2030", "36,75",
    ]  # fmt: skip
    assert isinstance(caption, Paragraph)
    assert plain(caption.sentences[0].spans) == "Prices"


def test_definitions_are_items_of_a_list() -> None:
    (bullets,) = blocks("A\n: b\n\nC\n: d")
    assert isinstance(bullets, Bullets)
    assert [plain(item.spans) for item in bullets.items] == ["A\nb", "C\nd"]


@pytest.mark.parametrize(
    "text",
    ["::: tip Own title\nIn the box.\n:::", '!!! tip inline end "Own"\n    In the box.', "[TOC]\n\nText.",
     "(name)=\n# Title\n\n% comment\n\n:::{tip}\n:class: own\nText.\n:::",
     "[[Folder/Note|words]] and [[Folder/Other]].",
     "```{python}\n#| label: some-label\na = 1\n```", "Text. ^block-name", "a {{ page.title | upper }} b"],
)  # fmt: skip
def test_nothing_is_lost(text: str) -> None:
    body = open_script(text).body
    assert lost_lines(body, parse_script(text)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "The tits are back.\n{: .lead}\n\nBread harms them.",
        "The tits are back. {: .lead}\n\nBread harms them.",
        "Narrator: The tits are back.\n{: .a}\n\nVisual: a tit\n\nNarrator: Bread harms them.\n{: .b}\n\nVisual: b",
    ],
    ids=["lines", "behind", "video script"],
)
def test_attributes_are_nothing_in_any_shape(text: str) -> None:
    script = parse_script(text)
    assert [line.text for scene in script.scenes for line in scene.lines if line.text] == [
        "The tits are back.", "Bread harms them.",
    ]  # fmt: skip
    assert not any("{" in str(scene.blocks) for scene in script.scenes)
