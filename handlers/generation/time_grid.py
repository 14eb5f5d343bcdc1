"""The time grid of scenes, on which scenes made on different machines join without a seam.

A cell is 8/15 s, the least time of whole video frames (16 at 30 per second) and whole AAC frames (25 of 1024 samples at
48 kHz).
"""

import math
from fractions import Fraction
from typing import Final

FRAME_RATE: Final = 30
FRAMES_PER_CELL: Final = 16
CELL_SECONDS: Final = Fraction(FRAMES_PER_CELL, FRAME_RATE)

VIDEO_TIMESCALE: Final = 15360
TICKS_PER_FRAME: Final = VIDEO_TIMESCALE // FRAME_RATE
TICKS_PER_CELL: Final = TICKS_PER_FRAME * FRAMES_PER_CELL

SAMPLE_RATE: Final = 48_000
SAMPLES_PER_CELL: Final = 25_600
AAC_FRAME_SAMPLES: Final = 1024
AAC_FRAMES_PER_CELL: Final = SAMPLES_PER_CELL // AAC_FRAME_SAMPLES

#: 3.2 s: publishing services accept no videos shorter than 3 s (decision 192).
MIN_VIDEO_CELLS: Final = 6

#: 4.8 s: a segment begins with its only key picture, and publishing services want these at most 5 s apart (decision
#: 189).
MAX_SEGMENT_CELLS: Final = 9


def cells_for(seconds: float) -> int:
    """Return the least number of cells that hold `seconds`, at least one."""
    # Float noise above a whole number of cells must not add one.
    return max(1, math.ceil(seconds / float(CELL_SECONDS) - 1e-9))


def seconds_of(cells: int) -> float:
    """Return the length of `cells` in seconds."""
    return float(cells * CELL_SECONDS)


def fragment_number(cell: int) -> int:
    """Return the sequence number of the fragment that begins `cell` cells after the video's start; from 1 on."""
    return cell + 1


def segment_cells(duration_cells: int) -> tuple[int, ...]:
    """Divide a scene into segments: lengths in cells, as few and as even as possible. Raises ValueError below 1."""
    if duration_cells < 1:
        raise ValueError(f"a scene must have at least one cell, not {duration_cells}")
    count = -(-duration_cells // MAX_SEGMENT_CELLS)
    short, longer = divmod(duration_cells, count)
    return (short + 1,) * longer + (short,) * (count - longer)


#: Silence at both ends of a scene in seconds, long enough for the ramps of music (decision 98).
LEAD_IN_S: Final = 0.45
LEAD_OUT_S: Final = 0.80
