"""Reads sequence diagrams: participants, messages, notes, and the frames around them (loop, alt, opt, par and others).

Activations, boxes around participants and links are left out.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from handlers.generation.script.mermaid.text import Opened, Row, label_of, title_of
from handlers.generation.script.mermaid.values import (
    MAX_STEPS,
    Actor,
    DiagramError,
    Fence,
    Head,
    Message,
    SequenceDiagram,
    SequenceNote,
)

_MAX_ACTORS: Final = 12
_ACTOR: Final = re.compile(r"(?:create[ \t]++)?(participant|actor)[ \t]++(\S.*+)")
_ALIAS: Final = re.compile(r"[ \t]as[ \t]")
_ARROW: Final = re.compile(r"<<--?+>>|--?>>|--?>|--?x|--?\)")
_NOTE: Final = re.compile(r"note[ \t]++(over|left[ \t]++of|right[ \t]++of)[ \t]++([^:]++):(.*+)", re.IGNORECASE)
_BEGIN: Final = re.compile(r"(loop|alt|opt|par|par_over|critical|break|rect|box)\b(.*+)")
_NEXT: Final = re.compile(r"(else|and|option)\b(.*+)")
_IGNORED: Final = re.compile(r"(?:activate|deactivate|destroy|links?|properties|details)\b.*+")
_HEADS: Final[dict[str, Head]] = {">>": "arrow", "x": "cross", ")": "arrow"}


def read_sequence(opened: Opened) -> SequenceDiagram:
    """Read the lines below the header. Raises DiagramError."""
    found = _Sequence(opened.title)
    for row in opened.rows[1:]:
        found.take(row)
    return found.done()


class _Sequence:
    def __init__(self, title: str) -> None:
        self._title, self._numbered = title, False
        self._actors: dict[str, Actor] = {}
        self._steps: list[Message | SequenceNote | Fence] = []
        self._open: list[tuple[str, int]] = []  # (word, line) of frames

    def done(self) -> SequenceDiagram:
        if self._open:
            raise DiagramError(self._open[-1][1], f"`{self._open[-1][0]}` has no end: write `end` below it")
        if not self._actors:
            raise DiagramError(1, "it has no participants")
        return SequenceDiagram(
            actors=tuple(self._actors.values()), steps=tuple(self._steps), title=self._title, numbered=self._numbered
        )

    def take(self, row: Row) -> None:
        text = row.text.rstrip("; \t")
        if len(self._steps) > MAX_STEPS:
            raise DiagramError(row.number, f"it has more than {MAX_STEPS} messages, which no page has room for")
        if match := _ACTOR.fullmatch(text):
            id_, _, label = _ALIAS.sub("\0", match[2], count=1).partition("\0")
            self._actor(id_.strip(), row, label_of(label) or id_.strip(), person=match[1] == "actor")
        elif (title := title_of(row)) is not None:
            self._title = title
        elif text.split()[:1] == ["autonumber"]:
            self._numbered = True
        elif not _IGNORED.fullmatch(text) and not self._frame(text, row) and not self._note(text, row):
            self._message(text, row)

    def _frame(self, text: str, row: Row) -> bool:
        if match := _BEGIN.fullmatch(text):
            if ":" in text and _ARROW.search(text.partition(":")[0]):
                return False  # a participant has that name
            self._open.append((match[1], row.number))
            if match[1] not in ("rect", "box"):
                self._steps.append(Fence(kind="begin", word=match[1].partition("_")[0], text=label_of(match[2])))
        elif (match := _NEXT.fullmatch(text)) and self._open:
            self._steps.append(Fence(kind="next", word=match[1], text=label_of(match[2])))
        elif text == "end":
            if not self._open:
                raise DiagramError(row.number, "there is nothing that `end` could end")
            if self._open.pop()[0] not in ("rect", "box"):
                self._steps.append(Fence(kind="end"))
        else:
            return False
        return True

    def _note(self, text: str, row: Row) -> bool:
        match = _NOTE.fullmatch(text)
        if match is None:
            return False
        at = sorted(self._actor(name.strip(), row) for name in match[2].split(","))
        where = match[1].split()[0].lower()
        side: Literal["over", "left", "right"] = "left" if where == "left" else "right" if where == "right" else "over"
        self._steps.append(SequenceNote(first=at[0], last=at[-1], text=label_of(match[3]), side=side))
        return True

    def _message(self, text: str, row: Row) -> None:
        ends, colon, said = text.partition(":")
        arrow = _ARROW.search(ends)
        if arrow is None or not colon:
            raise DiagramError(row.number, f"a message, such as A->>B: text, is expected at {text[:30]!r}")
        source, target = ends[: arrow.start()].strip(), ends[arrow.end() :].strip().lstrip("+-").strip()
        if not source or not target:
            raise DiagramError(row.number, f"a message needs a participant on both sides of {arrow[0]}")
        kind = arrow[0]
        head: Head = next((head for end, head in _HEADS.items() if kind.endswith(end)), "")
        self._steps.append(
            Message(
                source=self._actor(source, row),
                target=self._actor(target, row),
                text=label_of(said),
                dashed="--" in kind,
                head=head,
                tail="arrow" if kind.startswith("<<") else "",
            )
        )

    def _actor(self, id_: str, row: Row, label: str | None = None, *, person: bool = False) -> int:
        """Return the place of a participant; the first time that it is named decides it."""
        if id_ not in self._actors:
            if len(self._actors) == _MAX_ACTORS:
                raise DiagramError(row.number, f"it has more than {_MAX_ACTORS} participants")
            self._actors[id_] = Actor(id=id_, label=label or label_of(id_), person=person)
        return list(self._actors).index(id_)
