"""Segments are moved by their decode times alone."""

import struct

import pytest

from handlers.generation.encoding.fragmented_mp4 import BoxError, decode_times, retimed, sequence_numbers, timescales
from handlers.generation.time_grid import SAMPLE_RATE, SAMPLES_PER_CELL, TICKS_PER_CELL, VIDEO_TIMESCALE
from tests.support.mp4_boxes import box


def track(number: int, timescale: int, *, wide: bool) -> bytes:
    times = b"\1\0\0\0" + b"\0" * 16 if wide else b"\0\0\0\0" + b"\0" * 8
    return box(
        b"trak",
        box(b"tkhd", times, struct.pack(">I", number), b"\0" * 60),
        box(b"mdia", box(b"mdhd", times, struct.pack(">I", timescale), b"\0" * 8)),
    )


def fragment(number: int, at: int, *, wide: bool = True) -> bytes:
    time = struct.pack(">IQ", 1 << 24, at) if wide else struct.pack(">II", 0, at)
    return box(b"traf", box(b"tfhd", b"\0\0\0\0", struct.pack(">I", number)), box(b"tfdt", time))


INIT = box(b"ftyp") + box(b"moov", track(1, VIDEO_TIMESCALE, wide=False), track(2, SAMPLE_RATE, wide=True))


def moof(cell: int, number: int) -> bytes:
    tracks = fragment(1, cell * TICKS_PER_CELL), fragment(2, cell * SAMPLES_PER_CELL, wide=False)
    return box(b"moof", box(b"mfhd", b"\0\0\0\0", struct.pack(">I", number)), *tracks)


SEGMENT = moof(3, 4) + box(b"mdat", b"pictures and sound") + moof(4, 5) + box(b"mdat", b"and more")


def test_tracks_are_told_by_both_versions_of_their_headers() -> None:
    assert timescales(INIT) == {1: VIDEO_TIMESCALE, 2: SAMPLE_RATE}


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 4_000])
def test_every_track_is_moved_by_the_same_time_and_nothing_else_changes(shift: int) -> None:
    moved = retimed(SEGMENT, timescales(INIT), shift)
    cells = (3 + shift, 4 + shift)
    assert decode_times(moved) == tuple(cell * ticks for cell in cells for ticks in (TICKS_PER_CELL, SAMPLES_PER_CELL))
    assert sequence_numbers(moved) == tuple(cell + 1 for cell in cells)
    assert retimed(moved, timescales(INIT), -shift) == SEGMENT
    assert len(moved) == len(SEGMENT)


def test_a_segment_that_was_numbered_by_itself_is_numbered_by_its_place_when_it_is_moved() -> None:
    assert sequence_numbers(retimed(moof(7, 1) + box(b"mdat"), timescales(INIT), -2)) == (6,)


@pytest.mark.parametrize(
    ("segment", "shift"),
    [
        (SEGMENT, -4),
        (SEGMENT, 200_000),  # the narrow time would overflow
        (box(b"moof", fragment(3, 0)), 1),
        (box(b"moof", box(b"mfhd", b"\0" * 8)), 1),
        (box(b"moof", box(b"traf", box(b"tfhd", b"\0" * 8))), 1),
        (b"\0\0\0\x20moof", 1),
        (box(b"mdat"), 1),
    ],
)
def test_what_can_not_be_moved_is_refused(segment: bytes, shift: int) -> None:
    with pytest.raises(BoxError):
        retimed(segment, timescales(INIT), shift)


def test_a_track_off_the_grid_is_refused() -> None:
    with pytest.raises(BoxError, match="grid"):
        retimed(SEGMENT, {1: 44_100 * 7 + 1, 2: SAMPLE_RATE}, 1)


@pytest.mark.parametrize("init", [b"", box(b"moov"), box(b"moov", track(1, 0, wide=True))])
def test_an_init_segment_without_tracks_is_refused(init: bytes) -> None:
    with pytest.raises(BoxError):
        timescales(init)
