"""A fragmented MP4 of two segments, box by box; its times have both forms."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def long_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body


TFDT = box(b"tfdt", b"\1\0\0\0", struct.pack(">Q", 7_000_000_000))
OLD_TFDT = box(b"tfdt", b"\0\0\0\0", struct.pack(">I", 42))
MOOF = box(b"moof", box(b"mfhd", b"\0" * 8), box(b"traf", TFDT), box(b"traf", OLD_TFDT))
INIT = box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", b"\0" * 20))
SEGMENTS = [MOOF + box(b"mdat", b"first"), MOOF + long_box(b"mdat", b"second" * 50)]
