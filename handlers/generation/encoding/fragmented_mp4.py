"""ISO-BMFF boxes: enough to split a fragmented MP4 and to read what a decoder is configured with.

Segments at another place in the video: their decode times are moved by whole cells, nothing is encoded again.

Fragments are numbered by their cell, so that their numbers rise over the whole video.

A file-like sink that cuts a fragmented MP4 into an init file and one file per segment as it is written.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final, Self

from attrs import frozen

from handlers.generation.time_grid import CELL_SECONDS, fragment_number

_CONTAINERS: Final = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"))
HEADER_BYTES: Final = 8


@frozen
class Mp4Box:
    """A box at `start`..`end` of the data it was found in; `body` is where its content begins."""

    kind: bytes
    start: int
    body: int
    end: int


class BoxError(ValueError):
    """The data is not a sequence of whole boxes."""


def read_header(data: bytes | bytearray | memoryview, at: int = 0) -> tuple[bytes, int, int]:
    """(kind, size of the whole box, size of its header) at `at`. Raises BoxError.

    A box that goes on to the end of the file (size 0) is refused: a fragmented file has none.
    """
    size, kind, header = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), HEADER_BYTES
    if size == 1:
        size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
    if size < header:
        raise BoxError(f"box {kind!r} has the impossible size {size}")
    return kind, size, header


def boxes(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Mp4Box]:
    """The boxes in `data[start:end]`, one level. Raises BoxError."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < HEADER_BYTES:
            raise BoxError(f"{end - start} bytes after the last box")
        kind, size, header = read_header(data, start)
        if start + size > end:
            raise BoxError(f"box {kind!r} ends {start + size - end} bytes after its parent")
        yield Mp4Box(kind, start, start + header, start + size)
        start += size


def find_boxes(data: bytes, *path: bytes) -> Iterator[Mp4Box]:
    """All boxes at `path`, such as `b"moov", b"trak", b"tkhd"`."""

    def walk(start: int, end: int, rest: tuple[bytes, ...]) -> Iterator[Mp4Box]:
        for box in boxes(data, start, end):
            if box.kind != rest[0]:
                continue
            if len(rest) == 1:
                yield box
            elif box.kind in _CONTAINERS:
                yield from walk(box.body, box.end, rest[1:])

    return walk(0, len(data), path)


def decode_times(segment: bytes) -> tuple[int, ...]:
    """The absolute decode time of each track fragment of a media segment, in the track's timescale."""
    times = []
    for box in find_boxes(segment, b"moof", b"traf", b"tfdt"):
        wide = segment[box.body] == 1
        times.append(int.from_bytes(segment[box.body + 4 : box.body + (12 if wide else 8)], "big"))
    return tuple(times)


def sequence_numbers(segment: bytes) -> tuple[int, ...]:
    """The numbers of the fragments of a media segment."""
    return tuple(
        int.from_bytes(segment[box.body + 4 : box.body + 8], "big") for box in find_boxes(segment, b"moof", b"mfhd")
    )


def decoder_config(init: bytes) -> str:
    """SHA-256 over the sample descriptions (avcC, AudioSpecificConfig, ...) of all tracks of an init segment.

    Raises BoxError when there are none.
    """
    digest = hashlib.sha256()
    found = False
    for box in find_boxes(init, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        digest.update(init[box.start : box.end])
        found = True
    if not found:
        raise BoxError("no sample description")
    return digest.hexdigest()


#: Where the id is in a track's header and the timescale in its media header, by version of the box.
_AFTER_TIMES = {0: 12, 1: 20}


def timescales(init: bytes) -> dict[int, int]:
    """Track id -> units of time per second, from an init segment. Raises BoxError."""
    ids = [_number(init, box.body) for box in find_boxes(init, b"moov", b"trak", b"tkhd")]
    scales = [_number(init, box.body) for box in find_boxes(init, b"moov", b"trak", b"mdia", b"mdhd")]
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


def _move_track(moved: bytearray, part: Mp4Box, scales: Mapping[int, int], shift_cells: int) -> int:
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


#: Enough for the long form of a box header.
_LONGEST_HEADER = 16


class SegmentWriter:
    """Takes the muxer's bytes: `ftyp` and `moov` go to `init`, and so many fragments each to the segments' files.

    A fragment begins with its `moof`. Those that come after all of `fragments` have a file each.
    """

    #: libavformat wants a name; it is not a path.
    name = "segments.mp4"

    def __init__(self, directory: Path, stem: str, fragments: Sequence[int]) -> None:
        self.init = directory / f"{stem}-init.mp4"
        self.segments: list[Path] = []
        self._directory = directory
        self._stem = stem
        self._planned = iter(fragments)
        self._missing = 0
        self._header = bytearray()
        self._left = 0
        self._file: BinaryIO = self.init.open("wb")

    def write(self, data: bytes) -> int:
        """Route `data`, which may end anywhere inside a box."""
        view = memoryview(data)
        while view:
            if self._left:
                part, view = view[: self._left], view[self._left :]
                self._file.write(part)
                self._left -= len(part)
                continue
            wanted = _LONGEST_HEADER if self._header[:4] == b"\0\0\0\1" else HEADER_BYTES
            missing = wanted - len(self._header)
            self._header += view[:missing]
            view = view[missing:]
            if len(self._header) >= HEADER_BYTES and (
                self._header[:4] != b"\0\0\0\1" or len(self._header) == _LONGEST_HEADER
            ):
                self._begin_box()
        return len(data)

    def _begin_box(self) -> None:
        kind, size, header = read_header(self._header)
        if kind == b"moof":
            if not self._missing:
                self._next_segment()
            self._missing -= 1
        self._file.write(self._header)
        self._left = size - header
        self._header.clear()

    def _next_segment(self) -> None:
        self._file.close()
        self._missing = next(self._planned, 1)
        path = self._directory / f"{self._stem}-{len(self.segments):04d}.m4s"
        self.segments.append(path)
        self._file = path.open("wb")

    def close(self) -> None:
        """Close the last file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
