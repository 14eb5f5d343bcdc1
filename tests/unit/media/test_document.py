"""Scene documents: strict to read, friendly to write, and what is written reads back as the same."""

from __future__ import annotations

from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventflow.requests.json_reader import read_value
from handlers.generation.errors import DocumentError, ScriptError
from handlers.generation.script.blockjson import text_json
from handlers.generation.script.blocks import Inline
from handlers.generation.script.content import (
    Bullets,
    Chart,
    Clip,
    Code,
    Columns,
    Diagram,
    Image,
    Line,
    Paragraph,
    Scene,
    Span,
    Table,
)
from handlers.generation.script.document import read_document, read_scenes, scenes_schema, write_document
from handlers.generation.script.merge import UnknownField
from handlers.generation.script.script import parse_script
from tests.unit.media.test_script import DECK

ASSET = "as_" + "0123456789abcdef" * 2


SCHEMA = jsonschema.Draft202012Validator(scenes_schema())


def scenes_of(*scenes: Any, **more: Any) -> tuple[Scene, ...]:
    return read_scenes({"version": 1, "scenes": list(scenes), **more}).scenes


def wrong(document: Any) -> dict[str, str]:
    """Pointer -> code of everything that is wrong."""
    with pytest.raises(DocumentError) as caught:
        read_scenes(document)
    return {fault.pointer: fault.code for fault in caught.value.faults}


def wrong_scene(scene: Any) -> dict[str, str]:
    return wrong({"version": 1, "scenes": [scene]})


def lines(scene: Scene) -> list[tuple[int, str]]:
    return [(line.step, line.text) for line in scene.lines]


def test_every_layout_and_block_can_be_written_by_hand() -> None:
    blocks = [
        "A paragraph. Of *two* sentences.",
        {"kind": "heading", "text": "Part"},
        {"kind": "bullets", "items": ["one **bold**", {"text": "two `code`", "depth": 1}], "ordered": True},
        {"kind": "code", "language": "python", "code": "a = 1\nb = 2\n\nc = 3", "highlight": "1,3-4"},
        {"kind": "table", "header": ["a", "b"], "rows": [["1", "$x^2$"], ["2"]]},
        {"kind": "math", "latex": "E = mc^2"},
        {"kind": "quote", "text": "Know thyself.", "source": "Delphi"},
        {"kind": "image", "asset": f"asset:{ASSET}", "alt": "A cat", "fit": "cover", "motion": "zoom"},
        {"kind": "clip", "asset": ASSET, "sound": False},
        {"kind": "chart", "style": "line", "labels": ["a", "b"], "series": [{"name": "n", "values": [1, None]}]},
        {"kind": "diagram", "source": "graph LR\n  A --> B"},
        {"kind": "columns", "left": ["Left."], "right": [{"kind": "code", "code": "right"}]},
    ]
    made = scenes_of(
        {"layout": "title", "title": "Hello", "blocks": ["A subtitle."]},
        {"layout": "section", "title": "One"},
        *[{"title": "Two", "blocks": [block]} for block in blocks],
        {"layout": "image", "blocks": [{"kind": "image", "asset": ASSET}, "On it."]},
        {"layout": "outro", "title": "Thank you"},
    )
    assert [s.layout for s in made] == [
        "title",
        "section",
        *["content"] * 6,
        "quote",
        *["content"] * 5,
        "image",
        "outro",
    ]
    shown = [scene.blocks[0] for scene in made[2:14]]
    assert shown[0] == Paragraph(shown[0].sentences)
    assert [s.step for s in shown[0].sentences] == [1, 2]
    assert shown[3] == Code("python", "a = 1\nb = 2\n\nc = 3", 1, (1, 3, 4))
    assert isinstance(shown[4], Table)
    assert shown[7] == Image(ASSET, "A cat", "cover", "zoom", 1)
    assert shown[8] == Clip(ASSET, "", False, 1)
    assert isinstance(shown[9], Chart)
    assert shown[9].series[0].values == (1.0, None)
    assert shown[10] == Diagram("graph LR\n  A --> B", 1)
    assert isinstance(shown[11], Columns)
    assert made[9].assets == (ASSET,)


