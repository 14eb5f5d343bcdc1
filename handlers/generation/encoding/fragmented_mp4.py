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


@frozen(kw_only=True)
class Mp4Box:
    """A box at `start`..`end` of its data; its content begins at `body`. `kind` is the four-character type."""

    kind: bytes
    start: int
    body: int
    end: int


class BoxError(ValueError):
    """The data is not a sequence of whole boxes, or lacks a box that it must have."""


def read_header(data: bytes | bytearray | memoryview, at: int = 0) -> tuple[bytes, int, int]:
    """Return (kind, size of the whole box, size of its header) at offset `at`. Raises BoxError.

    A box with size 0 (up to the end of the file) is refused: fragmented files have none.
    """
    size, kind, header = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), HEADER_BYTES
    if size == 1:
        size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
    if size < header:
        raise BoxError(f"box {kind!r} has the impossible size {size}")
    return kind, size, header


def boxes(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Mp4Box]:
    """Yield the boxes in `data[start:end]`, one level. Raises BoxError."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < HEADER_BYTES:
            raise BoxError(f"{end - start} bytes after the last box")
        kind, size, header = read_header(data, start)
        if start + size > end:
            raise BoxError(f"box {kind!r} ends {start + size - end} bytes behind its parent")
        yield Mp4Box(kind=kind, start=start, body=start + header, end=start + size)
        start += size


def find_boxes(data: bytes, *path: bytes) -> Iterator[Mp4Box]:
    """Yield all boxes at `path`, such as `b"moov", b"trak", b"tkhd"`. Raises BoxError."""

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
    """Return the absolute decode time of each track fragment of a media segment, in the track's timescale."""
    times = []
    for box in find_boxes(segment, b"moof", b"traf", b"tfdt"):
        wide = segment[box.body] == 1
        times.append(int.from_bytes(segment[box.body + 4 : box.body + (12 if wide else 8)], "big"))
    return tuple(times)


def sequence_numbers(segment: bytes) -> tuple[int, ...]:
    """Return the sequence numbers of the fragments of a media segment."""
    return tuple(
        int.from_bytes(segment[box.body + 4 : box.body + 8], "big") for box in find_boxes(segment, b"moof", b"mfhd")
    )


def decoder_config(init: bytes) -> str:
    """Digest the sample descriptions (avcC, AudioSpecificConfig, ...) of all tracks of an init segment: SHA-256 in hex.

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


#: Offset of the id in `tkhd` and of the timescale in `mdhd`, by version of the box.
_AFTER_TIMES = {0: 12, 1: 20}


def timescales(init: bytes) -> dict[int, int]:
    """Return the timescale (units per second) of each track id of an init segment. Raises BoxError."""
    ids = [_number(init, box.body) for box in find_boxes(init, b"moov", b"trak", b"tkhd")]
    scales = [_number(init, box.body) for box in find_boxes(init, b"moov", b"trak", b"mdia", b"mdhd")]
    if not ids or len(ids) != len(scales) or 0 in scales:
        raise BoxError("the init segment lacks a track id or timescale")
    return dict(zip(ids, scales, strict=True))


def retimed(segment: bytes, scales: Mapping[int, int], shift_cells: int) -> bytes:
    """Shift a segment by `shift_cells` (negative: earlier) in time and number. `scales` is from `timescales`.

    Nothing is re-encoded (decision 103). Raises BoxError where the segment has other tracks, or would begin before the
    video.
    """
    moved = bytearray(segment)
    fragments = [box for box in boxes(segment) if box.kind == b"moof"]
    if not fragments:
        raise BoxError("the segment has no fragments")
    for fragment in fragments:
        parts = list(boxes(segment, fragment.body, fragment.end))
        cells = [_move_track(moved, part, scales, shift_cells) for part in parts if part.kind == b"traf"]
        if not cells:
            raise BoxError("the segment has no decode times")
        for header in (part for part in parts if part.kind == b"mfhd"):
            moved[header.body + 4 : header.body + 8] = fragment_number(cells[0]).to_bytes(4, "big")
    return bytes(moved)


def _move_track(moved: bytearray, part: Mp4Box, scales: Mapping[int, int], shift_cells: int) -> int:
    """Shift a track fragment in place; return the cell that it begins in afterwards."""
    inside = {box.kind: box.body for box in boxes(moved, part.body, part.end)}
    if b"tfhd" not in inside or b"tfdt" not in inside:
        raise BoxError("the segment has no decode times")
    header, time = inside[b"tfhd"], inside[b"tfdt"]
    track = int.from_bytes(moved[header + 4 : header + 8], "big")
    if track not in scales:
        raise BoxError(f"the segment is of track {track}, which its init segment lacks")
    size = 8 if moved[time] == 1 else 4
    place = slice(time + 4, time + 4 + size)
    at = int.from_bytes(moved[place], "big") + _ticks(shift_cells, scales[track])
    if not 0 <= at < 1 << (8 * size):
        raise BoxError(f"the segment would begin at {at}")
    moved[place] = at.to_bytes(size, "big")
    return at // _ticks(1, scales[track])


def _ticks(cells: int, timescale: int) -> int:
    ticks = Fraction(cells * timescale) * CELL_SECONDS
    if ticks.denominator != 1:
        raise BoxError(f"the track's timescale {timescale} is not on the time grid")
    return ticks.numerator


def _number(data: bytes, body: int) -> int:
    """Read the number after creation and modification time."""
    at = body + _AFTER_TIMES.get(data[body], 0)
    if at == body:
        raise BoxError("the track header has an unknown version")
    return int.from_bytes(data[at : at + 4], "big")


#: Bytes of a box header with a 64-bit size.
_LONGEST_HEADER = 16


class SegmentWriter:
    """A file-like sink that cuts the muxer's output into an init file and one file per segment.

    `ftyp` and `moov` go to `init`; segment n gets `fragments[n]` fragments (a `moof` and its `mdat`). Fragments beyond
    the sum of `fragments` get a file each.
    """

    #: libavformat requires a name; it is not a path.
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
        """Route `data`, which may end anywhere inside a box; return its length."""
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
