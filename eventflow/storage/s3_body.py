"""Request bodies that don't copy their bytes, and what the store verifies them by."""

import hashlib
import io
import os
from base64 import b64encode
from typing import Any


class Body(io.RawIOBase):
    """Bytes as a file. io.BytesIO would do, but aiohttp makes it copy them (getbuffer), part by part."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = memoryview(data)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._data)}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = self._data[self._position : self._position + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def checksum_parameters(kind: str, data: bytes) -> dict[str, Any]:
    """The parameters of a request by which the store verifies its body (`S3Options.checksum`)."""
    if kind == "md5":
        return {"ContentMD5": b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()}
    if kind == "sha256":
        return {"ChecksumSHA256": b64encode(hashlib.sha256(data).digest()).decode()}
    return {}
