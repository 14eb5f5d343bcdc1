"""Cuts text into sentences, in the language of the voice.

A sentence can end at every mark that Unicode calls the end of one (Sentence_Terminal), with the closing marks behind
it, before a letter that isn't small. Whether a full stop ends one is what sentencex says, and what `sentence_rules`
adds to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

from attrs import evolve, frozen

from handlers.generation.script.content import Block, Callout, Columns, Note, Paragraph, Section, Sentence, Span, Spans
from handlers.generation.script.inline import merged, plain
from handlers.generation.script.sentence_rules import SentenceRules, library_language, rules_for

#: Stands for each character of code and formulas: a letter of no case, which is in no abbreviation.
_STANDS_IN: Final = "一"
#: Marks behind which a blank is needed.
_NARROW: Final = ".!?…"
#: The end of a sentence begins with one of these, or with a mark that is neither ASCII nor a letter.
_MAYBE: Final = re.compile(r"[.!?;…]|[^\x00-\x7f\w\s]")
_QUOTES: Final = "\"'“”‘’‚„«»‹›"
_OPENING: Final = "([{「『（【〈《〔｛［〖〘"
_CLOSING: Final = ")]}」』）】〉》〕｝］〗〙｠｣﹂﹄＂＇"
#: Behind a mark without a blank, `“`, `‘` and `«` open; `”`, `’` and `»` close.
_CLOSING_WIDE: Final = _CLOSING + "”’»›"
_MARKED: Final = re.compile(rf"[{re.escape(_QUOTES + _OPENING + _CLOSING)}]")
#: Characters of a text at a time: sentencex takes quadratic time for marks that open and don't close.
_WINDOW: Final = 2_000
#: Characters between a mark and the first letter of the next sentence, and of a word before a mark.
_NEAR: Final = 40
_WORD_BEFORE: Final = re.compile(r"[^\s\"'“”‘’„«»(\[{/]++$")
_WORD_AFTER: Final = re.compile(r"[^\W\d_]++")
_ROMAN: Final = re.compile(r"[IVXLC]{1,7}")


@frozen
class Uncut(Sentence):
    """The whole text of a paragraph, which `cut_section` cuts into sentences."""


def cut_section(section: Section, language: str = "en") -> Section:
    """Cut the paragraphs of a section into sentences. `language` is a BCP 47 tag."""
    return evolve(section, body=tuple(_cut_block(block, language) for block in section.body))


def _cut_block(block: Block | Note, language: str) -> Block | Note:
    match block:
        case Paragraph(sentences=(Uncut(),)):
            parts = sentences(block.sentences[0].spans, language)
            return evolve(block, sentences=tuple(Sentence(part) for part in parts))
        case Callout():
            return evolve(block, blocks=tuple(_cut_block(cell, language) for cell in block.blocks))  # type: ignore[misc]
        case Columns():
            left = tuple(_cut_block(cell, language) for cell in block.left)
            right = tuple(_cut_block(cell, language) for cell in block.right)
            return Columns(left, right)  # type: ignore[arg-type]
        case _:
            return block


def sentences(spans: Spans, language: str = "en") -> Iterator[Spans]:
    """Cut spans between sentences; styles continue across cuts. `language` is a BCP 47 tag.

    A sentence that a line break follows ends with a line feed.
    """
    if not _MAYBE.search(plain(spans)):
        ends = []
    else:
        text = "".join(span.text if span.kind == "text" else _stand_in(span) * len(span.text) for span in spans)
        ends = list(_ends(text, rules_for(language), language))
    before: Spans = ()
    for part in _cut(spans, ends):
        if before:
            yield _ended(before, part)
        before = merged(part) or before
    if before:
        yield before


def _stand_in(span: Span) -> str:
    """Return a character for those of a span that isn't text: the number of a footnote belongs to what it is behind."""
    return "”" if span.kind == "note" else _STANDS_IN


def _cut(spans: Spans, ends: Sequence[int]) -> Iterator[list[Span]]:
    """Cut spans at places in their text."""
    rest = iter(ends)
    cut = next(rest, None)
    current: list[Span] = []
    at = 0
    for span in spans:
        done = 0
        while cut is not None and cut - at <= len(span.text):
            if head := span.text[done : cut - at]:
                current.append(span.with_text(head))
            yield current
            current, done, cut = [], cut - at, next(rest, None)
        if done == 0:
            current.append(span)
        elif tail := span.text[done:]:
            current.append(span.with_text(tail))
        at += len(span.text)
    yield current


def _ended(sentence: Spans, following: Sequence[Span]) -> Spans:
    """Return a sentence with a line feed at its end if what follows begins with one."""
    gap = following[0].text if following else ""
    if "\n" not in gap[: len(gap) - len(gap.lstrip())] or sentence[-1].kind != "text":
        return sentence
    return (*sentence[:-1], sentence[-1].with_text(sentence[-1].text + "\n"))


