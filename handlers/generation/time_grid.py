"""The grid every scene lies on, so that scenes made on different machines join without a seam.

A cell is 8/15 s: 16 video frames at 30 per second and 25 AAC frames of 1024 samples at 48 kHz.
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

#: 3.2 s: services where videos are published take none that is shorter than 3 s.
MIN_VIDEO_CELLS: Final = 6

#: 4.8 s: a segment begins with its only key picture, and where videos are published these are to be 5 s apart at most.
MAX_SEGMENT_CELLS: Final = 9


def cells_for(seconds: float) -> int:
    """Whole cells that hold `seconds`, at least one."""
    # A duration that is a whole number of cells but for float noise must not get one more.
    return max(1, math.ceil(seconds / float(CELL_SECONDS) - 1e-9))


def seconds_of(cells: int) -> float:
    """Length of `cells` in seconds."""
    return float(cells * CELL_SECONDS)


def fragment_number(cell: int) -> int:
    """The sequence number of the fragment that begins so many cells after the start of the video: from 1 on."""
    return cell + 1


def segment_cells(duration_cells: int) -> tuple[int, ...]:
    """Lengths in cells of the segments of a scene: as few as possible, as even as possible."""
    if duration_cells < 1:
        raise ValueError(f"a scene has at least one cell, not {duration_cells}")
    count = -(-duration_cells // MAX_SEGMENT_CELLS)
    short, longer = divmod(duration_cells, count)
    return (short + 1,) * longer + (short,) * (count - longer)


#: Silence in seconds. Music is turned down in the one and up in the other, so that it joins at its full level.
LEAD_IN_S: Final = 0.45
LEAD_OUT_S: Final = 0.80
