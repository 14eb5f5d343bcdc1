"""Finds the language of a text: by its alphabet where only one language has it, else by its words with CLD3.

Parts of the text vote; only those that CLD3 is sure of count, and in doubt no language is claimed. Of a long text only
the beginning is read. Addresses, names of files and other words for machines are passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import gcld3

from handlers.generation.model import TextLanguage
from handlers.generation.script.content import (
    Bullets,
    Heading,
    Note,
    Paragraph,
    Quote,
    Section,
    Spans,
    Table,
    Whole,
    cells_of,
    items_of,
)

#: The tag of what isn't known.
UNKNOWN: Final = "und"
#: Letters of a text that are read; they are in the first part of its characters.
_MOST_LETTERS: Final = 2_400
_MOST_CHARS: Final = 20_000
#: Letters of a text that its language can be told by, and of a part that CLD3 is asked about.
_FEWEST_LETTERS: Final = 50
_PART_LETTERS: Final = 240
#: Least probabilities by CLD3, for parts of 100 letters or more and for shorter ones. With these it was wrong about 2
#: of 1,065 passages of 50 letters in 15 languages, and about none of 517 of 100 letters.
_SURE, _SURE_OF_FEW, _FEW_LETTERS = 0.9, 0.97, 100
#: The share of a text's letters that have to be of its language.
_MOST: Final = 2 / 3
#: Letters that a sign of East Asia counts as: it is about a syllable.
_SIGN_WEIGHT: Final = 3
#: Weighted letters that a text in an alphabet of one language alone has at least.
_FEWEST_SIGNS: Final = 12
#: The share of kana among the signs of Japanese, and of Chinese that quotes some.
_JAPANESE, _CHINESE = 0.2, 0.05

_KANA: Final = re.compile(r"[\u3041-\u30fa\u30fc-\u30ff\uff66-\uff9f]")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
#: Letters that one language alone is written in, or one much more than others, and what they are called.
_ALPHABETS: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = {
    tag: (name, re.compile(f"[{letters}]"))
    for tag, name, letters in (
        ("ko", "hangul", "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"),
        ("el", "Greek", "\u0370-\u03ff\u1f00-\u1fff"),
        ("th", "Thai", "\u0e01-\u0e5b"),
        ("hy", "Armenian", "\u0531-\u0587"),
        ("ka", "Georgian", "\u10a0-\u10ff\u1c90-\u1cbf"),
        ("pa", "Gurmukhi", "\u0a01-\u0a76"),
        ("gu", "Gujarati", "\u0a81-\u0aff"),
        ("or", "Odia", "\u0b01-\u0b77"),
        ("ta", "Tamil", "\u0b82-\u0bfa"),
        ("te", "Telugu", "\u0c00-\u0c7f"),
        ("kn", "Kannada", "\u0c80-\u0cff"),
        ("ml", "Malayalam", "\u0d00-\u0d7f"),
        ("si", "Sinhala", "\u0d81-\u0df4"),
        ("lo", "Lao", "\u0e81-\u0edf"),
        ("my", "Myanmar", "\u1000-\u109f"),
        ("km", "Khmer", "\u1780-\u17ff"),
    )
}
#: Tags of CLD3 that BCP 47 has replaced.
_REPLACED: Final = {"iw": "he", "no": "nb"}
#: Characters of words that are written for machines.
_OF_MACHINES: Final = re.compile(r"[@/\\_<>{}=|#$]|\w\.\w|\d")
_LETTER: Final = re.compile(r"[^\W\d_]")

TOO_FEW: Final = TextLanguage(tag=UNKNOWN, sure=False, because="it has too few words")
_MIXED: Final = TextLanguage(tag=UNKNOWN, sure=False, because="its words are of no one language for sure")


def language_of(texts: Iterable[str]) -> TextLanguage:
    """Return the language of a text that is given in pieces; `UNKNOWN` in doubt."""
    words = list(_words(texts))
    text = " ".join(words)
    kana, han = _SIGN_WEIGHT * len(_KANA.findall(text)), _SIGN_WEIGHT * len(_HAN.findall(text))
    total = sum(1 for _ in _LETTER.finditer(text)) + (kana + han) * (_SIGN_WEIGHT - 1) // _SIGN_WEIGHT
    alphabets: dict[str, int] = {}
    if not text.isascii():
        alphabets = {tag: len(letters.findall(text)) for tag, (_, letters) in _ALPHABETS.items()}
        total += alphabets["ko"] * (_SIGN_WEIGHT - 1)
        alphabets["ko"] *= _SIGN_WEIGHT
    if kana + han >= _FEWEST_SIGNS and 2 * (kana + han) >= total:
        return _east_asian(kana / (kana + han))
    tag, most = max(alphabets.items(), key=lambda found: found[1], default=(UNKNOWN, 0))
    if most >= _FEWEST_SIGNS and 2 * most >= total:
        return TextLanguage(tag=tag, sure=True, because=f"its letters are {_ALPHABETS[tag][0]}")
    return _by_words(words)


def _east_asian(kana: float) -> TextLanguage:
    """Tell Japanese from Chinese by the share of kana."""
    if kana >= _JAPANESE:
        return TextLanguage(tag="ja", sure=True, because="its letters are kana")
    if kana <= _CHINESE:
        return TextLanguage(tag="zh", sure=True, because="its letters are Chinese")
    return _MIXED


def _by_words(words: Sequence[str]) -> TextLanguage:
    identifier = gcld3.NNetLanguageIdentifier(0, 4 * _MOST_CHARS)
    votes: Counter[str] = Counter()
    total = 0
    for part, letters in _parts(words):
        found = identifier.FindLanguage(part)
        total += letters
        tag, _, script = found.language.partition("-")
        if found.probability >= (_SURE if letters >= _FEW_LETTERS else _SURE_OF_FEW) and script != "Latn":
            votes[_REPLACED.get(tag, tag)] += letters
    if total < _FEWEST_LETTERS:
        return TOO_FEW
    tag, most = max(votes.items(), key=lambda vote: vote[1], default=(UNKNOWN, 0))
    return TextLanguage(tag=tag, sure=True, because="its words are") if most >= _MOST * total else _MIXED


def _parts(words: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield parts of a text with the numbers of their letters; a short rest belongs to the part before it."""
    parts: list[tuple[list[str], int]] = []
    for word in words:
        if not parts or parts[-1][1] >= _PART_LETTERS:
            parts.append(([], 0))
        part, letters = parts[-1]
        part.append(word)
        parts[-1] = (part, letters + len(word))
    if len(parts) > 1 and parts[-1][1] < _FEW_LETTERS:
        rest, letters = parts.pop()
        parts[-1] = (parts[-1][0] + rest, parts[-1][1] + letters)
    for part, letters in parts:
        yield " ".join(part), letters


