"""Reads poems and songs: rows stay rows, with a pause behind each and a longer one between stanzas."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from handlers.generation.script.content import Paragraph, Section, Sentence, Span
from handlers.generation.script.shapes.build import heading_of, title_of
from handlers.generation.script.shapes.delivery import ENDS
from handlers.generation.script.shapes.label_words import listed
from handlers.generation.script.shapes.reading import LeftOut, Reading
from handlers.generation.script.shapes.wrapping import is_wrapped

ROW_PAUSE_S: Final = 0.25
STANZA_PAUSE_S: Final = 1.0
#: Words in the rows of verse that doesn't read on from row to row; lists of addresses and the like have fewer.
_WORDS_OF_ROWS: Final = 3.5
_PART_WORDS: Final = "|".join(
    re.escape(word)
    for word in listed(
        "verse|chorus|refrain|bridge|pre-chorus|prechorus|post-chorus|hook|intro|outro|interlude|"
        "instrumental|solo|strophe|vers|refräng|brygga|stick|couplet|pont|pré-refrain|estribillo|estrofa|"
        "verso|puente|pre-estribillo|"
        "refrão|estrofe|ponte|pré-refrão|strofa|ritornello|pre-ritornello|refrein|couplet|brug|zwrotka|"
        "refren|most|przejście|sloka|refrén|mezihra|куплет|припев|бридж|мост|проигрыш|кода|nakarat|kıta|"
        "köprü|στροφή|ρεφρέν|γέφυρα|"
        "مقطع|لازمة|كورس|मुखड़ा|अंतरा|स्थायी|主歌|副歌|桥段|前奏|尾声|间奏|ヴァース|サビ|Aメロ|Bメロ|"
        "ブリッジ|間奏|イントロ|アウトロ|1番|2番|1절|2절|후렴|브리지|간주|벌스|코러스|säkeistö|kertosäe|"
        "omkvæd|vers|coda|tag|end|breakdown|middle eight"
    )
)
_PART: Final = re.compile(
    rf"[\[【(（]\s*(?:{_PART_WORDS})(?![^\W\d])[^\[\]【】()（）]{{0,40}}[\]】)）]|"
    rf"(?:{_PART_WORDS})\s?\d{{0,2}}\s?[:：]?",
    re.IGNORECASE,
)
_MARKDOWN: Final = re.compile(r"#{1,6}\s|```|~~~|\s*[-*+•]\s|\||\.\. |=+$|-+$|>\s|\s*\(?[A-Za-z]?\d{0,3}[.)]\s")
_END: Final = re.compile(r"[.!?。！？؟।][\"”»）)]?$")
_ROW: Final = re.compile(r"\s*[\"“«(¿¡—–'‘„「『…]*\s*[^\W\d_]")
_NOT_IN_ROWS: Final = re.compile(r"[：=|/{}<>@\t]|\d{2,}|:\s|https?:")


def _is_part(line: str) -> bool:
    text = line.strip()
    return len(text) < 60 and text[:1] in "[【(（" and bool(_PART.fullmatch(text))


def is_verse(lines: Sequence[str]) -> bool:
    """Tell whether a text is verse: marks of verse and chorus, or stanzas of short rows that few sentences end."""
    parts = sum(1 for line in lines if line and _is_part(line))
    stanzas = _stanzas(lines)
    rows = [line for stanza in stanzas for line in stanza if not _is_part(line)]
    if not rows:
        return False
    if parts >= 2:
        return statistics.median(map(len, rows)) < 70
    if any(_MARKDOWN.match(line) or "**" in line for line in rows):
        return False
    multi = [stanza for stanza in stanzas if len(stanza) >= 2]
    inside = [line.strip() for stanza in multi for line in stanza]
    if len(multi) < 2 or len(inside) < 4 or len(inside) < 0.7 * len(rows):
        return False
    if statistics.median(map(len, inside)) >= 50 or max(map(len, inside)) > 80 or is_wrapped(lines):
        return False
    if sum(bool(_END.search(line)) for line in inside) >= (0.7 if _regular(multi) else 0.4) * len(inside):
        return False
    if statistics.mean(len(line.split()) for line in inside) < 2.2 and not any(ord(c) > 0x2E80 for c in inside[0]):
        return False
    plain = sum(bool(_ROW.match(line)) and not _NOT_IN_ROWS.search(line) for line in inside)
    return plain >= 0.9 * len(inside) and _flows(multi)


def _regular(stanzas: Sequence[Sequence[str]]) -> bool:
    """Whether three or more stanzas have as many rows each, and every second pair of rows or so reads on."""
    lengths = {len(stanza) for stanza in stanzas}
    pairs = [(a.strip(), b.strip()) for stanza in stanzas for a, b in pairwise(stanza)]
    on = sum(a[-1:].isalpha() or a[-1:] in ",;—–…،，、；" for a, _ in pairs)
    return len(stanzas) >= 3 and len(lengths) == 1 and min(lengths) >= 3 and on >= 0.4 * len(pairs)


def _flows(stanzas: Sequence[Sequence[str]]) -> bool:
    """Whether rows read on: some end in a comma or without a mark before a small letter, or stanzas are alike."""
    pairs = [(a.strip(), b.strip()) for stanza in stanzas for a, b in pairwise(stanza)]
    on = sum(a[-1:] in ",;—–…،，、；" or b[:1].islower() for a, b in pairs)
    lengths = [len(stanza) for stanza in stanzas]
    words = statistics.mean(len(row.split()) for stanza in stanzas for row in stanza)
    wordy = words >= _WORDS_OF_ROWS or ord(stanzas[0][0].strip()[0]) > 0x2E80
    alike = len(stanzas) >= 2 and max(lengths) - min(lengths) <= 1 and min(lengths) >= 3 and wordy
    return on >= 0.25 * len(pairs) or (alike and not all(a[-1:] in ".!?" for a, _ in pairs))


def _stanzas(lines: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [stanza for stanza in found if stanza]


def read_verse(lines: Sequence[str]) -> Reading:
    """Read a poem or a song."""
    left: list[LeftOut] = []
    kept: list[str] = []
    for at, line in enumerate(lines):
        if line.strip() and _is_part(line):
            left.append(LeftOut.of(at + 1, line, "label"))
            kept.append("")
        else:
            kept.append(line.strip().lstrip("#").strip() if line.startswith("#") else line)
    stanzas = _stanzas(kept)
    title, by = "", []
    if len(stanzas) > 1 and len(stanzas[0]) <= 2 and len(stanzas[0][0]) <= 80:
        title, by = stanzas[0][0].strip(), stanzas[0][1:]
        stanzas = stanzas[1:]
    body = tuple(_stanza(stanza) for stanza in stanzas)
    sections = []
    if title:
        under = (Paragraph(tuple(Sentence((Span(line.strip()),)) for line in by)),) if by else ()
        sections.append(Section(1, heading_of(title), under))
    sections.append(Section(0, (), body))
    return Reading(shape="verse", sections=tuple(sections), title=title_of(title), left_out=tuple(left))


def _stanza(rows: Sequence[str]) -> Paragraph:
    last = len(rows) - 1
    sentences = (
        Sentence(
            (Span(" ".join(row.split())),),
            pause_s=STANZA_PAUSE_S if at == last else ROW_PAUSE_S,
            cut=at < last and row.rstrip()[-1:] not in ENDS,
        )
        for at, row in enumerate(rows)
    )
    return Paragraph(tuple(sentences), rows=True)
