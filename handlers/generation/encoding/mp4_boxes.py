"""ISO-BMFF boxes: enough to split a fragmented MP4 and to read what a decoder is configured with."""

import hashlib
from collections.abc import Iterator
from typing import Final

from attrs import frozen

_CONTAINERS: Final = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"))
HEADER_BYTES: Final = 8


@frozen
class Box:
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


def boxes(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes in `data[start:end]`, one level. Raises BoxError."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < HEADER_BYTES:
            raise BoxError(f"{end - start} bytes after the last box")
        kind, size, header = read_header(data, start)
        if start + size > end:
            raise BoxError(f"box {kind!r} ends {start + size - end} bytes after its parent")
        yield Box(kind, start, start + header, start + size)
        start += size


def find(data: bytes, *path: bytes) -> Iterator[Box]:
    """All boxes at `path`, such as `b"moov", b"trak", b"tkhd"`."""

    def walk(start: int, end: int, rest: tuple[bytes, ...]) -> Iterator[Box]:
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
    for box in find(segment, b"moof", b"traf", b"tfdt"):
        wide = segment[box.body] == 1
        times.append(int.from_bytes(segment[box.body + 4 : box.body + (12 if wide else 8)], "big"))
    return tuple(times)


def sequence_numbers(segment: bytes) -> tuple[int, ...]:
    """The numbers of the fragments of a media segment."""
    return tuple(int.from_bytes(segment[box.body + 4 : box.body + 8], "big") for box in find(segment, b"moof", b"mfhd"))


def decoder_config(init: bytes) -> str:
    """SHA-256 over the sample descriptions (avcC, AudioSpecificConfig, ...) of all tracks of an init segment.

    Raises BoxError when there are none.
    """
    digest = hashlib.sha256()
    found = False
    for box in find(init, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        digest.update(init[box.start : box.end])
        found = True
    if not found:
        raise BoxError("no sample description")
    return digest.hexdigest()
