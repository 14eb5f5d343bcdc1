"""Reads plain text: headings, lists, tables and rows without Markdown's signs.

Where lines are wrapped (`wrapping`) they are joined; elsewhere a line end is a line end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import define, field

from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Heading,
    Note,
    Paragraph,
    Section,
    Sentence,
    Table,
)
from handlers.generation.script.inline import parse_inline
from handlers.generation.script.shapes.build import cut_sentences, heading_of
from handlers.generation.script.shapes.label_words import listed
from handlers.generation.script.shapes.quiz import is_answer, is_question, is_quiz, page_of, with_answers
from handlers.generation.script.shapes.reading import LeftOut
from handlers.generation.script.shapes.wrapping import is_wrapped

_SIGNS: Final = "•·‣◦▪▫●○■□▸►➢➤✓✔✅❖◆★☆→*+-–—"
_BULLET: Final = re.compile(rf"([ \t]*)([{re.escape(_SIGNS)}]|[o§](?=[ \t]))[ \t]+(?=\S)")
_ORDERED: Final = re.compile(
    r"([ \t]*)(?:([①-⑳])[ \t]*|(\d{1,3})[.)][ \t]+|\((\d{1,3})\)[ \t]+|\(?([a-zA-Z])\)[ \t]+|"
    r"([a-z])\.[ \t]+(?=\S)|\(?([ivx]{1,5})[.)][ \t]+)(?=\S)"
)
_NUMBERED: Final = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?[ \t]+(?=[^\W\d_])")
#: The beginning of a row with an amount, as recipes have: a number, or a small amount in words.
_AMOUNT: Final = re.compile(
    r"\d|[½¼¾⅓⅔⅛]|(?:ca\.|about|etwa|environ|circa|около)\s?\d|q\.\s?[bs]\.(?!\w)|(?:"
    r"(?:one|a pinch|a dash|a handful|a little|eine? prise|eine? handvoll|etwas|une pincée|"
    r"une poignée|un peu|una pizca|un puñado|uma pitada|um punhado|un pizzico|una manciata|een snufje|een handvol|"
    r"en nypa|en näve|et drys|en klype|ripaus|szczypta|garść|špetka|hrst|щепотка|"
    r"горсть|bir tutam|bir avuç|μια πρέζα|μια χούφτα|رشة|حفنة|चुटकी)\s"
    r"|(?:少々|適量|少许|适量|약간|적당량))",
    re.IGNORECASE,
)
_STEP_WORDS: Final = "|".join(
    map(
        re.escape,
        listed(
            "step|chapter|part|section|lesson|unit|day|week|round|schritt|kapitel|teil|abschnitt|lektion|"
            "tag|runde|étape|chapitre|partie|leçon|paso|capítulo|parte|lección|passo|lição|passaggio|"
            "capitolo|lezione|stap|hoofdstuk|deel|les|steg|del|krok|rozdział|część|kapitola|část|шаг|глава|"
            "часть|урок|adım|bölüm|kısım|βήμα|κεφάλαιο|μέρος|الخطوة|الفصل|الجزء|चरण|अध्याय|भाग|tema|thema|"
            "thème|unidad"
        ),
    )
)
_STEP: Final = re.compile(
    rf"(?:{_STEP_WORDS})\s{{0,2}}\d{{1,3}}(?![\w.]\w)|第\s?[\d一二三四五六七八九十]{{1,3}}\s?[章节節部課课步]",
    re.IGNORECASE,
)
_END: Final = ".!?,;…。！？،؛。"
_PAGE: Final = re.compile(
    r"\s*(?:[-–—]\s?\d{1,4}\s?[-–—]|(?:page|seite|página|pagina|bladzijde|sida|side|sivu|strona|"
    r"strana|страница|стр\.|сторінка|sayfa|σελίδα|صفحة|पृष्ठ)\s\d{1,4}(?:\s?(?:/|of|von|sur|de|di|van|av|af|z|ze|из|з|από|من|का)\s?\d{1,4})?"
    r"|第\s?\d{1,4}\s?[页頁]|\d{1,4}\s?(?:ページ|쪽|페이지))\s*",
    re.IGNORECASE,
)
_LONE_NUMBER: Final = re.compile(r"\s*\d{1,4}\s*")
_BREAK: Final = re.compile(r"\s*(?:[*·•]\s*){3,7}\s*|\s*[-=_~─━]{3,}\s*")
_UNDERLINE: Final = re.compile(r"\s*(?:={3,}|-{3,}|~{3,})\s*")
_LONGEST_HEADING: Final = 60
_LONG_ROW: Final = 100
_DEPTHS: Final = {"◦": 1, "o": 1, "▫": 1, "○": 1, "□": 1, "§": 2}


@define(kw_only=True)
class _Sections:
    """Collects blocks under headings."""

    done: list[Section] = field(factory=list)
    level: int = 0
    heading: str = ""
    body: list[Block | Note] = field(factory=list)

    def begin(self, level: int, heading: str) -> None:
        if self.heading or self.body:
            self.done.append(Section(self.level, heading_of(self.heading) if self.heading else (), tuple(self.body)))
        self.level, self.heading, self.body = level, heading, []


def read_plain(lines: Sequence[str]) -> tuple[tuple[Section, ...], str, tuple[LeftOut, ...]]:
    """Return the sections of a plain text, its title, which may be empty, and the page numbers that are left out."""
    wrapped = is_wrapped(lines)
    numbers = {at for at in range(len(lines)) if _is_page_number(lines, at, wrapped=wrapped)}
    groups = _groups(["" if at in numbers else line for at, line in enumerate(lines)], wrapped)
    reader = _Plain(wrapped=wrapped, kinds=_heading_kinds(groups), groups=groups)
    reader.read()
    left = tuple(LeftOut.of(at + 1, lines[at], "furniture") for at in sorted(numbers))
    return tuple(reader.out.done), reader.title, left


def _is_page_number(lines: Sequence[str], at: int, *, wrapped: bool) -> bool:
    """Tell whether a line between blank ones is the number of a page; a bare number is one in wrapped text alone."""
    if not (_PAGE.fullmatch(lines[at]) or (wrapped and _LONE_NUMBER.fullmatch(lines[at]))):
        return False
    return (at == 0 or not lines[at - 1].strip()) and (at + 1 == len(lines) or not lines[at + 1].strip())


def _groups(lines: Sequence[str], wrapped: bool) -> list[list[str]]:
    """Return the paragraphs as lists of lines."""
    found: list[list[str]] = [[]]
    for line in lines:
        if not line.strip():
            found.append([])
        elif wrapped and found[-1] and line[:1] in " \t" and found[-1][-1][:1] not in " \t" and not _marker(line):
            found.append([line])
        else:
            found[-1].append(line)
    return [group for group in found if group]


def _centred(group: Sequence[str]) -> bool:
    """Tell whether a paragraph of wrapped text is centred, as a heading."""
    short = len(group) <= 3 and all(len(line) - len(line.lstrip()) >= 8 and len(line.strip()) < 50 for line in group)
    return short and not _BREAK.fullmatch(group[0]) and not _marker(group[0])


def _marker(line: str) -> bool:
    return bool(_BULLET.match(line) or _ORDERED.match(line))


def _heading_kind(line: str, *, alone: bool) -> str:
    text = line.strip()
    if not text or len(text) > _LONGEST_HEADING or text[-1] in _END or "\t" in text or _BULLET.match(line):
        return ""
    letters = [character for character in text if character.isalpha()]
    if _STEP.match(text):
        return "step"
    if _NUMBERED.match(text) and not text.endswith(":"):
        return "number"
    if (
        letters
        and text.upper() == text
        and text.lower() != text
        and (len(letters) >= 4 or (" " in text and len(letters) > 2))
    ):
        return "" if ":" in text and not alone and not text.endswith(":") else "caps"
    return ""


def _heading_kinds(groups: Sequence[Sequence[str]]) -> frozenset[str]:
    """The kinds of headings of which a text has two or more."""
    counts: dict[str, int] = {}
    for group in groups:
        for at, line in enumerate(group):
            kind = _heading_kind(line, alone=len(group) == 1)
            if kind == "number" and not _opens(group, at):
                continue
            if kind and (at == 0 or kind == "number"):
                counts[kind] = counts.get(kind, 0) + 1
    return frozenset(kind for kind, count in counts.items() if count >= (1 if kind == "step" else 2))


def _opens(group: Sequence[str], at: int) -> bool:
    """Tell whether a numbered line may be a heading: it stands alone, or no number of its rank follows."""
    if at + 1 >= len(group):
        return len(group) == 1
    following = _NUMBERED.match(group[at + 1].strip())
    return following is None or "." in following[1]


@define(kw_only=True)
class _Plain:
    """Reads the paragraphs of a text."""

    wrapped: bool
    kinds: frozenset[str]
    groups: list[list[str]]
    title: str = ""
    out: _Sections = field(factory=_Sections)

    def read(self) -> None:
        quiz = is_quiz(self.groups)
        start = self._take_title()
        for group in with_answers(self.groups[start:]) if quiz else self.groups[start:]:
            if quiz and is_question(group[0]):
                self.out.begin(0, "")
                self.out.body += page_of(group)
            else:
                self._group(group)
        self.out.begin(0, "")

    def _take_title(self) -> int:
        """The first line is the title where it stands alone, is short and isn't a sentence."""
        if len(self.groups) < 2 and not (self.groups and len(self.groups[0]) > 2):
            return 0
        first = self.groups[0]
        text = first[0].strip()
        if _BREAK.fullmatch(text) and len(first) >= 3 and _BREAK.fullmatch(first[2].strip()):
            first = first[1:]
            text = first[0].strip()
        underlined = len(first) >= 2 and bool(_UNDERLINE.fullmatch(first[1]))
        ends = text[-1] in _END and not text.endswith("?")
        if (
            (len(first) == 1 or underlined)
            and len(text) <= _LONG_ROW
            and not ends
            and not _marker(first[0])
            and ("\t" not in text)
        ):
            self.title = text
            self.out.begin(1, text)
            if underlined and len(first) > 2:
                self.groups[0] = first[2:]
                return 0
            return 1
        if len(self.groups) >= 2 and not ends and self._titles_block(first):
            self.title = text
            self.out.begin(1, text)
            self.groups[0] = first[1:]
        return 0

    def _titles_block(self, group: Sequence[str]) -> bool:
        """Whether a title stands right above facts about it, as in recipes, or above the heading of a list."""
        if self.wrapped or len(group) < 2:
            return False
        text, below = group[0].strip(), group[1].strip()
        named = text[0].isalpha() and len(text) <= _LONGEST_HEADING and text[-1] not in ":：" and not _marker(group[0])
        if not named or text[0].islower() or "\t" in text or _heading_kind(group[0], alone=False):
            return False
        if len(group) == 2:
            facts = any(map(str.isdigit, below)) and below[-1] not in _END and not _marker(group[1])
            return facts and len(below) <= _LONGEST_HEADING and not _AMOUNT.match(below)
        return not _marker(group[1]) and self._heading_at(group[1:], 0) == "list"

    def _group(self, group: Sequence[str]) -> None:
        if self.wrapped and _centred(group):
            self._heading(" ".join(line.strip() for line in group), 2)
            return
        at = 0
        while at < len(group):
            at = self._lines(group, at)

    def _lines(self, group: Sequence[str], at: int) -> int:
        """Take the lines from `at` on that belong together; returns the next."""
        line = group[at]
        text = line.strip()
        if _BREAK.fullmatch(text):
            if not (at and len(group) > 1):
                self.out.begin(0, "")
            return at + 1
        if at + 1 < len(group) and _UNDERLINE.fullmatch(group[at + 1]) and len(text) <= _LONG_ROW:
            self._heading(text, 1 if group[at + 1].strip()[0] == "=" and not self.title else 2)
            return at + 2
        if (kind := self._heading_at(group, at)) != "":
            self._heading(text.rstrip(":：") if kind == "list" else text, self._depth(kind, text))
            return at + 1
        tabs = line.count("\t")
        if tabs and not _marker(line) and line[:1] != "\t":
            end = at
            while end < len(group) and group[end].count("\t") == tabs:
                end += 1
            if end - at >= 2:
                cells = [tuple(parse_inline(cell.strip()) for cell in row.split("\t")) for row in group[at:end]]
                self.out.body.append(Table(cells[0], tuple(cells[1:])))
                return end
        if _marker(line) and self._lists(group, at):
            return self._list(group, at)
        if self._amounts(group, at):
            return self._amount_list(group, at)
        return self._text(group, at)

    def _heading_at(self, group: Sequence[str], at: int) -> str:
        line = group[at]
        kind = _heading_kind(line, alone=len(group) == 1)
        if kind == "number":
            number = _NUMBERED.match(line.strip())
            listing = len(group) > 1 and not _opens(group, at)
            return kind if kind in self.kinds and number and not listing and not self._is_list(group, at) else ""
        if kind in self.kinds and at == 0:
            return kind
        text = line.strip()
        short = len(text) <= 40 and text[-1] not in _END and not _marker(line) and not _AMOUNT.match(text)
        if at == 0 and short and len(group) >= 3 and ":" not in text[:-1]:
            below = group[1:]
            if all(_marker(each) for each in below[:2]) or self._amounts(below, 0):
                return "list"
        return ""

    def _is_list(self, group: Sequence[str], at: int) -> bool:
        """Whether a numbered line is an item: its neighbours count on."""
        match = _ORDERED.match(group[at])
        if match is None or match[3] is None or len(group) == 1:
            return False
        others = [_ORDERED.match(line) for line in group]
        return sum(1 for other in others if other and other[3]) >= 2

    def _depth(self, kind: str, text: str) -> int:
        if kind == "number" and (match := _NUMBERED.match(text)):
            return 2 + match[1].count(".")
        return 2

    def _heading(self, text: str, level: int) -> None:
        if level > 2:
            self.out.body.append(Heading(heading_of(text)))
        else:
            self.out.begin(level, text)

    # -- lists ---------------------------------------------------------------------------------------------------

    def _lists(self, group: Sequence[str], at: int) -> bool:
        """Whether a marker begins a list: of two items, or a bullet that is no dash."""
        if _BULLET.match(group[at]):
            alike = sum(bool(_BULLET.match(line)) for line in group)
            return alike >= 2 or group[at].strip()[0] not in "-–—*+o§"
        return True

    def _list(self, group: Sequence[str], at: int) -> int:
        items: list[Bullet] = []
        indents: list[int] = []
        texts: list[str] = []
        metas: list[tuple[int, int | None]] = []
        while at < len(group):
            line = group[at]
            bullet, ordered = _BULLET.match(line), _ORDERED.match(line)
            if bullet:
                metas.append((self._level(indents, bullet[1], _DEPTHS.get(bullet[2], 0)), None))
                texts.append(line[bullet.end() :].strip())
            elif ordered:
                metas.append((self._level(indents, ordered[1], 0), _ordinal(ordered)))
                texts.append(line[ordered.end() :].strip())
            elif texts and (line[:1] in " \t" or (self.wrapped and not is_answer(line))):
                texts[-1] = _joined(texts[-1], line.strip())
            else:
                break
            at += 1
        for text, (depth, number) in zip(texts, metas, strict=True):
            if spans := parse_inline(text):
                items.append(Bullet(spans, depth, number))
        if items:
            self.out.body.append(Bullets(tuple(items)))
        return at

    def _level(self, indents: list[int], blank: str, least: int) -> int:
        indent = len(blank.expandtabs(4))
        while indents and indents[-1] > indent:
            indents.pop()
        if not indents or indents[-1] < indent:
            indents.append(indent)
        return min(2, max(len(indents) - 1, least if indent else 0))

    def _amounts(self, group: Sequence[str], at: int) -> bool:
        """Whether rows of amounts begin here, as in recipes: two or more short lines that begin with numbers."""
        rows = [line.strip() for line in group[at : at + 3]]
        return (
            len(rows) >= 2
            and all(_AMOUNT.match(row) and len(row) < 60 and row[-1] not in ".!?" for row in rows[:2])
            and not any(map(_marker, group[at : at + 2]))
            and not _NUMBERED_TIME.match(rows[0])
        )

    def _amount_list(self, group: Sequence[str], at: int) -> int:
        items: list[Bullet] = []
        while at < len(group) and not _marker(group[at]) and len(group[at].strip()) < 80:
            if spans := parse_inline(group[at].strip()):
                items.append(Bullet(spans))
            at += 1
        self.out.body.append(Bullets(tuple(items)))
        return at

    # -- text -----------------------------------------------------------------------------------------------------

    def _text(self, group: Sequence[str], at: int) -> int:
        first = at
        at += 1
        while at < len(group) and not self._begins(group, at):
            at += 1
        texts = [line.strip() for line in group[first:at]]
        if self.wrapped:
            whole = texts[0]
            for text in texts[1:]:
                whole = _joined(whole, text)
            self._paragraph(whole)
        elif len(texts) == 1:
            self._paragraph(texts[0])
        else:
            self._rows(texts)
        return at

    def _begins(self, group: Sequence[str], at: int) -> bool:
        line = group[at]
        if _BREAK.fullmatch(line) or (_marker(line) and self._lists(group, at)) or self._heading_at(group, at) != "":
            return True
        if at + 1 < len(group) and (
            _UNDERLINE.fullmatch(group[at + 1]) or (line.count("\t") and line.count("\t") == group[at + 1].count("\t"))
        ):
            return True
        return self._amounts(group, at)

    def _paragraph(self, text: str) -> None:
        parts = tuple(Sentence(part) for part in cut_sentences(parse_inline(" ".join(text.split()))))
        if parts:
            self.out.body.append(Paragraph(parts))

    def _rows(self, texts: Sequence[str]) -> None:
        """Add rows. A row whose sentence ends in the next one is joined with it; a long row is a paragraph."""
        rows: list[str] = []
        for text in texts:
            if rows and rows[-1][-1:] not in ".!?:;,…。！？" and text[:1].islower() and not rows[-1][-1:].isdigit():
                rows[-1] = f"{rows[-1]} {text}"
            else:
                rows.append(text)
        run: list[Sentence] = []
        for row in rows:
            if len(row) > _LONG_ROW:
                if run:
                    self.out.body.append(Paragraph(tuple(run), rows=True))
                    run = []
                self._paragraph(row)
            elif spans := parse_inline(row):
                run.append(Sentence(spans))
        if run:
            self.out.body.append(Paragraph(tuple(run), rows=len(run) > 1))


_NUMBERED_TIME: Final = re.compile(r"\d{1,2}[:.]\d{2}(?!\d)")
_HYPHEN: Final = re.compile(r"[^\W\d_]-$")


def _joined(text: str, following: str) -> str:
    """Join two lines; a hyphen between two small letters at the end of the first is dropped."""
    if _HYPHEN.search(text) and text[-2].islower() and following[:1].islower():
        return text[:-1] + following
    return f"{text} {following}"


_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}


def _ordinal(match: re.Match[str]) -> int:
    """The number of an ordered item."""
    if match[2]:
        return ord(match[2]) - ord("①") + 1
    if digits := match[3] or match[4]:
        return int(digits)
    roman = (match[7] or match[5] or match[6] or "").lower()
    if roman in _ROMAN and (match[7] or roman == "i"):
        return _ROMAN[roman]
    return ord(roman[:1] or "a") - ord("a") + 1