def test_without_narration_it_is_said_as_a_script_says_it() -> None:
    (scene,) = scenes_of({"title": "Why", "blocks": [{"kind": "bullets", "items": ["one", "two"]}]})
    assert lines(scene) == [(0, "Why"), (1, "one"), (2, "two")]
    (chart,) = scenes_of(
        {"blocks": [{"kind": "chart", "style": "pie", "title": "Shares", "labels": ["a"], "series": [{"values": [1]}]}]}
    )
    assert lines(chart) == [(0, "This chart shows Shares.")]


BULLETS = {"title": "T", "blocks": [{"kind": "bullets", "items": ["a", "b", "c"]}]}


@pytest.mark.parametrize(
    ("narration", "told", "steps"),
    [
        (["t", "a", "b", "c"], [(0, "t"), (1, "a"), (2, "b"), (3, "c")], [1, 2, 3]),
        (["t", "a"], [(0, "t"), (1, "a")], [1, 1, 1]),
        (["t", {"text": "ab", "reveal": 2}, "c", "more"], [(0, "t"), (1, "ab"), (2, "c"), (2, "more")], [1, 1, 2]),
        ("All at once.", [(0, "All at once.")], [0, 0, 0]),
        ("First half. Second half.", [(0, "First half."), (1, "Second half.")], [0, 1, 1]),
        ([], [(0, "")], [0, 0, 0]),
        ("Aa. Bb. Cc. Dd. Ee.", [(0, "Aa."), (0, "Bb."), (1, "Cc."), (2, "Dd."), (3, "Ee.")], [1, 2, 3]),
    ],
)
def test_narration_is_tied_to_reveals(narration: Any, told: list[tuple[int, str]], steps: list[int]) -> None:
    (scene,) = scenes_of({**BULLETS, "narration": narration})
    assert lines(scene) == told
    block = scene.blocks[0]
    assert isinstance(block, Bullets)
    assert [item.step for item in block.items] == steps


def test_a_long_scene_goes_over_pages_with_its_narration() -> None:
    items = [f"item number {n}" for n in range(30)]
    said = ["Head.", *(f"Line {n}." for n in range(30))]
    made = scenes_of({"title": "Many", "blocks": [{"kind": "bullets", "items": items}], "narration": said})
    assert len(made) > 1
    assert [line.text for scene in made for line in scene.lines if line.text] == said
    assert [lines(scene)[0] for scene in made[1:]] == [(0, "")] * (len(made) - 1)
    assert {scene.parts for scene in made} == {len(made)}


def test_words_alone_are_spoken_over_the_title_of_the_video() -> None:
    (scene,) = scenes_of({"narration": "Hello there."}, title="Deck")
    assert (scene.layout, scene.heading, scene.lines) == ("section", (Span("Deck"),), (Line(0, "Hello there."),))


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (None, {"": "wrong_type"}),
        ({}, {"": "required"}),
        ({"version": 2, "scenes": [{"title": "x"}]}, {"/version": "unknown_value"}),
        ({"version": 1, "scenes": []}, {"/scenes": "empty"}),
        ({"version": 1, "scenes": [{"title": "x"}] * 301}, {"/scenes": "out_of_range"}),
        ({"version": 1, "scenes": [{"title": "x"}], "sceens": 1}, {"/sceens": "unknown_field"}),
        ({"version": 1, "scenes": [7, {}]}, {"/scenes/0": "wrong_type", "/scenes/1": "empty"}),
    ],
)
def test_a_document_that_is_none_is_refused(document: Any, found: dict[str, str]) -> None:
    assert wrong(document) == found


