"""What our Markdown has beyond the usual, and what becomes of hostile text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.generation.errors import ScriptError
from handlers.generation.model import Brief, Style, Voice
from handlers.generation.script.chartdata import read_rows
from handlers.generation.script.content import Bullets, Chart, Clip, Code, Columns, Image, Paragraph, Scene, Series
from handlers.generation.script.frontmatter import FrontMatter, split_front_matter
from handlers.generation.script.inline import parse_inline
from handlers.generation.script.merge import UnknownField
from handlers.generation.script.script import parse_script, with_front_matter

ASSET = "as_" + "0123456789abcdef" * 2


def only(text: str) -> Scene:
    (scene,) = parse_script(text).scenes
    return scene


def fails(text: str, match: str, **merge: str) -> None:
    with pytest.raises(ScriptError, match=match):
        parse_script(text, merge=merge)


def test_front_matter_is_about_the_whole_video() -> None:
    looks = "# a comment\nTheme: midnight\nvoice: de\nrate: 1.5\naspect: 9:16"
    text = f'---\ntitle: "A: b"\n{looks}\nmusic: asset:{ASSET}\n---\nHi.'
    opened = split_front_matter(text)
    assert opened.front == FrontMatter(
        title="A: b", theme="midnight", voice="de", narrated=True, rate=1.5, aspect="9:16", captions=None, music=ASSET
    )
    assert opened.body == "\n" * 9 + "Hi."
    assert parse_script(text).title == "A: b"


@pytest.mark.parametrize(
    "text", ["---\n\n# Hi\n\n---\n", "---\nJust text\n---\n", "---\nkey: value\n", "# Hi\n---\na: b\n---"]
)
def test_rules_and_headings_are_no_front_matter(text: str) -> None:
    opened = split_front_matter(text)
    assert (opened.front, opened.body) == (FrontMatter(), text)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("tittle: x", "line 3.*unknown key 'tittle'; did you mean title"),
        ("voice: a b", "line 3: voice"),
        ("rate: 9", "from 0.5 to 2.0, not '9'"),
        ("aspect: 4:3", "one of 16:9, 9:16, 1:1"),
        ("captions: maybe", "yes, no or burned"),
        ("music: song.mp3", "id of an audio asset"),
        ("no colon here", "line 3 of the front matter"),
        ("title: again", "more than once"),
        ("theme: ../x", "name of a theme"),
    ],
)
def test_front_matter_that_is_wrong_is_named(line: str, match: str) -> None:
    fails(f"---\ntitle: x\n{line}\n---\n# Hi", match)


def test_what_a_request_says_counts_more_than_front_matter() -> None:
    front = FrontMatter(
        title=None, theme="paper", voice="de", narrated=True, rate=1.5, aspect="9:16", captions="burned", music=ASSET
    )
    assert with_front_matter(Brief(), front) == (
        Voice("de", 1.5),
        Style(theme="paper", aspect="9:16", burned=True, music=ASSET),
    )
    said = Brief(
        voice=Voice("fr", 0.7), style=Style(theme="midnight", aspect="1:1", narrated=False, music="x", captions=False)
    )
    assert with_front_matter(said, front) == (said.voice, said.style)
    explicit = Brief(
        explicit_defaults=frozenset({"voice", "voice.name", "voice.rate", "theme", "aspect", "captions", "music"})
    )
    assert with_front_matter(explicit, front) == (Voice(), Style())
    silent = FrontMatter(narrated=False, captions="none", music="")
    assert with_front_matter(Brief(), silent) == (Voice(), Style(narrated=False, captions=False))
    assert with_front_matter(explicit, silent) == (Voice(), Style())


def test_a_picture_alone_in_a_paragraph_is_shown() -> None:
    scene = only(f'## A\n\nText.\n\n![The *alt*](asset:{ASSET} "motion=pan")\n\nNote: Look.')
    assert scene.blocks[1] == Image(ASSET, "The alt", "contain", "pan", 2)
    assert [line.text for line in scene.lines] == ["A", "Text.", "", "Look."]
    assert only(f'## A\n\n![](asset:{ASSET} "fit=cover")\n').layout == "image"
    assert only(f'## A\n\n![x](asset:{ASSET} "clip sound=off")').blocks == (Clip(ASSET, "x", False, 1),)
    assert len(parse_script(f"## A\n\n![x](asset:{ASSET})\n![y](asset:{ASSET})").scenes) == 2
    assert isinstance(only("## A\n\nwith ![alt](http://x/y.png) inside").blocks[0], Paragraph)


@pytest.mark.parametrize(
    ("picture", "match"),
    [
        ("![x](http://example.org/y.png)", "line 3: .*EVENTFLOW_ASSET_URLS"),
        ("![x](asset:nope)", "not the id of an asset"),
        (f'![x](asset:{ASSET} "fit=stretch")', "fit=contain|cover"),
        (f'![x](asset:{ASSET} "clip motion=zoom")', "sound=on|off"),
    ],
)
def test_pictures_that_are_wrong_are_named(picture: str, match: str) -> None:
    fails(f"## A\n\n{picture}", match)


def test_charts_are_drawn_from_lines() -> None:
    scene = only(
        '## A\n\n```chart line title="Growth, *fast*" unit=%\nYear, A, "B, b"\n2023, 1_000, -\n2024, −2.5%, 3e2\n```'
    )
    chart = scene.blocks[0]
    assert isinstance(chart, Chart)
    assert (chart.style, chart.labels, chart.unit) == ("line", ("2023", "2024"), "%")
    assert chart.series == (Series("A", (1000.0, -2.5)), Series("B, b", (None, 300.0)))
    assert scene.lines[1].text == "This chart shows Growth, fast."
    assert read_rows("a, 1\nb, 2") == (("a", "b"), (Series("", (1.0, 2.0)),))


@pytest.mark.parametrize(
    ("chart", "match"),
    [
        ("```chart\na, 1\n```", "line 3 has no style"),
        ("```chart cake\na, 1\n```", "'cake' is not understood"),
        ('```chart bar title="x\na, 1\n```', "quote"),
        ("```chart bar\n```", "there is no data"),
        ("```chart bar\nabc\n```", "comma"),
        ("```chart bar\na, 1\nb, many\n```", "'many' .at 'b'. is not a number"),
        ("```chart pie\na, 1, 2\n```", "exactly one series"),
        ("```chart pie\na, -1\n```", "not negative"),
        ("```chart bar\na, 1e300\n```", "numbers up to"),
        ("```chart bar\na, -\n```", "no value"),
        ("```chart bar\n" + "a, 1\n" * 49 + "```", "1 to 48 labels"),
    ],
)
def test_charts_that_are_wrong_are_named(chart: str, match: str) -> None:
    fails(f"## A\n\n{chart}", match)


def test_lines_of_a_listing_can_matter() -> None:
    def highlight(info: str, text: str = "a\nb\nc\nd") -> tuple[int, ...]:
        block = only(f"## A\n\n```{info}\n{text}\n```").blocks[0]
        assert isinstance(block, Code)
        assert block.language in ("python", "")
        return block.highlight

    assert highlight("python {2,4-9}") == (2, 4)
    assert highlight("python{1}") == (1,)
    assert highlight("{1-99999}") == (1, 2, 3, 4)
    assert highlight("python {.numberLines}") == ()
    assert highlight("python {3}", "\n\nc\nd") == (1,)


def test_highlighted_lines_stay_so_on_every_page() -> None:
    code = "\n".join(f"line {n}" for n in range(1, 41))
    script = parse_script(f"## A\n\n```python {{1,20-21,40}}\n{code}\n```")
    marked = [
        block.text.split("\n")[line - 1]
        for scene in script.scenes
        for block in scene.blocks
        if isinstance(block, Code)
        for line in block.highlight
    ]
    assert marked == ["line 1", "line 20", "line 21", "line 40"]


def test_columns_stand_beside_each_other() -> None:
    scene = only("## A\n\n:::columns\n- one\n- two\n:::right\n### H\n\nText.\n\nNote: More.\n:::\n\nAfter.")
    columns, after = scene.blocks
    assert isinstance(columns, Columns)
    left = columns.left[0]
    assert isinstance(left, Bullets)
    assert [item.step for item in left.items] == [1, 2]
    assert [block.kind for block in columns.right] == ["heading", "paragraph"]
    assert [line.text for line in scene.lines] == ["A", "one", "two", "H", "Text.", "More.", "After."]
    assert isinstance(after, Paragraph)


def test_an_outro_is_the_last_page() -> None:
    script = parse_script("# A\n\nHi.\n\n:::outro\n## Bye\n\nSee you.\n:::\n\nText after it.")
    assert [(scene.layout, scene.title) for scene in script.scenes] == [
        ("title", "A"), ("outro", "Bye"), ("content", "Text after it."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (":::columns\na\n:::right\nb", "line 1 don't end"),
        (":::columns\na\n:::", "need something in both"),
        (":::right\na", "line 1: :::right is misplaced"),
        ("a\n\n:::", "line 3: ::: is misplaced"),
        (":::columns\na\n\n---\n\nb\n:::", "line 4"),
        (":::colums\na\n:::", "line 1: unknown marker :::colums; did you mean :::columns"),
        (":::outro\n# A\n\n- b\n:::", "no bullets"),
        (":::outro\na\n:::", "begins with a heading"),
        (f':::columns\n![x](asset:{ASSET} "clip")\n:::right\nb\n:::', "clip can't stand"),
    ],
)
def test_containers_that_are_wrong_are_named(text: str, match: str) -> None:
    fails(text, match)


def test_merge_fields_are_filled_in_after_parsing() -> None:
    script = parse_script(
        "# Hi {{ name }}\n\n**{{name}}** and `{{name}}` and `{{other}}` and $x_{{n}}$", merge={"name": "# *A*"}
    )
    spans = script.scenes[0].blocks[0].sentences[0].spans
    assert script.title == "Hi # *A*"
    assert [(s.text, s.kind) for s in spans] == [
        ("# *A*", "text"), (" and ", "text"), ("# *A*", "code"), (" and ", "text"), ("{{other}}", "code"),
        (" and ", "text"), ("x_{{n}}", "math"),
    ]  # fmt: skip
    with pytest.raises(UnknownField, match=r"\{\{nobody\}\}.*available: name"):
        parse_script("Dear {{nobody}}", merge={"name": "x"})


#: Not one of these takes time or memory out of proportion, whatever they end in.
HOSTILE = {
    "giant word": "a" * 200_000,
    "brackets": "[" * 200_000,
    "pictures": "![" * 100_000,
    "emphasis": "**a*" * 50_000,
    "ticks": "` " * 100_000,
    "backslashes": "\\" * 200_000,
    "open formulas in lists": "- $$\n" * 5_000,
    "bullets": "- item\n" * 10_000,
    "quotes": ">" * 100_000,
    "lists in lists": "- " * 100_000,
    "zero width": "\u200b" * 200_000,
    "both directions": "\u202eabc\u202c " * 20_000,
    "lines": "x\n" * 100_000,
    "columns": ":::columns\n" * 10_000,
    "headings": "# a\n" * 5_000,
    "heading": "# " + "a" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(30)
def test_hostile_text_is_a_script_or_a_clear_error(name: str) -> None:
    scenes: tuple[Scene, ...] = ()
    said = ""
    try:
        scenes = parse_script(HOSTILE[name]).scenes
    except ScriptError as error:
        said = str(error)
    assert len(scenes) <= 300
    assert scenes or 10 < len(said) < 300


def test_text_that_is_markup_for_the_most_part_is_shown_as_it_is_written() -> None:
    noise = "![a]*" * 100
    assert [span.text for span in parse_inline(noise)] == [noise]
    assert len(parse_inline("**bold** words and `code` in a text of usual length. " * 50)) > 50


@given(
    st.lists(
        st.sampled_from(
            [":::columns\n", ":::right\n", ":::\n", ":::outro\n", "# h\n", "- b\n", "text\n", "\n", "```chart bar\n",
             "```\n", "a, 1\n", "```py {1-3}\n", f"![x](asset:{ASSET})\n", "{{x}}", "---\n", "title: x\n", "> q\n"]
        ),
        max_size=20,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_of_it_is_a_script_or_a_script_error(text: str) -> None:
    try:
        script = parse_script(text, merge={"x": "y"})
    except ScriptError:
        return
    for scene in script.scenes:
        assert {line.step for line in scene.lines} == set(range(scene.steps))
