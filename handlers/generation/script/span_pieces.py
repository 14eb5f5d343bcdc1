"""Cuts inline text that is too long for one reveal into pieces."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.generation.script.content import Span, Spans
from handlers.generation.script.graphemes import place


def pieces_of(spans: Spans, longest: int) -> Iterator[tuple[Spans, bool]]:
    """Yield the runs of at most `longest` characters of a text, and whether each is the last one."""
    found = list(_chunks(spans, longest))
    yield from ((piece, at == len(found)) for at, piece in enumerate(found, start=1))


def _chunks(spans: Spans, longest: int) -> Iterator[Spans]:
    """Cut spans into runs of at most `longest` characters, between words if possible."""
    if spans and sum(map(len, texts := [span.text for span in spans])) <= longest and all(texts):
        yield spans
        return
    current: list[Span] = []
    room = longest
    for span in spans:
        rest = span.text
        if span.kind == "math":
            current.append(span)
            continue
        while len(rest) > room:
            cut = rest.rfind(" ", 0, room + 1)
            if cut <= 0:
                cut = 0 if current else place(rest, room)
            if piece := rest[:cut].rstrip():
                current.append(span.with_text(piece))
            if current:
                yield tuple(current)
            current, room, rest = [], longest, rest[cut:].lstrip()
        if rest:
            current.append(span.with_text(rest))
            room -= len(rest)
    if current:
        yield tuple(current)