@pytest.mark.parametrize(
    ("scene", "found"),
    [
        ({"titel": "x", "title": "y"}, {"/scenes/0/titel": "unknown_field"}),
        ({"a/b~c": 1, "title": "y"}, {"/scenes/0/a~1b~0c": "unknown_field"}),
        ({"layout": "poster", "title": "y"}, {"/scenes/0/layout": "unknown_value"}),
        ({"layout": "section", "title": "y", "blocks": ["x"]}, {"/scenes/0/layout": "layout"}),
        ({"layout": "title", "title": "y", "blocks": ["x " * 400]}, {"/scenes/0/layout": "too_long"}),
        ({"layout": "image", "blocks": ["x"]}, {"/scenes/0/layout": "layout"}),
        ({"title": "x" * 301}, {"/scenes/0/title": "too_long"}),
        ({"title": "a\x07"}, {"/scenes/0/title": "control_character"}),
        ({"title": "\ud800"}, {"/scenes/0/title": "control_character"}),
        ({"blocks": [{"kind": "video"}]}, {"/scenes/0/blocks/0/kind": "unknown_value"}),
        ({"blocks": [{"text": "x"}]}, {"/scenes/0/blocks/0": "required"}),
        ({"blocks": [3]}, {"/scenes/0/blocks/0": "wrong_type"}),
        ({"blocks": [" "]}, {"/scenes/0/blocks/0": "empty"}),
        ({"blocks": [{"kind": "bullets", "items": []}]}, {"/scenes/0/blocks/0/items": "empty"}),
        (
            {"blocks": [{"kind": "bullets", "items": ["a", {"text": "b", "depth": 5}]}]},
            {"/scenes/0/blocks/0/items/1/depth": "out_of_range"},
        ),
        (
            {"blocks": [{"kind": "code", "code": "a", "highlight": [2]}]},
            {"/scenes/0/blocks/0/highlight/0": "out_of_range"},
        ),
        (
            {"blocks": [{"kind": "code", "code": "a", "highlight": "1-9"}]},
            {"/scenes/0/blocks/0/highlight": "out_of_range"},
        ),
        ({"blocks": [{"kind": "image", "asset": "../../etc/passwd"}]}, {"/scenes/0/blocks/0/asset": "malformed"}),
        (
            {"blocks": [{"kind": "chart", "style": "pie", "labels": ["a", "b"], "series": [{"values": [1]}]}]},
            {"/scenes/0/blocks/0": "chart"},
        ),
        ({"blocks": [{"kind": "diagram", "source": "gantt"}]}, {"/scenes/0/blocks/0/source": "malformed"}),
        (
            {"blocks": [{"kind": "columns", "left": ["x"], "right": [{"kind": "clip", "asset": ASSET}]}]},
            {"/scenes/0/blocks/0/right/0": "not_here"},
        ),
        ({"title": "x", "narration": 3}, {"/scenes/0/narration": "wrong_type"}),
        ({"title": "x", "narration": [{"reveal": 0}]}, {"/scenes/0/narration/0": "required"}),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_place(scene: Any, found: dict[str, str]) -> None:
    assert wrong_scene(scene) == found


@pytest.mark.parametrize("latex", ["a \times b", "\nu", "\rho", "x\r\ny"])
def test_a_formula_whose_backslash_json_has_taken_is_a_fault(latex: str) -> None:
    with pytest.raises(DocumentError, match="a backslash is written twice") as caught:
        read_scenes({"version": 1, "scenes": [{"blocks": [{"kind": "math", "latex": latex}]}]})
    assert [fault.pointer for fault in caught.value.faults] == ["/scenes/0/blocks/0/latex"]


def test_a_formula_in_several_lines_of_a_script_is_written_in_one() -> None:
    for script in ("# A\n\n$$\na\n+ b\n$$\n", "# A\n\n```math\na\n+ b\n```\n"):
        planned = parse_script(script)
        assert read_scenes(write_document(planned)).scenes == planned.scenes
        assert [block.source for block in planned.scenes[0].blocks if block.kind == "math"] == ["a + b"]


def test_a_flood_of_faults_is_answered_in_bounds() -> None:
    assert len(wrong({"version": 1, "scenes": [{f"field{n}": n for n in range(10_000)}]})) == 50


def test_all_texts_together_are_limited() -> None:
    found = wrong({"version": 1, "scenes": [{"blocks": ["x" * 20_000]} for _ in range(30)]})
    assert found == {"/scenes/25/blocks/0": "too_long"}


def test_merge_fields_reach_every_text_and_are_never_markup() -> None:
    chart = {"kind": "chart", "style": "bar", "labels": ["{{x}}"], "series": [{"name": "{{x}}", "values": [1]}]}
    scene = {"title": "Hi {{x}}", "blocks": ["For **{{ x }}**.", chart], "narration": ["Dear {{x}}"]}
    (made,) = read_scenes({"version": 1, "scenes": [scene]}, merge={"x": "*Ada* {{y}} $1$"}).scenes
    value = "*Ada* {{y}} $1$"
    assert made.heading == (Span(f"Hi {value}"),)
    assert made.blocks[0].sentences[0].spans == (Span("For "), Span(value, bold=True), Span("."))
    assert made.blocks[1].labels == (value,)
    assert made.lines[0].text == f"Dear {value}"
    with pytest.raises(UnknownField, match=r"merge field \{\{x\}\}"):
        read_scenes({"version": 1, "scenes": [scene]})


def test_broken_json_is_an_error() -> None:
    with pytest.raises(DocumentError, match="valid JSON"):
        read_document("{")


def same_again(document: Any) -> None:
    script = read_scenes(document)
    written = write_document(script)
    assert read_document(orjson.dumps(written)) == script
    assert write_document(read_document(orjson.dumps(written))) == written


def test_a_script_survives_the_way_there_and_back() -> None:
    for text in (DECK, "Just text. And more.\n\nOf it.", "Note: only words", "# 1. A\\*b\n\n## [x](y) `a``b`\n\n- <b>"):
        script = parse_script(text)
        assert read_document(orjson.dumps(write_document(script))) == script


SPANS = st.lists(
    st.builds(
        Span,
        st.text("ab *_`$\\[]!<&~{}.A\u00a0é漢", min_size=1, max_size=6),
        st.sampled_from(["text", "text", "code", "math"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=5,
).map(tuple)


@given(SPANS)
@settings(max_examples=150, deadline=None)
def test_any_text_reads_back_as_it_was(spans: tuple[Span, ...]) -> None:
    assert read_value(text_json(spans), Inline().read) == spans


TEXT = st.text("ab *_`$\\.AB\n漢", min_size=1, max_size=40).filter(lambda text: bool(read_value(text, Inline().read)))
LONG = st.integers(1, 900).map(lambda n: ("Some words. " * (n // 12 + 1))[:n])
TEXTS = TEXT | LONG
NUMBERS = st.none() | st.integers(-9, 9) | st.floats(-1e9, 1e9)
CELLS = st.one_of(
    TEXTS,
    st.fixed_dictionaries({"kind": st.just("heading"), "text": TEXT}),
    st.fixed_dictionaries(
        {"kind": st.just("bullets"), "items": st.lists(TEXTS | st.fixed_dictionaries(
            {"text": TEXTS}, optional={"depth": st.integers(0, 2), "number": st.integers(0, 99)}
        ), min_size=1, max_size=12)},
        optional={"ordered": st.booleans()},
    ),
    st.fixed_dictionaries({"kind": st.just("code"), "code": st.text("ab\n\t ", min_size=1, max_size=300)}),
    st.fixed_dictionaries({"kind": st.just("table"), "header": st.lists(TEXT, max_size=9),
                           "rows": st.lists(st.lists(TEXT, max_size=9), max_size=12)}),
    st.fixed_dictionaries({"kind": st.just("quote"), "text": TEXTS}, optional={"source": TEXT}),
    st.fixed_dictionaries({"kind": st.just("image"), "asset": st.just(ASSET)}, optional={"alt": TEXT}),
    st.fixed_dictionaries({"kind": st.just("chart"), "style": st.sampled_from(["bar", "line"]),
                           "labels": st.just(["a", "b"]),
                           "series": st.just([{"name": "x", "values": [1, None]}])}, optional={"title": TEXT}),
)  # fmt: skip
BLOCKS = CELLS | st.fixed_dictionaries(
    {"kind": st.just("columns"), "left": st.lists(CELLS, min_size=1, max_size=3),
     "right": st.lists(CELLS, min_size=1, max_size=2)}
)  # fmt: skip
SAID = st.one_of(TEXT, st.lists(TEXT | st.fixed_dictionaries({"text": TEXT, "reveal": st.integers(0, 9)}), max_size=6))
SCENES = st.fixed_dictionaries(
    {"blocks": st.lists(BLOCKS, min_size=1, max_size=6)}, optional={"title": TEXT, "narration": SAID}
)


@given(st.lists(SCENES, min_size=1, max_size=2))
@settings(max_examples=80, deadline=None)
def test_any_document_reads_back_as_it_was(scenes: list[Any]) -> None:
    same_again({"version": 1, "scenes": scenes})
    SCHEMA.validate(scenes)
    SCHEMA.validate(write_document(read_scenes({"version": 1, "scenes": scenes}))["scenes"])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["kind", "text", "items", "scenes", "blocks", "title", "version", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES | st.fixed_dictionaries({"version": st.just(1), "scenes": st.lists(JSON_VALUES, max_size=3)}))
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_script_or_an_error(value: Any) -> None:
    try:
        read_scenes(value)
    except ScriptError as error:
        str(error).encode()
