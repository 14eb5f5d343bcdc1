"""Reads WAV files as speech services send them: sizes that are placeholders, several files in one answer. Pure.

The size of `data` is believed where the body has as much. Services that don't know it yet write 0, almost 2^31 or 2^32,
or another number that no line can have; any other size beyond the body is that of a file that was cut off.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from attrs import frozen

#: More bytes than a line of speech can have; a size from here on is a placeholder.
MOST_BYTES: Final = 36_000_000
_HEADER: Final = re.compile(rb"RIFF.{4}WAVE", re.DOTALL)
_HEADER_BYTES: Final = 12
#: Chunks that may follow the samples; anything else there is samples, too.
_KNOWN: Final = frozenset(
    (
        b"LIST",
        b"id3 ",
        b"ID3 ",
        b"fact",
        b"cue ",
        b"smpl",
        b"bext",
        b"JUNK",
        b"junk",
        b"PEAK",
        b"iXML",
        b"_PMX",
        b"fmt ",
    )
)
_LEAST_FORMAT_BYTES: Final = 16


class BadSound(ValueError):
    """The bytes are no sound that can be read, or damaged."""


@frozen
class WavPart:
    """The format chunk of a WAV file, and its samples."""

    format: bytes
    samples: bytes

    @property
    def file(self) -> bytes:
        """A plain WAV file of the same."""
        pad = b"\0" * (len(self.samples) % 2)
        chunks = (_chunk(b"fmt ", self.format), _chunk(b"data", self.samples), pad)
        body = b"WAVE" + b"".join(chunks)
        return struct.pack("<4sI", b"RIFF", len(body)) + body


def is_wav(data: bytes) -> bool:
    """Tell whether `data` begins as a WAV file does."""
    return _HEADER.match(data) is not None


def wav_parts(data: bytes) -> Iterator[WavPart]:
    """Yield the files in `data`, which stand one behind the other. Raises BadSound."""
    starts = [match.start() for match in _HEADER.finditer(data)]
    for start, end in zip(starts, (*starts[1:], len(data)), strict=True):
        if (part := _part(data, start, end)) is not None:
            yield part


def _part(data: bytes, start: int, end: int) -> WavPart | None:
    """Read the file from `start` to `end`; None for one without samples."""
    place, form = start + _HEADER_BYTES, b""
    while place + 8 <= end:
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8
        if name == b"data":
            if len(form) < _LEAST_FORMAT_BYTES:
                raise BadSound("the WAV file has no format before its samples")
            samples = _samples(data, place, end, size)
            return WavPart(form, samples) if samples else None
        if size > end - place:
            raise BadSound("the WAV file is damaged: a chunk is longer than the file")
        if name == b"fmt ":
            form = data[place : place + size]
        place += size + size % 2
    raise BadSound("the WAV file has no samples")


def _samples(data: bytes, start: int, end: int, size: int) -> bytes:
    """Return the samples that begin at `start`: `size` bytes, and what follows them unless it is a known chunk."""
    if size > len(data) - start:
        if not (size >= 0x7FFFFFFF - 64 or size > MOST_BYTES):
            raise BadSound(f"the WAV file is cut off: {len(data) - start:,} of {size:,} bytes of samples have come")
        return data[start:end]
    if size == 0 or size >= end - start:
        return data[start:end]
    after = start + size + size % 2
    name, length = data[after : after + 4], int.from_bytes(data[after + 4 : after + 8], "little")
    if name in _KNOWN and length <= end - after - 8:
        return data[start : start + size]
    return data[start : start + size] + data[start + size : end]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content
