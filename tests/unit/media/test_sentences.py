"""Where sentences end, by the language of the voice."""

from __future__ import annotations

import unicodedata

import pytest

from handlers.generation.script.content import Callout, Paragraph, Script, Sentence, Span
from handlers.generation.script.document import read_scenes, write_document
from handlers.generation.script.inline import parse_inline, plain
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.script import parse_script
from handlers.generation.script.sentences import sentences

#: (language, sentences), which are one text with blanks between them.
WITH_BLANKS: list[tuple[str, list[str]]] = [
    (
        "de",
        [
            "Am 3. Oktober 1990 war es so weit.",
            "Es gab z. B. Äpfel, d. h. Obst.",
            "Das Haus Nr. 5 kostet ca. 2 Mio. Euro.",
            "Sie kamen u. a. aus Bonn bzw. Köln.",
        ],
    ),
    ("de", ["Der 2. Weltkrieg begann.", "Im 19. Jahrhundert stand es in Kapitel 3.", "Danach folgt mehr."]),
    ("de", ["Siehe S. 5, Abb. 3 und Tab. 4.", "Prof. Dr. Müller kam am 5.", "Danach ging er usw.", "Dann war Ruhe."]),
    ("de", ["Es waren 20.", "Wir gingen.", "Die 1. Auflage, inkl. MwSt., ist weg."]),
    ("en", ["It was on Jan. 5 in Fig. 3.", "We met at 5 p.m. Monday."]),
    ("en", ["At 5 p.m.", "He left Acme Inc.", "It grew, says Smith et al. today."]),
    ("en", ["Dr. Who met J. R. R. Tolkien in the U.S.", "He left.", "Plan B.", "Then we slept."]),
    ("en", ["See Eq. 4 and p. 7.", "Vol. 2 is out.", "Is he in?", "No.", "He left."]),
    ("en", ["(It was late.)", "Nothing happened...", "Then it did, see e.g. this.", "It grew.[1]", "So did I."]),
    ("en", ['He said "Stop."', "Then he left.", "“Really?!” she said.", "1. First.", "Version 3.4 is out."]),
    ("es", ["El Sr. Ruiz vive aquí.", "La Srta. Gil y Ud. van por la Av. Colón, pág. 3.", "¿Sí?", "¡No!"]),
    ("fr", ["Voir l'art. 5 du code.", "M. Dupont et Mme. Durand sont là.", "Art. 3 est long."]),
    ("fr", ["Je vais avec J. Dupont.", "Ça va ?", "« Non. »", "Elle part."]),
    ("it", ["Il Sig. Rossi e il Dott. Verdi.", "Vedi pag. 3 ecc.", "Poi basta."]),
    ("pt", ["O Sr. Silva e a Sra. Costa.", "Ver pág. 3 na Av. Brasil, etc.", "Depois saiu."]),
    ("nl", ["Dhr. Jansen en mevr. Smit zien blz. 5.", "Dan gaan ze."]),
    ("pl", ["Prof. Nowak i dr. Kowal mieszkają przy ul. Długa.", "Potem A. Mickiewicz pisał."]),
    ("cs", ["Data jsou čistá.", "Řádky jsou krátké.", "Čtení je rychlé.", "Šířka je pevná."]),
    ("uk", ["Це річка.", "Є міст.", "Її видно.", "А. Б. Іванов живе на вул. Лесі."]),
    ("ru", ["Это г. Москва, ул. Ленина.", "А. С. Пушкин писал.", "«Иди!» — сказал он.", "— Да."]),
    ("el", ["Το νερό είναι κρύο.", "Η γέφυρα είναι παλιά.", "Όλοι περνούν.", "Είναι ποτάμι;", "Ναι, είναι."]),
    ("tr", ["19. Yüzyıl ve 2. Dünya Savaşı.", "Sn. Ali geldi.", "İyi."]),
    ("hu", ["IV. Béla élt.", "Dr. Nagy is."]),
    ("hi", ["यह एक नदी है।", "वह बहती है।", "पुल पुराना है।"]),
    ("ar", ["هل هو نهر؟", "نعم، هو نهر طويل!", "طوله 2.5 كم."]),
    ("ka", ["გამარჯობა.", "როგორ ხარ?", "კარგად."]),
    ("am", ["ሰላም።", "ደህና ነህ።"]),
    ("my", ["မင်္ဂလာပါ။", "နေကောင်းလား။"]),
    ("xx", ["One ends.", "Another begins."]),
    ("und", ["Mr. Bob comes.", "He stays."]),
]
WITHOUT_BLANKS: list[tuple[str, list[str]]] = [
    ("cmn", ["『雨停了。』", "孩子们跑出去。"]),
    ("zh", ["雨停了。", "“好。”", "他说“走！”", "然后他走了。", '他说"好。"', '然后"走。"']),
    ("ja", ["「行く。」と言った。", "雨だ。", "「本当？」", "彼は笑った。"]),
    ("ja", ["値は３．５です．", "次の値。"]),
]


