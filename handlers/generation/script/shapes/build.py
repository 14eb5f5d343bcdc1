"""Makes sections of lines that are said, texts that are shown, and directions, as readers collect them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from attrs import define, evolve, field

from eventflow.requests.limits import LONGEST_PAUSE_S, LONGEST_WISH_S, MAX_HEADING_CHARS, MAX_TITLE_CHARS
from handlers.generation.script.content import Block, Paragraph, Said, Section, Sentence, Span, Spans
from handlers.generation.script.inline import parse_inline, plain
from handlers.generation.script.sentences import sentences
from handlers.generation.script.shapes.delivery import ENDS, goes_on, pieces, without_marks

_QUOTES: Final = {
    '"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "‘": "’", "‚": "‘", "'": "'",
    "”": "”", "《": "》",
}  # fmt: skip
MAX_HINT_CHARS: Final = 2_000
#: Characters of the longest text with which a line goes on.
_LONGEST_JOINED: Final = 1_000
_LINE_BREAK: Final = re.compile(r"<br\s{0,3}/?\s{0,3}>", re.IGNORECASE)
_LEADING: Final = re.compile(r"[(（\[]\s*([^()（）\[\]]{1,60})[)）\]]\s*")


def cut_sentences(spans: Spans) -> tuple[Spans, ...]:
    """Cut inline text into sentences."""
    return tuple(sentences(spans))


def unquoted(text: str) -> str:
    """Drop the quotation marks around a whole text."""
    text = text.strip()
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] in _QUOTES[text[0]]:
        inside = text[1:-1]
        if text[0] == "'" or not any(mark in inside for mark in (text[0], text[-1])):
            return inside.strip()
    return text


def spoken_text(text: str) -> str:
    """The words of inline Markdown."""
    return plain(parse_inline(_LINE_BREAK.sub(" ", text)))


def said_pieces(text: str, *, directed: bool = False) -> list[tuple[str, float]]:
    """Cut what a label introduces into sentences with the pauses behind them; quotation marks around it are dropped.

    `directed`: a parenthesis at its beginning says how it is spoken.
    """
    text = unquoted(spoken_text(text))
    if directed and (leading := _LEADING.match(text)) and leading.end() < len(text) and len(leading[1].split()) <= 5:
        text = unquoted(text[leading.end() :])
    found: list[tuple[str, float]] = []
    for piece, pause_s in pieces(text):
        parts = [plain(part) for part in cut_sentences((Span(unquoted(piece)),))] if piece else []
        found += [(part, 0.0) for part in parts[:-1]]
        if parts:
            found.append((parts[-1], pause_s))
        elif found:
            found[-1] = (found[-1][0], min(found[-1][1] + pause_s, LONGEST_PAUSE_S))
    return [(words, pause_s) for words, pause_s in found if any(map(str.isalnum, words))]


def with_cuts(found: Sequence[Sentence]) -> list[Sentence]:
    """Mark the sentences that a pause cuts in the middle, so that the voice isn't lowered at their ends."""
    words = [plain(each.spans) for each in found]
    return [
        evolve(each, cut=True) if each.pause_s and goes_on(words[at], "".join(words[at + 1 : at + 2])) else each
        for at, each in enumerate(found)
    ]


def rows(texts: Iterable[str]) -> Paragraph:
    """A paragraph of which each text is a row."""
    return Paragraph(tuple(Sentence(spans) for text in texts if (spans := parse_inline(text))), rows=True)


def heading_of(text: str) -> Spans:
    """A heading, cut where it is too long for one."""
    spans = parse_inline(without_marks(text))
    if len(plain(spans)) <= MAX_HEADING_CHARS:
        return spans
    return (Span(plain(spans)[: MAX_HEADING_CHARS - 1].rstrip() + "…"),)


def title_of(text: str) -> str:
    """A title of the video, cut where it is too long for one."""
    words = " ".join(spoken_text(without_marks(text)).split())
    return words if len(words) <= MAX_TITLE_CHARS else words[: MAX_TITLE_CHARS - 1].rstrip() + "…"


