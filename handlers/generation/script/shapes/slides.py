"""Reads outlines of slides in plain text: "Slide 2: The problem", with labels for title, points and speaker notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from handlers.generation.script.content import Block, Bullet, Bullets, Paragraph, Section, Sentence
from handlers.generation.script.inline import parse_inline
from handlers.generation.script.shapes.build import Draft, cut_sentences, heading_of, rows, said_pieces, title_of
from handlers.generation.script.shapes.label_words import folded, listed
from handlers.generation.script.shapes.lines import SLIDE, bare, kind_of
from handlers.generation.script.shapes.reading import LeftOut, Reading

_TITLES: Final = frozenset(
    listed(
        "title|titel|titre|título|titolo|tytuł|název|nadpis|название|заголовок|başlık|τίτλος|العنوان|"
        "शीर्षक|标题|タイトル|제목|heading|überschrift|rubrik|kop|nagłówek"
    )
)
_SUBTITLES: Final = frozenset(
    listed(
        "subtitle|untertitel|sous-titre|subtítulo|sottotitolo|podtytuł|podtitul|podnadpis|подзаголовок|"
        "alt başlık|υπότιτλος|العنوان الفرعي|उपशीर्षक|副标题|サブタイトル|부제|부제목|ondertitel|"
        "underrubrik|undertitel"
    )
)
_POINTS: Final = frozenset(
    listed(
        "bullets|bullet points|points|content|text|body|key points|stichpunkte|punkte|inhalt|aufzählung|"
        "puces|points clés|contenu|texte|viñetas|puntos|puntos clave|contenido|texto|tópicos|marcadores|"
        "pontos|conteúdo|punti|punti elenco|contenuto|testo|opsomming|punten|inhoud|tekst|punkter|innehåll|"
        "punkty|treść|wypunktowanie|body slide|odrážky|body|obsah|пункты|тезисы|содержание|текст|maddeler|"
        "içerik|metin|σημεία|κουκκίδες|περιεχόμενο|κείμενο|النقاط|المحتوى|بिंदु|बिंदु|मुख्य बिंदु|सामग्री|"
        "要点|内容|正文|項目|箇条書き|内容|ポイント|글머리|내용|요점|항목"
    )
)
_NOTES: Final = frozenset(
    listed(
        "speaker notes|speaker note|notes|note|presenter notes|talk track|talking points|script|narration|"
        "voiceover|what to say|sprechernotizen|notizen|sprechernotiz|sprechertext|vortragsnotizen|"
        "notes de l'orateur|notes de l’orateur|notes du présentateur|notes orateur|commentaires|"
        "notas del orador|notas del presentador|notas|notas do orador|notas do apresentador|anotações|"
        "note del relatore|note relatore|note per il relatore|spreeknotities|sprekersnotities|notities|"
        "talarmanus|anteckningar|talepunkter|notater|notatki|notatki prelegenta|notatki mówcy|poznámky|"
        "poznámky řečníka|poznámky přednášejícího|заметки|заметки докладчика|заметки спикера|"
        "konuşmacı notları|notlar|σημειώσεις|σημειώσεις ομιλητή|ملاحظات المتحدث|ملاحظات|वक्ता नोट्स|"
        "वक्ता के नोट|टिप्पणियाँ|演讲备注|备注|讲稿|演讲者备注|发言稿|讲解词|ノート|発表者ノート|"
        "スピーカーノート|話すこと|발표자 노트|노트|발표 노트|발표자 메모"
    )
)
_GENERIC: Final = frozenset(
    listed(
        "title slide|title|titelfolie|titel|deckblatt|diapositive de titre|page de titre|portada|"
        "diapositiva de título|capa|slide de título|copertina|diapositiva titolo|titeldia|titelbild|"
        "titelslide|slajd tytułowy|titulní snímek|úvodní snímek|титульный слайд|титул|başlık slaytı|kapak|"
        "διαφάνεια τίτλου|شريحة العنوان|शीर्षक स्लाइड|标题页|封面|表紙|タイトルスライド|제목 슬라이드|표지|"
        "cover|cover slide"
    )
)
_LABEL: Final = re.compile(r"([^\W\d_][^:：\n]{0,40}?)\s*+(?:[(（][^()（）]{0,30}[)）]\s*+)?[:：]\s*")
_DIGIT: Final = re.compile(r"\d")
_ITEM: Final = re.compile(r"([ \t]*)(?:[-*+•·‣◦▪●○■□–—]|o|\d{1,2}[.)])[ \t]+")


def _number(line: str) -> str | None:
    """What follows the number of a slide on a line that begins one; None for another line."""
    if len(line) > 400 or not _DIGIT.search(line) or not SLIDE.match(line.lstrip("*_[【 \t")):
        return None
    text = line.strip()
    if text.startswith(("#", "|", ">", "-")) or len(text) > 160:
        return None
    text = bare(text)
    text = text.strip("[]【】") if text[:1] in ("[", "【") else text
    match = SLIDE.match(text)
    if match is None or (match["mark"].isspace() and match.end() < len(text)):
        return None
    return text[match.end() :].strip()


def is_slides(lines: Sequence[str]) -> bool:
    """Tell whether a text is an outline of slides: two or more unmarked lines number them."""
    return sum(1 for line in lines if line and _number(line) is not None) >= 2


def read_slides(lines: Sequence[str]) -> Reading:
    """Read an outline: a scene for each slide; speaker notes are what is said."""
    outline = _Outline(lines)
    for at, line in enumerate(lines):
        outline.take(at, line)
    outline.end()
    sections = tuple(outline.sections)
    title = outline.title or next((section.heading[0].text for section in sections if section.heading), "")
    return Reading(shape="slides", sections=sections, title=title_of(title), left_out=tuple(outline.left))


class _Outline:
    """Collects slides line by line."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.sections: list[Section] = []
        self.left: list[LeftOut] = []
        self.title = ""
        self._begun = False
        self._where = ""
        self._reset("")

    def _reset(self, heading: str) -> None:
        self._heading = "" if folded(heading) in _GENERIC else heading
        self._items: list[Bullet] = []
        self._indents: list[int] = []
        self._texts: list[str] = []
        self._notes: list[str] = []
        self._hints: list[str] = []

    def take(self, at: int, line: str) -> None:
        text = line.strip()
        if not text:
            return
        heading = _number(line)
        if heading is not None:
            self.end()
            self._begun, self._where = True, ""
            self._reset(heading)
            return
        if not self._begun:
            if not self.title:
                self.title = bare(text)
            else:
                self.left.append(LeftOut.of(at + 1, text, "unlabelled"))
            return
        words = bare(text)
        label = _LABEL.match(words)
        kind = self._kind(label[1]) if label else ""
        if label and kind:
            self._where = kind
            if rest := words[label.end() :].strip():
                self._add(at, line, rest)
        else:
            self._add(at, line, words)

    def _kind(self, word: str) -> str:
        name = folded(word)
        for kind, names in (("title", _TITLES), ("subtitle", _SUBTITLES), ("points", _POINTS), ("note", _NOTES)):
            if name in names:
                return kind
        return "hint" if kind_of(word) == "visual" else "sound" if kind_of(word) == "sound" else ""

    def _add(self, at: int, line: str, words: str) -> None:
        item = _ITEM.match(line)
        if self._where == "title":
            self._heading, self._where = words, ""
        elif self._where == "note":
            self._notes.append(words)
        elif self._where in ("hint", "sound"):
            if self._where == "hint":
                self._hints.append(words)
            self.left.append(LeftOut.of(at + 1, line, "direction"))
            self._where = ""
        elif item or self._where == "points":
            self._item(len(item[1].expandtabs(4)) if item else 0, line[item.end() :] if item else words)
        else:
            self._texts.append(words)
            self._where = ""

    def _item(self, indent: int, words: str) -> None:
        while self._indents and self._indents[-1] > indent:
            self._indents.pop()
        if not self._indents or self._indents[-1] < indent:
            self._indents.append(indent)
        spans = parse_inline(words)
        if spans:
            self._items.append(Bullet(spans, min(len(self._indents) - 1, 2)))

    def end(self) -> None:
        """Add the slide that has been collected."""
        if not self._begun:
            return
        first = not self.sections
        draft = Draft(title=self._heading, hints=list(self._hints))
        for words in self._notes:
            draft.say(words)
        body: list[Block] = [
            *([rows(self._texts)] if self._texts and (self._notes or len(self._texts) > 1) else self._paragraphs()),
            *([Bullets(tuple(self._items))] if self._items else []),
        ]
        if self._notes and said_pieces(" ".join(self._notes)):
            total = len(draft.said)
            for number, block in enumerate(body):
                draft.show(block, min(number, total - 1))
            section = draft.section(1 if first else 2)
        else:
            section = Section(
                1 if first else 2,
                heading_of(self._heading) if self._heading else (),
                tuple(body),
                hint="; ".join(self._hints),
            )
        if section.heading or section.body or self._notes:
            self.sections.append(section)

    def _paragraphs(self) -> list[Paragraph]:
        return [Paragraph(tuple(Sentence(part) for part in cut_sentences(parse_inline(text)))) for text in self._texts]