def _words(texts: Iterable[str]) -> Iterator[str]:
    """Yield the words at the beginning of a text, without those of machines and those of capitals alone."""
    letters = chars = 0
    for text in texts:
        for word in text[: _MOST_CHARS - chars].split():
            if word.isascii() and (word.isupper() or not _LETTER.search(word) or _OF_MACHINES.search(word)):
                continue
            if "://" in word:
                continue
            yield word
            letters += len(word)
            if letters >= _MOST_LETTERS:
                return
        chars += len(text)
        if chars >= _MOST_CHARS:
            return


def words_of(sections: Iterable[Section]) -> Iterator[str]:
    """Yield the texts of sections that are said, without listings, formulas and names of speakers."""
    for section in sections:
        yield _text(section.heading)
        if isinstance(section.narration, str):
            yield section.narration
        elif section.narration and any(said.text for said in section.narration):
            yield from (said.text for said in section.narration)
        else:
            for block in section.body:
                if isinstance(block, Note):
                    yield block.text
                else:
                    for cell in cells_of([block]):
                        yield from _texts(cell)


def _texts(cell: Whole | Paragraph | Bullets) -> Iterator[str]:
    match cell:
        case Heading() | Quote():
            yield _text(cell.spans)
        case Table():
            yield from map(_text, cell.header)
            yield from (_text(each) for row in cell.rows for each in row)
        case Paragraph() | Bullets():
            yield from (_text(item.spans) for item in items_of(cell))


def _text(spans: Spans) -> str:
    return "".join(span.text for span in spans if span.kind == "text" and not span.struck)