def _ends(text: str, rules: SentenceRules, language: str) -> Iterator[int]:
    """Yield where sentences but the last end, behind the closing marks."""
    stops: frozenset[int] | None = None
    begun = counted = opened = 0
    for match in _pattern(rules.marks + _wide_marks(text)).finditer(text):
        narrow = match[1][-1] in _NARROW or match[1][-1] in rules.marks
        opened = (opened + text.count('"', counted, match.start())) % 2
        counted = match.start()
        end = match.end(2) if narrow else _end_of_wide(text, match.end(1), opened)
        following = text[end : end + _NEAR]
        if (narrow and not following[:1].isspace()) or not _begins(following, rules, closed=end > match.end(1)):
            continue
        if match[1][-1] == "．" and following[0].isdigit():
            continue
        if narrow and match[1][-1] not in rules.marks:
            if stops is None:
                stops = frozenset(_library_stops(_MARKED.sub(" ", text), library_language(language)))
            found = match.end(1) - 1 in stops
            if match[1] == "." and not (following[:1] == "\n" and "\n\n" in following):
                found = _full_stop_ends(text, begun, match.start(), following, rules, found=found)
            if not found:
                continue
        yield end
        begun = counted = end
        opened = 0


@cache
def _pattern(marks: str) -> re.Pattern[str]:
    """Return the pattern of marks (1) and of the closing marks and references (2) behind them."""
    closing = re.escape(_CLOSING + _QUOTES)
    behind = rf"(?:[{closing}]|\[\d{{1,3}}\]|[ \xa0\u202f]»(?=\s|$))*+"
    return re.compile(rf"([{re.escape(_NARROW + marks)}]++)({behind})")


def _wide_marks(text: str) -> str:
    """Return the marks beyond ASCII in `text` that end sentences, by Unicode's Sentence_Break; they need no blank."""
    if text.isascii():
        return ""
    marks = (c for c in set(text) if c > "\x7f" and c != "…" and unicodedata.category(c) == "Po")
    return "".join(sorted(filter(_ends_one, marks)))


@lru_cache(1_000)
def _ends_one(mark: str) -> bool:
    from uniseg.sentencebreak import SentenceBreak, sentence_break

    return sentence_break(mark) in (SentenceBreak.STERM, SentenceBreak.ATERM)


def _end_of_wide(text: str, at: int, opened: int) -> int:
    """Return where the closing marks at `at` end; a straight quote is one if another is `opened`."""
    while at < len(text):
        if text[at] == '"' and opened:
            opened = 0
        elif text[at] not in _CLOSING_WIDE:
            break
        at += 1
    return at


def _begins(following: str, rules: SentenceRules, *, closed: bool) -> bool:
    """Tell whether another sentence can begin: its first letter isn't small (those of Georgian are of no case)."""
    if closed and following.startswith(rules.goes_on or ("\0",)):
        return False
    for first in following:
        if first.isalnum():
            return not first.islower() or first.title() == first
    return False


def _full_stop_ends(text: str, begun: int, at: int, following: str, rules: SentenceRules, *, found: bool) -> bool:
    """Tell whether the full stop at `at` of a sentence from `begun` on ends it; `found`: sentencex says so."""
    match = _WORD_BEFORE.search(text, max(begun, at - _NEAR), at)
    if match is None:
        return found
    written = match[0]
    word = written.lower()
    ordinal = (written.isdigit() and len(written) <= 2) or bool(_ROMAN.fullmatch(written))
    letter = len(written) == 1 and written.isupper()
    if written.isdigit() or ordinal or letter:
        alone = match.start() - begun < _NEAR and not text[begun : match.start()].strip(_QUOTES + _OPENING + " ")
        if alone:
            return False  # a number or an initial is no sentence
    elif word not in rules.never and word not in rules.seldom:
        return found
    next_word = _WORD_AFTER.search(following)
    starts = next_word is not None and next_word[0].lower() in rules.starters
    if word in rules.never:
        return found and starts and word in ("no",)
    if word in rules.seldom:
        return starts
    if letter:
        return found and (starts or not rules.starters)
    if ordinal and not starts:
        if rules.ordinals and (written.isdigit() or len(written) > 1):
            return False
        before = _WORD_BEFORE.search(text, max(begun, match.start() - _NEAR), max(begun, match.start() - 1))
        if before is not None and before[0].lower() in rules.before_ordinals:
            return False
    return found


def _library_stops(text: str, language: str) -> Iterable[int]:
    """Yield where sentencex sees the last characters of sentences, from one window of the text to the next."""
    from sentencex import get_sentence_boundaries

    at = 0
    while at < len(text):
        window = text[at : at + _WINDOW]
        whole = at + _WINDOW >= len(text)
        bounds = get_sentence_boundaries(language, window)
        for bound in bounds if whole else bounds[:-1]:
            yield at + len(window[: bound["end_index"]].rstrip()) - 1
        if whole:
            break
        begun = bounds[-1]["start_index"] if len(bounds) > 1 else 0
        at += begun or max(window.rfind(" ") + 1, _WINDOW // 2)
