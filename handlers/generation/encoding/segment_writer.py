"""A file-like sink that cuts a fragmented MP4 into an init file and one file per segment as it is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Self

from handlers.generation.encoding.mp4_boxes import HEADER_BYTES, read_header

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
