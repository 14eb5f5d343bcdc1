"""The pictures that a script names: what is found, with its line; what is shown, dropped, or told."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from attrs import evolve

from eventflow.domain.values import PictureAsset
from handlers.generation.errors import PicturesMissing, ScriptError
from handlers.generation.script.content import Clip, Image, Paragraph, cells_of
from handlers.generation.script.embedded_data import short_form, with_data, without_data
from handlers.generation.script.inline import plain
from handlers.generation.script.picture_addresses import host_of, is_badge, kind_of
from handlers.generation.script.picture_references import PictureReference, Pictures
from handlers.generation.script.script import lay_out_script, open_script, parse_script, pictures_of, read_script

ASSET, OTHER = f"as_{'0' * 32}", f"as_{'1' * 32}"
TOUR = (
    "# Tour\n\n## Screens\n\n![The main window](img/main.png)\n\n"
    '![Settings](./img/settings.png "Settings") ![Help](https://example.org/help.png)\n'
)
TOOL = (
    "# Tool\n\n[![Build](https://img.example.org/b.svg)](https://ci.example.org) "
    "[![Version](https://img.example.org/v.svg)](https://pypi.example.org)\n\nA tool that sorts.\n"
)
DATA = "data:image/png;base64,iVBORw0KGgo="


def found(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.address) for each in pictures_of(open_script(text))]


def one(text: str) -> PictureReference:
    (reference,) = pictures_of(open_script(text))
    return reference


def shown(text: str, *pictures: PictureAsset) -> tuple[list[Image | Clip], list[str], list[str]]:
    """(pictures, texts, codes of warnings)."""
    known = Pictures(known={each.address: each for each in pictures})
    opened = open_script(text)
    script = lay_out_script(opened, read_script(opened, "document", ()), pictures=known)
    blocks = [cell for scene in script.scenes for cell in cells_of(scene.blocks)]
    texts = [plain(s.spans) for block in blocks if isinstance(block, Paragraph) for s in block.sentences]
    return (
        [block for block in blocks if isinstance(block, Image | Clip)],
        [*(plain(scene.heading) for scene in script.scenes), *texts],
        [warning.code for warning in known.warnings],
    )


def test_all_that_are_missing_are_named_at_once_with_their_lines() -> None:
    with pytest.raises(PicturesMissing) as error:
        parse_script(TOUR)
    assert [(line, address) for line, address, _ in error.value.missing] == [
        (5, "img/main.png"),
        (7, "./img/settings.png"),
        (7, "https://example.org/help.png"),
    ]
    for named in ("line 5: 'img/main.png'", "line 7: './img/settings.png'", "line 7: 'https://example.org/help.png'"):
        assert named in str(error.value)
    with pytest.raises(PicturesMissing, match=r"line 102: 'x\.png'; and 10 more"):
        parse_script("---\na: 1\n---\n" + "![x](x.png)\n\n" * 60)


def test_of_badges_nothing_is_shown_or_said() -> None:
    pictures, texts, codes = shown(TOOL)
    assert (pictures, codes) == ([], ["badges_dropped"])
    assert texts == ["Tool", "A tool that sorts."]
    lines = [line.text for scene in parse_script(TOOL).scenes for line in scene.lines]
    assert not any("Build" in line or "Version" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("# Tool [![Build](https://x.org/badge.svg)](https://ci.org)\n\nText.", ["Tool", "Text."]),
        ("## A\n\nWith ![b](https://img.shields.io/x) inside.", ["A", "With  inside."]),
        ("## A\n\n[![b](https://x.org/badge/a) docs](https://x.org)", ["A", "docs"]),
        ("## A\n\n[![b][img]][to] text\n\n[img]: https://x.org/b.svg\n[to]: https://x.org/", ["A", "text"]),
        ("## A\n\n<img src='https://codecov.io/x/graph' alt=cov>\n\ntext", ["A", "text"]),
        ("## A\n\n![cov](docs/coverage-badge.svg)\n\ntext", ["A", "text"]),
    ],
)
def test_badges_wherever_they_stand(text: str, kept: list[str]) -> None:
    pictures, texts, codes = shown(text)
    assert (pictures, texts, codes) == ([], kept, ["badges_dropped"])


@pytest.mark.parametrize(
    ("address", "link", "badge"),
    [
        ("https://img.shields.io/pypi/v/x", "", True),
        ("https://github.com/a/b/actions/workflows/ci.yml/badge.svg", "", True),
        ("https://github.com/a/b/workflows/ci/badge.svg?branch=main", "", True),
        ("https://colab.research.google.com/assets/colab-badge.svg", "", True),
        ("https://sonarcloud.io/api/project_badges/measure?project=x", "", True),
        ("//badgen.net/x", "", True),
        ("https://travis-ci.org/a/b.png?branch=master", "", True),
        ("https://example.org/v.svg", "https://pypi.org", True),
        ("https://example.org/v.svg", "https://example.org/v.svg", False),
        ("https://example.org/v.svg", "", False),
        ("https://example.org/screen.png", "https://example.org/", False),
        ("https://example.org/badgers/photo.jpg", "", False),
        ("https://notshields.io/x.png", "", False),
        ("img/badge.png", "https://example.org", False),
        ("https://[/badge.svg", "", False),
    ],
)
def test_what_a_badge_is(address: str, link: str, badge: bool) -> None:
    assert is_badge(address, link) is badge


@pytest.mark.parametrize(
    ("text", "address", "alt"),
    [
        ("![a *b* `c`](x.png)", "x.png", "a b c"),
        ("![a](<my pictures/x y.png>)", "my pictures/x y.png", "a"),
        ("![a](größe.png 'Title')", "größe.png", "a"),
        ("![a](gr%C3%B6%C3%9Fe.png)", "gr%C3%B6%C3%9Fe.png", "a"),
        ("![a][b]\n\n[b]: x.png", "x.png", "a"),
        ("![a]\n\n[a]: x.png", "x.png", "a"),
        ("[![a](x.png)](https://example.org)", "x.png", "a"),
        ('<img src="a&amp;b.png" alt="&quot;q&quot;" width=20/>', "a&b.png", '"q"'),
        ("<IMG\n  SRC=x.png\n  alt='a > b'>", "x.png", "a > b"),
        ("<video src='x.mp4' controls>no <b>video</b></video>", "x.mp4", ""),
        ('<video controls><source src="x.webm" type="video/webm"></video>', "x.webm", ""),
        ("![[x.png]]", "x.png", ""),
        ("![[folder/x y.png|A river|400x300]]", "folder/x y.png", "A river"),
        ("![[x.png#centre|400]]", "x.png", ""),
        ("![a](C:\\pictures\\x.png)", "C:\\pictures\\x.png", "a"),
        ("![a](file:///x.png)", "file:///x.png", "a"),
        (f"![a]({DATA})", short_form(DATA), "a"),
        (f"![a]({DATA.replace('iVBO', 'iVBO' * 2_000)})", short_form(DATA.replace("iVBO", "iVBO" * 2_000)), "a"),
        ("- ![a](x.png)", "x.png", "a"),
        ("> ![a](x.png)", "x.png", "a"),
        ("Text\n![a](x.png)\ntext", "x.png", "a"),
    ],
)
def test_every_way_to_name_a_picture(text: str, address: str, alt: str) -> None:
    reference = one(f"## A\n\n{text}")
    assert (reference.address, reference.alt) == (address, alt)
    assert reference.line == (4 if text.startswith("Text") else 3)


@pytest.mark.parametrize(
    "text",
    [
        "`![a](x.png)`",
        "```\n![a](x.png)\n```",
        "    ![a](x.png)",
        "<!-- ![a](x.png) -->",
        "\\![a](x.png)",
        "![[Another note]]",
        "![[x.pdf]]",
        "<img alt=x>",
        "<imgs src=x.png>",
        "a < img src=x.png >",
        "![a]()",
        "with ![a](x.png) inside",
        "| a |\n|---|\n| ![a](x.png) |",
        "![drawing](x.svg)",
        "![drawing](data:image/svg+xml,%3Csvg%3E)",
    ],
)
def test_what_needs_no_asset(text: str) -> None:
    assert found(f"## A\n\n{text}") == []


def test_lines_are_those_of_the_file() -> None:
    text = (
        "---\ntitle: x\n---\n\n# A\n\n<!-- a\nb -->\n![1](9)\n\ntext `a\nb`\n![2](13)\n\n| a |\n|---|\n\n"
        "> - text\n>\n>   ![3](20)\n\n<img\n  src=22> <img src=23>\n\n" + "word " * 900 + f"\n![4]({26})\n![5](27)\n"
    )
    assert [(line, int(address)) for line, address in found(text)] == [(n, n) for n in (9, 13, 20, 22, 23, 26, 27)]


def test_assets_that_a_request_names_are_shown_in_order() -> None:
    text = '## A\n\nBefore\n![x](a.png "fit=cover")\nafter\n\n![y](b "A title") ![](c.mp4 "clip sound=off")\n'
    named = (PictureAsset("a.png", ASSET), PictureAsset("b", OTHER, "clip"), PictureAsset("c.mp4", ASSET))
    pictures, texts, codes = shown(text, *named)
    assert [(block.kind, block.asset, block.alt) for block in pictures] == [
        ("image", ASSET, "x"),
        ("clip", OTHER, "y"),
        ("clip", ASSET, ""),
    ]
    assert isinstance(pictures[0], Image)
    assert isinstance(pictures[2], Clip)
    assert (pictures[0].fit, pictures[2].sound) == ("cover", False)
    assert (texts[-2:], codes) == (["Before", "after"], [])
    assert shown("![](x.png 'A title')", PictureAsset("x.png", ASSET))[0][0].alt == "A title"
    assert shown("![x](x.svg)", PictureAsset("x.svg", ASSET))[0][0].asset == ASSET
    assert shown("![x](https://img.shields.io/a)", PictureAsset("https://img.shields.io/a", ASSET))[0][0].alt == "x"
    with pytest.raises(ScriptError, match="line 1 has the unknown option 'fit=wide'"):
        shown("![x](x.png 'fit=wide')", PictureAsset("x.png", ASSET))


def test_pictures_of_which_the_description_is_shown_are_told() -> None:
    pictures, texts, codes = shown("## A\n\nSee ![the river](x.png) here.\n\n![The logo](logo.svg)")
    assert (pictures, texts[1:]) == ([], ["See the river here.", "The logo"])
    assert codes == ["picture_as_text", "picture_as_text"]


@pytest.mark.parametrize(
    ("address", "kind", "host"),
    [
        ("asset:x", "asset", ""),
        ("img/x.png", "path", ""),
        ("C:/x.png", "path", ""),
        ("FILE:///x.png", "path", ""),
        ("https://User@Example.ORG:80/x", "url", "example.org"),
        ("//cdn.example.org/x", "url", "cdn.example.org"),
        ("http://[", "url", ""),
        ("data:,x", "data", ""),
        ("cid:part", "other", ""),
    ],
)
def test_what_an_address_is(address: str, kind: str, host: str) -> None:
    assert (kind_of(address), host_of(address)) == (kind, host)


def test_data_has_a_short_form_and_comes_back() -> None:
    text = f"![a]({DATA})\n\n```\n{DATA}\n```\n\n<img src='{DATA}'> {DATA}x"
    made, embedded = without_data(text)
    assert made.count(DATA) == 1, "that in code"
    assert without_data(made) == (made, {})
    assert with_data(made, embedded) == text
    assert PurePosixPath(short_form(DATA)).name == short_form(DATA)


@pytest.mark.parametrize(
    ("text", "picture", "texts"),
    [
        ("```{figure} i/a.png\n:alt: A [b] c\n:width: 9%\n\nThe *caption*.\n\nMore.\n```", Image(ASSET, "A [b] c"),
         ["The caption.", "More."]),
        (":::{figure} i/a.png\n:name: x\nThe caption.\n:::", Image(ASSET), ["The caption."]),
        ("```{image} i/a.png\n:alt: A\n:align: center\n```", Image(ASSET, "A"), []),
        (":::{image} i/a.png\n:::", Image(ASSET), []),
        ("```{video} i/a.png\n```", Image(ASSET), []),
        ("````{figure-md} name\n![A](i/a.png)\n\nThe caption.\n````", Image(ASSET, "A"), ["The caption."]),
        ("![A](i/a.png){width=50%}", Image(ASSET, "A"), []),
        ("![A](i/a.png){#fig:a .b width=\"50%\"}\n", Image(ASSET, "A"), []),
        ("<figure><img src='i/a.png' alt='A'><figcaption>The caption.</figcaption></figure>", Image(ASSET, "A"),
         ["The caption."]),
    ],
)  # fmt: skip
def test_figures_of_other_tools_are_pictures_with_their_captions(text: str, picture: Image, texts: list[str]) -> None:
    text = f"# T\n\n{text}\n"
    assert [address for _, address in found(text)] == ["i/a.png"]
    (image,), shown_texts, codes = shown(text, PictureAsset("i/a.png", ASSET))
    assert evolve(image, step=0) == picture
    assert [each for each in shown_texts if each != "T"] == texts
    assert codes == []


def test_a_figure_stands_in_boxes_and_lists() -> None:
    text = "::::{note}\n:::{figure} a.png\nOne.\n:::\n::::\n\n- item\n\n  ```{figure} b.png\n  Two.\n  ```\n"
    assert found(text) == [(2, "a.png"), (9, "b.png")]
