"""Footnotes of Markdown: numbered as they appear, once at the foot of the section that refers to them."""

from handlers.generation.script.content import Block, Footnote, Footnotes, Note, Paragraph, Span
from handlers.generation.script.markdown import parse_sections


def _bodies(text: str) -> list[tuple[Block | Note, ...]]:
    return [section.body for section in parse_sections(text)]


def test_a_note_stands_at_the_foot_of_its_section() -> None:
    (body,) = _bodies("The price is 15 euros.[^1]\n\n[^1]: Since the *first* of May.\n\nMore.\n")
    assert isinstance(body[0], Paragraph)
    assert body[0].sentences[0].spans == (Span("The price is 15 euros."), Span("1", "note"))
    note = Footnote("1", (Span("Since the "), Span("first", italic=True), Span(" of May.")))
    assert body[2] == Footnotes((note,))


def test_notes_are_numbered_as_they_appear_and_stand_once() -> None:
    source = "# A\n\nx[^b] y[^a]\n\n# B\n\nz[^b]\n\n[^a]: Ay.\n[^b]: Bee.\n"
    first, second = _bodies(source)
    assert first[-1] == Footnotes((Footnote("1", (Span("Bee."),)), Footnote("2", (Span("Ay."),))))
    assert len(second) == 1


def test_a_note_has_several_paragraphs_and_lazy_lines() -> None:
    (body,) = _bodies("x[^n]\n\n[^n]: One\ntwo.\n\n    Three.\n\nText.\n")
    assert body[-1] == Footnotes((Footnote("1", (Span("One two."), Span("\n"), Span("Three."))),))
    assert isinstance(body[1], Paragraph)


def test_a_reference_without_a_definition_is_text() -> None:
    (body,) = _bodies("x[^1] y\n")
    assert isinstance(body[0], Paragraph)
    assert body[0].sentences[0].spans == (Span("x[^1] y"),)


def test_a_note_that_nothing_refers_to_is_not_at_the_foot() -> None:
    (body,) = _bodies("x\n\n[^1]: Nobody.\n")
    assert len(body) == 1
