"""A block that can't be drawn is shown as its source, with a warning, and the rest of its page as it should be."""

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from handlers.generation.control import Control, Note, Warned
from handlers.generation.errors import DrawError
from handlers.generation.pages import draw
from handlers.generation.pages.draw import ScenePages, drawn_pages
from handlers.generation.script import formula
from handlers.generation.script.content import (
    Bullet,
    Bullets,
    Chart,
    Code,
    Columns,
    Heading,
    Math,
    Paragraph,
    Quote,
    Scene,
    Sentence,
    Series,
    Span,
    Spans,
    Table,
)
from handlers.generation.script.script import parse_script

DETAIL = 0.1
#: Deeper than typst can draw: refused by the parser, if that isn't kept from it.
DEEP = r"\begin{cases}" * 20 + "x" + r"\end{cases}^2" * 20


HEAD = (Span("Head"),)


@pytest.fixture
def promising(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser takes more than typst can draw."""
    monkeypatch.setattr(formula, "MAX_DEPTH", 100)


def scene_with(*blocks: Any, heading: Spans = HEAD) -> Scene:
    scene = parse_script("# Deck\n\n- one").scenes[0]
    return evolve(scene, layout="content", heading=heading, blocks=blocks)


def text(source: str) -> Spans:
    return (Span(source),)


GOOD = Paragraph((Sentence(text("This is as it should be.")),))
FORMULA = (Span("See "), Span(DEEP, "math"))


@pytest.mark.usefixtures("promising")
@pytest.mark.parametrize(
    ("block", "kind", "plain"),
    [
        (Math(DEEP), "a formula", Code("", DEEP)),
        (Heading(FORMULA), "a heading", Heading((Span("See "), Span(DEEP, "code")))),
        (Bullets((Bullet(FORMULA),)), "a list", Bullets((Bullet((Span("See "), Span(DEEP, "code"))),))),
        (Quote(FORMULA, text("Me")), "a quotation", Quote((Span("See "), Span(DEEP, "code")), text("Me"))),
        (Table((text("a"), text("b")), ((FORMULA, text("c")),)), "a table", Code("", f"a | b\nSee {DEEP} | c")),
        (
            Chart("bar", ("x", "y"), (Series("s", (1.0, 2.5)),), FORMULA, " km"),
            "a chart",
            Code("", f"See {DEEP}\nx | 1 km\ny | 2.5 km"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_block_is_shown_as_its_source(block: object, kind: str, plain: object) -> None:
    notes: list[Note] = []
    shown = drawn_pages(scene_with(block, GOOD), {}, Control(note=notes.append), detail=DETAIL)
    expected = ScenePages(scene_with(plain, GOOD), detail=DETAIL)
    assert np.array_equal(shown.draw(0), expected.draw(0))
    [warning] = notes
    assert isinstance(warning, Warned)
    assert warning.code == "block_as_text"
    assert warning.message.startswith(f"{kind} can't be drawn and is shown as text: ")


@pytest.mark.usefixtures("promising")
def test_in_columns_and_the_heading_only_what_is_at_fault_is_replaced() -> None:
    notes: list[Note] = []
    good = Math("a = b")
    scene = scene_with(Columns((good, Math(DEEP)), (GOOD,)), heading=FORMULA)
    plain = scene_with(Columns((good, Code("", DEEP)), (GOOD,)), heading=(Span("See "), Span(DEEP, "code")))
    shown = drawn_pages(scene, {}, Control(note=notes.append), detail=DETAIL)
    assert np.array_equal(shown.draw(0), ScenePages(plain, detail=DETAIL).draw(0))
    assert [note.message.split(" can't")[0] for note in notes if isinstance(note, Warned)] == ["a heading", "a formula"]


def test_data_that_our_own_code_cannot_lay_out_is_a_block_that_cannot_be_drawn() -> None:
    broken = Chart("bar", ("a",), (Series("s", ("no number",)),))  # type: ignore[arg-type]
    with pytest.raises(DrawError, match="scene 0 can't be drawn"):
        ScenePages(scene_with(broken), detail=DETAIL)


def test_numbers_next_to_nothing_are_drawn() -> None:
    for style in ("bar", "line", "pie"):
        assert ScenePages(scene_with(Chart(style, ("a",), (Series("s", (5e-324,)),))), detail=DETAIL).draw(0).size


def test_a_panic_of_typst_is_an_error_like_others() -> None:
    with pytest.raises(DrawError, match="has crashed"):
        ScenePages(scene_with(GOOD), detail=1e8)


def test_what_cannot_be_drawn_as_text_either_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "_sheets", lambda theme: b'#panic("no sheet")')
    notes: list[Note] = []
    with pytest.raises(DrawError, match=r"scene 0 can't be drawn: .*no sheet") as caught:
        drawn_pages(scene_with(Math("x"), GOOD), {}, Control(note=notes.append))
    assert not caught.value.retryable
    assert notes == []


def test_a_failure_that_has_passed_leaves_the_page_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is refused once, and no block of it alone."""
    sheets, told = draw._sheets, iter([b'#panic("not now")'])
    monkeypatch.setattr(draw, "_sheets", lambda theme: next(told, None) or sheets(theme))
    notes: list[Note] = []
    scene = scene_with(Math("x"), GOOD)
    shown = drawn_pages(scene, {}, Control(note=notes.append), detail=DETAIL)
    assert np.array_equal(shown.draw(0), ScenePages(scene, detail=DETAIL).draw(0))
    assert notes == []
