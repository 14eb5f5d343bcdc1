"""Segments at another place in the video: their decode times are moved by whole cells, nothing is encoded again."""

from collections.abc import Mapping
from fractions import Fraction

from handlers.generation.boxes import BoxError, find
from handlers.generation.grid import CELL_SECONDS

#: Where the id is in a track's header and the timescale in its media header, by version of the box.
_AFTER_TIMES = {0: 12, 1: 20}


def timescales(init: bytes) -> dict[int, int]:
    """Track id -> units of time per second, from an init segment. Raises BoxError."""
    ids = [_number(init, box.body) for box in find(init, b"moov", b"trak", b"tkhd")]
    scales = [_number(init, box.body) for box in find(init, b"moov", b"trak", b"mdia", b"mdhd")]
    if not ids or len(ids) != len(scales) or 0 in scales:
        raise BoxError("an init segment whose tracks can't be told")
    return dict(zip(ids, scales, strict=True))


def retimed(segment: bytes, scales: Mapping[int, int], shift_cells: int) -> bytes:
    """`segment` with every track beginning `shift_cells` later (negative: earlier).

    Raises BoxError where it isn't a segment of these tracks, or would begin before the video.
    """
    moved = bytearray(segment)
    headers = list(find(segment, b"moof", b"traf", b"tfhd"))
    times = list(find(segment, b"moof", b"traf", b"tfdt"))
    if not times or len(headers) != len(times):
        raise BoxError("a segment without decode times")
    for header, time in zip(headers, times, strict=True):
        track = int.from_bytes(segment[header.body + 4 : header.body + 8], "big")
        if track not in scales:
            raise BoxError(f"a segment of track {track}, which its init segment doesn't know")
        size = 8 if segment[time.body] == 1 else 4
        place = slice(time.body + 4, time.body + 4 + size)
        at = int.from_bytes(segment[place], "big") + _ticks(shift_cells, scales[track])
        if not 0 <= at < 1 << (8 * size):
            raise BoxError(f"a segment can't begin at {at}")
        moved[place] = at.to_bytes(size, "big")
    return bytes(moved)


def _ticks(cells: int, timescale: int) -> int:
    ticks = Fraction(cells * timescale) * CELL_SECONDS
    if ticks.denominator != 1:
        raise BoxError(f"a track of {timescale} units a second is not on the grid")
    return ticks.numerator


def _number(data: bytes, body: int) -> int:
    """The number after the times of creation and change."""
    at = body + _AFTER_TIMES.get(data[body], 0)
    if at == body:
        raise BoxError("a header of an unknown version")
    return int.from_bytes(data[at : at + 4], "big")
