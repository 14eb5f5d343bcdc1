"""Request bodies that are sent in pieces, and the checksums by which the store verifies them.

botocore measures, signs and rewinds a body as a file; aiohttp sends it as an async iterable, without copying. As a
file (io.IOBase) aiohttp would read it in 64 KiB pieces with a hop to a thread for each.
"""

import hashlib
import os
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Self

from attrs import frozen

#: Bytes at a time: into digests, and to the transport.
_DIGEST_BYTES, _SEND_BYTES = 1024 * 1024, 128 * 1024


class PartBody(ABC):
    """A file for botocore, an async iterable for aiohttp. One reader at a time.

    `sha256` is that of the content in hex, once it has been computed.
    """

    def __init__(self, size_bytes: int, sha256: str | None = None) -> None:
        self.sha256 = sha256
        self._size = size_bytes
        self._position = 0

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size_bytes: int = -1) -> Any:
        """Return at most `size_bytes` bytes (negative: all), as a bytes-like object; an empty one at the end."""
        left = self._size - self._position
        data = self._piece(self._position, min(left, size_bytes) if size_bytes >= 0 else left)
        self._position += len(data)
        return data

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._position >= self._size:
            raise StopAsyncIteration
        return self.read(_SEND_BYTES)

    @abstractmethod
    def pieces(self) -> Iterator[Any]:
        """Yield the whole content from the beginning. Blocking; the position stays."""

    @abstractmethod
    def _piece(self, start: int, size_bytes: int) -> Any:
        """Return `size_bytes` bytes from `start`, which exist."""


class Body(PartBody):
    """Bytes in memory, which must not change before the answer arrives."""

    def __init__(self, data: bytes | memoryview, sha256: str | None = None) -> None:
        super().__init__(len(data), sha256)
        self._data = memoryview(data)

    def pieces(self) -> Iterator[memoryview]:
        yield self._data

    def _piece(self, start: int, size_bytes: int) -> Any:
        return self._data[start : start + size_bytes]


class FilePart(PartBody):
    """`size_bytes` of an open file from `start` on, none of which is kept in memory.

    It is sent by short reads in the event loop: its digests have been computed just before, so that the system has it
    in memory. Reading raises OSError if the file has become shorter.
    """

    def __init__(self, file: BinaryIO, start: int, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._file = file
        self._start = start

    def pieces(self) -> Iterator[bytearray]:
        for start in range(0, self._size, _DIGEST_BYTES):
            yield self._piece(start, min(_DIGEST_BYTES, self._size - start))

    def _piece(self, start: int, size_bytes: int) -> bytearray:
        data = bytearray(size_bytes)
        read_at(self._file, self._start + start, memoryview(data))
        return data


def read_at(file: BinaryIO, start: int, buffer: memoryview) -> int:
    """Fill the buffer from the file at `start`; return the number of bytes. Raises OSError if the file is too short."""
    read = os.preadv(file.fileno(), [buffer], start)
    if read < len(buffer):
        raise OSError(f"The file ends at {start + read} bytes: it has become shorter.")
    return read


@frozen
class Checksums:
    """Checksums of a body: request parameters by `S3Options.checksum`; ETag and SHA-256 if they were asked for."""

    parameters: Mapping[str, str]
    etag: str | None
    sha256: str | None


def checksums_of(kind: str, pieces: Iterable[Any], *, etag: bool = False, signed: bool = False) -> Checksums:
    """Compute the checksums of a body. Blocking.

    A part's ETag is the MD5 of its content, unless the server encrypts it (S3: SSE-C, SSE-KMS).
    """
    md5 = hashlib.md5(usedforsecurity=False) if etag or kind == "md5" else None
    sha256 = hashlib.sha256() if signed or kind == "sha256" else None
    for piece in pieces:
        for digest in (md5, sha256):
            if digest is not None:
                digest.update(piece)
    parameters = {}
    if md5 is not None and kind == "md5":
        parameters["ContentMD5"] = b64encode(md5.digest()).decode()
    if sha256 is not None and kind == "sha256":
        parameters["ChecksumSHA256"] = b64encode(sha256.digest()).decode()
    found = [None if digest is None else digest.hexdigest() for digest in (md5, sha256)]
    return Checksums(parameters, *found)