@define(kw_only=True)
class Draft:
    """A scene while it is collected."""

    title: str = ""
    wished_s: float | None = None
    said: list[Said] = field(factory=list)
    shown: list[tuple[Block, int]] = field(factory=list)
    hints: list[str] = field(factory=list)
    _block: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing but a title has been collected."""
        return not (self.said or self.shown or self.hints)

    def say_on(self, text: str) -> bool:
        """Add a further line of what is said; one that begins with a small letter is joined with the last one."""
        last = self.said[-1] if self.said else None
        ended = last is None or last.pause_s or last.text[-1:] in ENDS or len(last.text) > _LONGEST_JOINED
        if last is None or ended or not text[:1].islower():
            return self.say(text, speaker=last.speaker if last else "")
        self.said.pop()
        begun = self._block
        found = self.say(f"{last.text} {text}", speaker=last.speaker, directed=False)
        self._block = min(begun, self._block)
        return found

    def say(self, text: str, *, speaker: str = "", directed: bool = True) -> bool:
        """Add what is said; returns whether anything is."""
        found = said_pieces(text, directed=directed)
        self._block = len(self.said)
        for at, (words, pause_s) in enumerate(found, 1):
            after = found[at][0] if at < len(found) else ""
            cut = pause_s > 0 and goes_on(words, after)
            self.said.append(Said(words, speaker=speaker, pause_s=pause_s, cut=cut))
        return bool(found)

    def pause(self, seconds: float) -> None:
        """Add silence behind what was said last."""
        if self.said:
            last = self.said[-1]
            self.said[-1] = evolve(last, pause_s=min(last.pause_s + seconds, LONGEST_PAUSE_S))

    def show(self, block: Block, line: int | None = None) -> None:
        """Add a block that appears with a line of what is said; None: with the first line of what was said last."""
        begins = self._block if line is None else line
        self.shown.append((block, begins if self.said else 0))

    def hint(self, text: str) -> None:
        """Add a direction."""
        if text:
            self.hints.append(text)

    def spoken_section(self, title: str = "") -> Section:
        """The section of a scene that shows nothing of its own: what is said appears as it is said.

        `title`, that of the video, is its heading if it has none.
        """
        heading = heading_of(self.title or title) if self.title or title else ()
        first = int(bool(heading))
        turns = groupby(self.said, key=lambda line: line.speaker)
        body = (Paragraph(tuple(Sentence((Span(x.text),)) for x in said), speaker=name) for name, said in turns)
        lines = tuple(evolve(line, reveal=first + at) for at, line in enumerate(self.said))
        return self._section(1 if title else 2, heading, tuple(body), lines)

    def section(self, level: int = 2) -> Section:
        """The section of the scene; its heading isn't said."""
        heading = heading_of(self.title) if self.title else ()
        revealed = [0] * max(1, len(self.said))
        count = int(bool(heading))
        for block, begins in self.shown:
            count += len(block.sentences) if isinstance(block, Paragraph) else 1
            revealed[min(begins, len(revealed) - 1)] = count
        at, last = 0, max(0, count - 1)
        lines: list[Said] = []
        for number, line in enumerate(self.said or [Said("")]):
            at = max(at, revealed[number])
            lines.append(evolve(line, reveal=max(0, at - 1)))
        if not self.said:
            lines = [Said("", last)]
        return self._section(level, heading, tuple(block for block, _ in self.shown), tuple(lines))

    def _section(self, level: int, heading: Spans, body: tuple[Block, ...], lines: tuple[Said, ...]) -> Section:
        wished = None if self.wished_s is None or self.wished_s <= 0 else min(self.wished_s, LONGEST_WISH_S)
        return Section(
            level,
            heading,
            body,
            narration=lines,
            hint=" ".join("; ".join(self.hints).split())[:MAX_HINT_CHARS],
            wished_s=wished,
        )


def sections_of(drafts: Sequence[Draft], title: str = "") -> tuple[Section, ...]:
    """The sections of all scenes that have anything said, shown or directed.

    A scene that shows nothing shows what is said; the first one, the video's title over it.
    """
    filled = [draft for draft in drafts if not draft.empty]
    return tuple(
        draft.spoken_section("" if at else title) if draft.said and not draft.shown else draft.section()
        for at, draft in enumerate(filled)
    )


def speakers_of(sections: Iterable[Section]) -> tuple[str, ...]:
    """The names of those who speak, in order of appearance."""
    found: dict[str, None] = {}
    for section in sections:
        if isinstance(section.narration, tuple):
            found |= dict.fromkeys(line.speaker for line in section.narration if line.speaker)
        found |= dict.fromkeys(
            block.speaker for block in section.body if isinstance(block, Paragraph) and block.speaker
        )
    return tuple(found)
