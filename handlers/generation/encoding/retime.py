"""Segments at another place in the video: their decode times are moved by whole cells, nothing is encoded again.

Fragments are numbered by their cell, so that their numbers rise over the whole video.
"""

from collections.abc import Mapping
from fractions import Fraction

from handlers.generation.encoding.mp4_boxes import Box, BoxError, boxes, find
from handlers.generation.time_grid import CELL_SECONDS, fragment_number

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
    fragments = [box for box in boxes(segment) if box.kind == b"moof"]
    if not fragments:
        raise BoxError("a segment without fragments")
    for fragment in fragments:
        parts = list(boxes(segment, fragment.body, fragment.end))
        cells = [_move_track(moved, part, scales, shift_cells) for part in parts if part.kind == b"traf"]
        if not cells:
            raise BoxError("a segment without decode times")
        for header in (part for part in parts if part.kind == b"mfhd"):
            moved[header.body + 4 : header.body + 8] = fragment_number(cells[0]).to_bytes(4, "big")
    return bytes(moved)


def _move_track(moved: bytearray, part: Box, scales: Mapping[int, int], shift_cells: int) -> int:
    """Moves a track's part of a fragment; returns the cell that it begins in now."""
    inside = {box.kind: box.body for box in boxes(moved, part.body, part.end)}
    if b"tfhd" not in inside or b"tfdt" not in inside:
        raise BoxError("a segment without decode times")
    header, time = inside[b"tfhd"], inside[b"tfdt"]
    track = int.from_bytes(moved[header + 4 : header + 8], "big")
    if track not in scales:
        raise BoxError(f"a segment of track {track}, which its init segment doesn't know")
    size = 8 if moved[time] == 1 else 4
    place = slice(time + 4, time + 4 + size)
    at = int.from_bytes(moved[place], "big") + _ticks(shift_cells, scales[track])
    if not 0 <= at < 1 << (8 * size):
        raise BoxError(f"a segment can't begin at {at}")
    moved[place] = at.to_bytes(size, "big")
    return at // _ticks(1, scales[track])


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
