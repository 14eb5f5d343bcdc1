"""The pace of speech: whether a sound can be that of a text, whether a service heeds a rate; stretching. Blocking."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import av
import av.filter
import numpy as np

from handlers.generation.audio.pcm import Samples
from handlers.generation.narration.narrators.base import audible_range

#: Letters a second at rate 1, of voices and languages with letters.
USUAL_PACE: Final = 14.0
#: Shortest speech of a letter or digit at rate 1, and longest of a line (a base, a part for each character): seconds.
_SHORTEST_S: Final = 0.02
_LONGEST_S, _PER_CHARACTER_S = 20.0, 0.6
#: Letters that a line needs for its pace to be measured, and the least rate that can be told from 1.
_LEAST_LETTERS: Final = 12
_LEAST_RATIO: Final = math.log(1.25)


def letters_of(text: str) -> int:
    """Count what is spoken of a text."""
    return sum(map(str.isalnum, text))


def fault_of(text: str, samples: Samples, rate: int, factor: float) -> str | None:
    """Return why a sound can't be `text` spoken at `factor` times the usual pace, or None."""
    letters, part = letters_of(text), audible_range(samples)
    if letters and part is None:
        return f"silence for {len(text)} characters"
    heard_s = (part[1] - part[0]) / rate if part else 0.0
    if heard_s < _SHORTEST_S * letters / factor:
        return f"{heard_s:.2f} s of sound for {len(text)} characters"
    length_s = len(samples) / rate
    if length_s > _LONGEST_S + _PER_CHARACTER_S * len(text) / factor:
        return f"{length_s:.0f} s for {len(text)} characters"
    return None


def pace_of(text: str, samples: Samples, rate: int) -> float | None:
    """Return the letters a second of a line; None for one that is too short."""
    letters, part = letters_of(text), audible_range(samples)
    if letters < _LEAST_LETTERS or part is None:
        return None
    return letters / ((part[1] - part[0]) / rate)


def is_ignored(pace: float, factor: float, usual: float) -> bool:
    """Tell whether a pace is nearer to the `usual` one than to `factor` times that."""
    if abs(math.log(factor)) < _LEAST_RATIO:
        return False
    return abs(math.log(pace / usual)) < abs(math.log(pace / (usual * factor)))


def stretched(samples: Samples, rate: int, factor: float) -> Samples:
    """Return the same speech at `factor` times its pace (0.5 to 2), its pitch unchanged."""
    if factor == 1.0:
        return samples
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate))
    tempo, sink = graph.add("atempo", f"{factor:.6f}"), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    graph.push(frame)
    graph.push(None)
    pieces = []
    while True:
        try:
            pieces.append(graph.pull().to_ndarray()[0])
        except (av.EOFError, av.BlockingIOError):
            break
    return np.concatenate(pieces).astype(np.int16) if pieces else samples
