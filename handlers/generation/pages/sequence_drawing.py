"""Draws sequence diagrams: columns with their lines, and messages, notes and frames from top to bottom, in em."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from attrs import define

from handlers.generation.pages.sketch import Sketch, Words, words
from handlers.generation.script.mermaid.values import Fence, Message, SequenceDiagram, SequenceNote

#: The longest rows of a participant's name, a message between neighbours and a note.
_LONGEST_NAME, _LONGEST_MESSAGE, _LONGEST_NOTE = 10.0, 15.0, 13.0
#: Least distance of columns; room beside names, messages and notes; between what follows each other.
_COLUMN: Final = 7.0
_APART: Final = 1.4
_GAP: Final = 1.1
#: How far a message to its own column goes out, and how high it is; how far frames stand out.
_LOOP, _LOOP_HEIGHT, _OUT = 2.0, 1.2, 0.8


@define
class _Frame:
    word: str
    text: str
    top: float
    first: int
    last: int
    parts: list[tuple[float, str]]


def sequence_data(diagram: SequenceDiagram) -> dict[str, Any]:
    """Return the drawing of a sequence diagram."""
    return _Drawing(diagram).data()


class _Drawing:
    def __init__(self, diagram: SequenceDiagram) -> None:
        self._diagram, self._sketch = diagram, Sketch()
        self._names = [words(actor.label, _LONGEST_NAME) for actor in diagram.actors]
        self._texts = self._said()
        self._left, self._right = _OUT, _OUT
        self._columns = self._places()
        self._at = 0.0
        self._frames: list[_Frame] = []

    def _said(self) -> list[Words]:
        texts, number = [], 0
        for step in self._diagram.steps:
            match step:
                case Message():
                    number += 1
                    text = f"{number}. {step.text}" if self._diagram.numbered else step.text
                    texts.append(words(text, _LONGEST_MESSAGE * max(1, abs(step.source - step.target))))
                case SequenceNote():
                    texts.append(words(step.text, _LONGEST_NOTE * (1 + step.last - step.first)))
                case _:
                    texts.append(words("", 1.0))
        return texts

    def _places(self) -> list[float]:
        """Return the middles of the columns: as far apart as names, messages and notes ask for, shorter ones first."""
        widths = [name.width + 1.6 for name in self._names]
        count = len(widths)
        gaps = [max(_COLUMN, (a + b) / 2 + _APART) for a, b in pairwise(widths)]
        wanted: list[tuple[int, int, float]] = []
        before, after = widths[0] / 2, widths[-1] / 2
        for step, text in zip(self._diagram.steps, self._texts, strict=True):
            if isinstance(step, Message) and step.source != step.target:
                first, last = sorted((step.source, step.target))
                wanted.append((first, last, text.width + _APART + 0.6))
            elif isinstance(step, Message):
                out = _LOOP + text.width + 1.0
                if step.source + 1 < count:
                    wanted.append((step.source, step.source + 1, out))
                after = max(after, out) if step.source + 1 == count else after
            elif isinstance(step, SequenceNote):
                wide = text.width + 1.2
                spaces: tuple[tuple[int, int, float], ...]
                first, last = step.first, step.last
                if step.side == "over":
                    wanted.append((first, last, wide - 1.6)) if first < last else None
                    half = wide / 2 if first == last else 0.8
                    spaces = ((first - 1, first, half), (last, last + 1, half))
                else:
                    beside = first - 1 if step.side == "left" else last
                    spaces = ((beside, beside + 1, wide + 1.0),)
                for low, high, space in spaces:
                    if low < 0:
                        before = max(before, space)
                    elif high >= count:
                        after = max(after, space)
                    else:
                        wanted.append((low, high, space + 0.6))
        for first, last, width in sorted(wanted, key=lambda want: want[1] - want[0]):
            missing = width - sum(gaps[first:last])
            if missing > 0:
                for at in range(first, last):
                    gaps[at] += missing / (last - first)
        depth = self._depth() * _OUT
        columns = [before + depth + 0.2]
        for gap in gaps:
            columns.append(columns[-1] + gap)
        self._right = columns[-1] + after + depth + 0.2
        return columns

    def _depth(self) -> int:
        deepest = depth = 0
        for step in self._diagram.steps:
            if isinstance(step, Fence):
                depth += {"begin": 1, "next": 0, "end": -1}[step.kind]
                deepest = max(deepest, depth)
        return deepest

    def data(self) -> dict[str, Any]:
        high = max(name.height for name in self._names) + 1.1
        self._at = high + 0.5
        for step, text in zip(self._diagram.steps, self._texts, strict=True):
            match step:
                case Message():
                    self._message(step, text)
                case SequenceNote():
                    self._note(step, text)
                case Fence():
                    self._fence(step)
        bottom = self._at + 0.8
        for x, name, actor in zip(self._columns, self._names, self._diagram.actors, strict=True):
            lifeline = {"points": [(x, high), (x, bottom)], "bends": [], "stroke": "dotted", "tone": "faint"}
            self._sketch.under.append(lifeline)
            shape = "pill" if actor.person else "box"
            self._sketch.box((x, high / 2), (name.width + 1.6, high), "actor", shape)
            self._sketch.text((x, high / 2), name, "actor")
        return self._sketch.data(self._right, bottom)

    def _touch(self, first: int, last: int) -> None:
        for frame in self._frames:
            frame.first, frame.last = min(frame.first, first), max(frame.last, last)

    def _message(self, step: Message, text: Words) -> None:
        stroke = "dotted" if step.dashed else "solid"
        begin, end = self._columns[step.source], self._columns[step.target]
        self._touch(min(step.source, step.target), max(step.source, step.target))
        if step.source == step.target:
            self._at += _GAP
            top, bottom, out = self._at, self._at + max(_LOOP_HEIGHT, text.height), begin + _LOOP
            self._sketch.line([(begin, top), (out, top), (out, bottom), (begin + 0.4, bottom)], stroke)
            self._sketch.head(step.head, (begin, bottom), (out, bottom))
            self._sketch.text((out + 0.7, (top + bottom) / 2), text, "link", anchor="left")
            self._at = bottom
            return
        self._at += _GAP * 0.6 + text.height
        self._sketch.text(((begin + end) / 2, self._at - text.height / 2), text, "link")
        self._at += 0.35
        onward = 1 if end > begin else -1
        ends = [0.5 if head == "arrow" else 0.0 for head in (step.tail, step.head)]
        self._sketch.line([(begin + onward * ends[0], self._at), (end - onward * ends[1], self._at)], stroke)
        self._sketch.head(step.head, (end, self._at), (begin, self._at))
        self._sketch.head(step.tail, (begin, self._at), (end, self._at))

    def _note(self, step: SequenceNote, text: Words) -> None:
        self._at += _GAP * 0.8
        wide, high = text.width + 1.2, text.height + 0.7
        first, last = self._columns[step.first], self._columns[step.last]
        if step.side == "over":
            middle, wide = (first + last) / 2, max(wide, last - first + 1.6)
        else:
            middle = first - wide / 2 - 0.6 if step.side == "left" else last + wide / 2 + 0.6
        self._touch(step.first, step.last)
        self._sketch.box((middle, self._at + high / 2), (wide, high), "note")
        self._sketch.text((middle, self._at + high / 2), text, "note")
        self._at += high

    def _fence(self, step: Fence) -> None:
        if step.kind == "begin":
            self._at += _GAP
            last = len(self._columns)
            self._frames.append(_Frame(step.word, step.text, self._at, last, -1, []))
            self._at += 1.3
        elif step.kind == "next" and self._frames:
            self._at += _GAP * 0.8
            self._frames[-1].parts.append((self._at, f"{step.word}  {step.text}".strip()))
            self._at += 1.2
        elif self._frames:
            self._at += _GAP * 0.7
            self._close(self._frames.pop())

    def _close(self, frame: _Frame) -> None:
        """Draw a frame around the columns that it touches; the more frames are in it the further it stands out."""
        first, last = (frame.first, frame.last) if frame.last >= 0 else (0, len(self._columns) - 1)
        depth = len(self._frames)
        out = (1 + self._depth() - depth) * _OUT + 1.0
        left = max(0.1 + depth * _OUT * 0.5, self._columns[first] - out)
        right = min(self._right - 0.1 - depth * _OUT * 0.5, max(self._columns[last] + out, left + 6.0))
        size = (right - left, self._at - frame.top)
        self._sketch.box(((left + right) / 2, frame.top + size[1] / 2), size, "fence")
        self._sketch.tab(left, frame.top, f"{frame.word}  {frame.text}".strip())
        for top, text in frame.parts:
            self._sketch.line([(left, top), (right, top)], "dotted", "faint")
            self._sketch.tab(left, top, text)
