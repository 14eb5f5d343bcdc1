"""Footnotes of Markdown: numbered as they appear, once at the foot of the section that refers to them."""

from handlers.generation.script.content import Block, Footnote, Footnotes, Note, Paragraph, Span
from handlers.generation.script.inline import plain
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


def test_a_note_may_stand_in_the_place_of_its_reference() -> None:
    (body,) = _bodies("A b^[About *b*, see [there](x).] and cats.^[Two.] More here.\n")
    assert isinstance(body[0], Paragraph)
    assert [plain(sentence.spans) for sentence in body[0].sentences] == ["A b1 and cats.2", "More here."]
    assert isinstance(body[1], Footnotes)
    assert [(note.label, plain(note.spans)) for note in body[1].notes] == [("1", "About b, see there."), ("2", "Two.")]


def test_the_number_of_a_note_does_not_hide_the_end_of_a_sentence() -> None:
    (body,) = _bodies("It costs 15 euros.[^1] The next one is here.\n\n[^1]: Since May.\n")
    assert isinstance(body[0], Paragraph)
    assert len(body[0].sentences) == 2