def cut(text: str, language: str) -> list[str]:
    return [plain(part) for part in sentences(parse_inline(text), language)]


@pytest.mark.parametrize(("language", "right"), WITH_BLANKS)
def test_sentences_end_where_the_language_ends_them(language: str, right: list[str]) -> None:
    assert cut(" ".join(right), language) == right


@pytest.mark.parametrize(("language", "right"), WITHOUT_BLANKS)
def test_closing_marks_belong_to_the_sentence_that_they_close(language: str, right: list[str]) -> None:
    assert cut("".join(right), language) == right


@pytest.mark.parametrize("text", ["Yes. lower case. and more.", "It ran 2.5 km!", "Great! 🎉", "a.b.C and x?y", "..."])
def test_what_begins_no_sentence_ends_none(text: str) -> None:
    assert len(cut(text, "en")) <= 1


def test_every_letter_that_isnt_small_can_begin_a_sentence() -> None:
    """Upper and title case, and letters of no case, of all scripts."""
    letters = [chr(code) for code in range(0x80, 0x1_F000) if unicodedata.category(chr(code)) in ("Lu", "Lt", "Lo")]
    for letter in letters[::37]:
        assert len(cut(f"{letter}{letter}! {letter}{letter}!", "xx")) == 2, f"U+{ord(letter):04X}"


def test_every_mark_of_unicode_that_ends_a_sentence_ends_one() -> None:
    from uniseg.sentencebreak import SentenceBreak, sentence_break

    marks = [chr(code) for code in range(0x1_1000) if sentence_break(chr(code)) == SentenceBreak.STERM]
    missed = [mark for mark in marks if len(list(sentences((Span(f"कख{mark} गघ{mark}"),), "xx"))) != 2]
    assert [f"U+{ord(mark):04X}" for mark in missed if unicodedata.category(mark) == "Po"] == []


def test_styles_continue_across_cuts() -> None:
    found = list(sentences(parse_inline("It is **bold.** Next *one. Two* three. Run `a.` it. `b` is."), "en"))
    assert found == [
        (Span("It is "), Span("bold.", bold=True)),
        (Span("Next "), Span("one.", italic=True)),
        (Span("Two", italic=True), Span(" three.")),
        (Span("Run "), Span("a.", "code"), Span(" it.")),
        (Span("b", "code"), Span(" is.")),
    ]


def texts(script: Script) -> list[str]:
    found = [block for scene in script.scenes for block in scene.blocks if isinstance(block, Paragraph)]
    return [plain(sentence.spans) for block in found for sentence in block.sentences]


GERMAN = "Im 19. Jahrhundert war es so. Er kam."


def test_the_language_of_the_voice_reaches_scripts_documents_and_narrations() -> None:
    right = ["Im 19. Jahrhundert war es so.", "Er kam."]
    assert texts(parse_script(f"## A\n\n{GERMAN}", "de")) == right
    assert texts(parse_script(f"## A\n\n:::columns\n{GERMAN}\n:::right\nB\n:::", "de"))[:2] == []
    for block in (GERMAN, {"kind": "paragraph", "text": GERMAN}):
        assert texts(read_scenes({"version": 1, "scenes": [{"title": "A", "blocks": [block]}]}, "de")) == right
    document = {"version": 1, "scenes": [{"title": "A", "blocks": ["a", "b"], "narration": GERMAN}]}
    assert [line.text for line in read_scenes(document, "de").scenes[0].lines] == right


@pytest.mark.parametrize(("language", "text"), [("de", GERMAN), ("cmn", "雨停了。孩子们跑。"), ("en", "A b. C d.")])
def test_documents_are_written_for_the_language_of_the_voice(language: str, text: str) -> None:
    script = parse_script(f"# A\n\n## B\n\n{text}", language)
    written = write_document(script, language)
    assert written["scenes"][1]["blocks"] == [{"kind": "paragraph", "text": text}]
    assert read_scenes(written, language) == script


def test_given_sentences_stay_as_they_are_given() -> None:
    block = {"kind": "paragraph", "sentences": ["One. Two.", "Three."]}
    script = read_scenes({"version": 1, "scenes": [{"title": "A", "blocks": [block]}]})
    assert texts(script) == ["One. Two.", "Three."]
    assert all(type(each) is Sentence for block in script.scenes[0].blocks for each in block.sentences)


def test_the_text_of_a_box_is_cut_in_the_language_of_the_voice() -> None:
    (section,) = parse_sections("> [!TIP]\n> Am 3. Mai kommt er. Dann geht er.\n", language="de")
    (box,) = section.body
    assert isinstance(box, Callout)
    (paragraph,) = box.blocks
    assert isinstance(paragraph, Paragraph)
    assert [plain(each.spans) for each in paragraph.sentences] == ["Am 3. Mai kommt er.", "Dann geht er."]
