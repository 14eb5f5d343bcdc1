"""Narration with the times of its words, as a narrator gives it."""

from __future__ import annotations

import re

from handlers.generation.model import Narration, SpokenLine, Word
from handlers.generation.time_grid import cells_for

LONG = "Every step of the work is an event, written down once. "
LONG += "Nothing is lost when a worker dies, because the log is kept."


def narration(*lines: str, per_word_s: float = 0.4, heard: bool = True, pause_s: float = 0.32) -> Narration:
    """Each word of letters takes the same time."""
    spoken, at = [], 0.45
    for line in lines:
        found = list(re.finditer(r"\w+", line))
        words = [Word(word.start(), len(word[0]), at + per_word_s * number) for number, word in enumerate(found)]
        spoken.append(
            SpokenLine(
                text=line, start_s=at, end_s=at + per_word_s * max(1, len(found)), words=tuple(words) if heard else ()
            )
        )
        at = spoken[-1].end_s + pause_s
    return Narration(duration_cells=cells_for(at + 0.8), cues=(), lines=tuple(spoken))
