"""The spoken form of a written line, with the way back: where in the written text a spoken word stands. Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import Final

from attrs import frozen

from handlers.generation.narration.narrators.base import SpokenWord
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Edit, RuleSet

_WORD: Final = re.compile(r"\S+")
#: Texts of letters, blanks and common punctuation alone hold nothing that every language would say otherwise.
_PLAIN: Final = re.compile(r"[^\W\d_]*+(?:[ ,;:!?'\"()“”‘’„«»…。、，！？।؟.—\-]++[^\W\d_]*+)*+")
_SHORT_END: Final = re.compile(r"(?<!\w)\w{1,5}\.\W{0,9}$")
#: Acronyms, Roman numerals, letters of options, names of emoji, and numbers that count as letters.
_CAPITALS: Final = re.compile(
    r"[A-Z]{2}|\w-[A-Z]|\w [IVX]\b|^\(?[A-Z]\)|:[a-z+]"
    r"|[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2189\u1d62-\u1d65\u2c7c]"
)
#: Marks that end a sentence (Unicode's Sentence_Terminal), and others after which a voice is lowered or held.
_ENDS: Final = frozenset("!.?:;…؟؛۔।॥၊။።፧፨᙮᜵᜶‼‽⁇⁈⁉⸮⸼。；：꓿꘎꘏﹒﹖﹗！．？｡܀܁܂߹࠷࠹࠽࠾᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫")
#: What may stand behind the mark that ends a sentence.
_CLOSING: Final = "\"'”’»«)]}」』）】》〉››“‘*_ "
_WIDE: Final = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


@frozen
class _Piece:
    """A stretch of the spoken text: from `said_at` on it stands for what is written from `start` to `end`."""

    said_at: int
    start: int
    end: int
    #: Where it is spoken otherwise than written: the offsets of its spoken words, and (first character, end) of what is
    #: written for each.
    offsets: tuple[int, ...] = ()
    words: tuple[tuple[int, int], ...] = ()
    changed: bool = False


@frozen
class SpokenForm:
    """What a narrator hears of a written line."""

    text: str
    pieces: tuple[_Piece, ...]

    def written(self, words: Iterable[SpokenWord]) -> tuple[SpokenWord, ...]:
        """Return spoken words of `text` with their places in the written text."""
        starts = [piece.said_at for piece in self.pieces]
        return tuple(self._word(word, starts) for word in words)

    def _word(self, word: SpokenWord, starts: Sequence[int]) -> SpokenWord:
        if not self.pieces:
            return word
        first, _ = self._place(word.position, starts)
        _, end = self._place(word.position + max(word.length, 1) - 1, starts)
        return SpokenWord(first, max(end - first, 1), word.start_s)

    def _place(self, position: int, starts: Sequence[int]) -> tuple[int, int]:
        """Return the first written character for a spoken one, and the end of what is spoken with it."""
        piece = self.pieces[max(0, bisect_right(starts, position) - 1)]
        offset = position - piece.said_at
        if not piece.changed:
            at = min(piece.start + max(offset, 0), max(piece.end - 1, piece.start))
            return at, at + 1
        return piece.words[max(0, bisect_right(piece.offsets, offset) - 1)] if piece.words else (piece.start, piece.end)


def spoken_form(text: str, language: str, *, cut: bool = False) -> SpokenForm:
    """Make the spoken form of a line for a voice of a language (a BCP 47 tag, "und": unknown).

    A line that no mark ends gets a full stop, for voices are lowered at the end of a sentence only; but not one that is
    `cut`, whose sentence goes on in the next.
    """
    edits = list(_rules(language).edits(text)) if _needs_rules(text, language) else []
    stops = () if cut else _full_stop(text, edits)
    return _form(text, sorted([*edits, *stops], key=lambda edit: (edit.start, edit.end)))


def _needs_rules(text: str, language: str) -> bool:
    if not _PLAIN.fullmatch(text) or _CAPITALS.search(text):
        return True
    if language == "und":
        return False
    # A stop may be that of an abbreviation: within the line, or behind a short word at its end.
    if "." in text.rstrip("\"'”’“» .") or _SHORT_END.search(text):
        return True
    short = _without_stops(language)
    return short is not None and short.search(text) is not None


@cache
def _without_stops(language: str) -> re.Pattern[str] | None:
    """Return the pattern of abbreviations and names of letters alone."""
    words = lexicon_of(language)
    known = [re.escape(word) for word in (*words.before_word, *words.anywhere, *words.names) if word.isalpha()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(known)})(?!\w)") if known else None


@cache
def _rules(language: str) -> RuleSet:
    from handlers.generation.narration.spoken_forms.subjects import rules_for

    return RuleSet.of(rules_for(language))


def _full_stop(text: str, edits: Sequence[Edit]) -> Iterable[Edit]:
    """Yield the edit that ends a line with a full stop, in place of a comma, if it has no end."""
    end, rest = _end_of(text, len(text)), list(edits)
    while rest and rest[-1].end >= end and not rest[-1].said.strip():
        end = _end_of(text, rest.pop().start)
    if rest and rest[-1].end >= end:
        ended = rest[-1].said.rstrip(_CLOSING)[-1:] in _ENDS
        last = end
    else:
        last = end
        while last and text[last - 1] in _CLOSING:
            last -= 1
        ended = last == 0 or text[last - 1] in _ENDS
    if end == 0 or ended:
        return
    mark = "。" if _WIDE.match(text[last - 1]) else "."
    if last == end and text[last - 1] in ",،，、" and not (rest and rest[-1].end >= end):
        yield Edit(last - 1, last, mark)
    else:
        yield Edit(end, end, mark)


def _end_of(text: str, end: int) -> int:
    while end and text[end - 1].isspace():
        end -= 1
    return end


def _form(text: str, edits: Sequence[Edit]) -> SpokenForm:
    pieces: list[_Piece] = []
    said: list[str] = []
    at = length = 0
    for edit in [*edits, Edit(len(text), len(text), "")]:
        if edit.start > at:
            pieces.append(_Piece(length, at, edit.start))
            said.append(text[at : edit.start])
            length += edit.start - at
        if edit.said:
            # What is added behind a word belongs to its last character.
            start = edit.start if edit.end > edit.start else max(edit.start - 1, 0)
            aligned = list(_aligned(text, Edit(start, edit.end, edit.said)))
            offsets, words = tuple(offset for offset, *_ in aligned), tuple((at, end) for _, at, end in aligned)
            pieces.append(_Piece(length, start, edit.end, offsets, words, changed=True))
            said.append(edit.said)
            length += len(edit.said)
        at = edit.end
    return SpokenForm("".join(said), tuple(pieces))


def _aligned(text: str, edit: Edit) -> Iterable[tuple[int, int, int]]:
    """Yield (offset of a spoken word, first character and end of the written word that it says).

    Words that are spoken as they are written anchor the others, which are spread between them in order.
    """
    written = [match.span() for match in _WORD.finditer(text, edit.start, edit.end)]
    spoken = list(_WORD.finditer(edit.said))
    if len(written) < 2:
        start, end = written[0] if written else (edit.start, edit.end)
        yield from ((match.start(), start, max(end, start)) for match in spoken)
        return
    names = [_bare(text[start:end]) for start, end in written]
    anchors = [(-1, -1)]
    for number, match in enumerate(spoken):
        bare = _bare(match[0])
        found = next((at for at in range(anchors[-1][1] + 1, len(names)) if names[at] == bare), None)
        if bare and found is not None and len(spoken) != len(written):
            anchors.append((number, found))
    anchors.append((len(spoken), len(written)))
    places: list[int] = []
    for (one, at), (other, following) in pairwise(anchors):
        places += [at] if one >= 0 else []
        between, free = other - one - 1, following - at - 1
        places += [at + 1 + n * free // between if free else max(at, 0) for n in range(between)]
    for match, place in zip(spoken, accumulate(places, max), strict=True):
        yield match.start(), *written[min(place, len(written) - 1)]


def _bare(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold()
