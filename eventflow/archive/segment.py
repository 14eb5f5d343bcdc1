"""The format of a segment: histories of finished jobs in one object that is never changed.

    magic   8 bytes; the last two are the format's version
    blocks  one for each job: SHA-256 (32 bytes) of what follows, then its events as JSON lines, zlib
    index   JSON of one `SegmentEntry` for each block, zlib
    footer  offset and length of the index (8 bytes each, big-endian), its SHA-256, magic

A block is read alone: an archive pointer holds its offset and length. The events are the very bytes of the log. A
segment's name is its partition, the time of its writing and the SHA-256 of all its bytes.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from attrs import asdict, frozen

from eventflow.log.archive_pointers import BlockRef
from eventflow.log.errors import ArchiveDamaged

FORMAT_VERSION = 1
MAGIC = b"EFSEGM" + struct.pack(">H", FORMAT_VERSION)
MEDIA_TYPE = "application/vnd.eventflow.segment"

_FOOTER = struct.Struct(">QQ32s8s")
FOOTER_BYTES = _FOOTER.size
_DIGEST_BYTES = 32
_NAME = re.compile(r"(?P<partition>[0-9a-f]{2})/(?P<ms>[0-9]{13})-(?P<sha256>[0-9a-f]{64})\.efs")


@frozen(kw_only=True)
class SegmentEntry:
    """Where a job's history is in a segment. `created` is the time of its first event, RFC 3339.

    A job that was `deleted` is in no list of jobs.
    """

    job: str
    owner: str
    version: int
    created: str
    offset: int
    length: int
    sha256: str
    deleted: bool = False

    @property
    def block(self) -> BlockRef:
        """The job's block."""
        return BlockRef(offset=self.offset, length=self.length, version=self.version)


@frozen
class Segment:
    """A finished segment: its name, its bytes, and its index."""

    name: str
    data: bytes
    entries: tuple[SegmentEntry, ...]


class SegmentBuilder:
    """Collects blocks and compresses each as it is added, so that only compressed bytes are held."""

    def __init__(self) -> None:
        self._parts: list[bytes] = [MAGIC]
        self._entries: list[SegmentEntry] = []
        self.size_bytes = len(MAGIC)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, job: str, owner: str, created: datetime, payloads: Sequence[bytes], *, deleted: bool = False) -> None:
        """Add the whole history of `job`, as encoded in the log."""
        block = pack_block(payloads)
        sha256 = block[:_DIGEST_BYTES].hex()
        entry = SegmentEntry(
            job=job,
            owner=owner,
            version=len(payloads),
            created=created.isoformat(),
            offset=self.size_bytes,
            length=len(block),
            sha256=sha256,
            deleted=deleted,
        )
        self._entries.append(entry)
        self._parts.append(block)
        self.size_bytes += len(block)

    def finish(self, partition: int, now: datetime) -> Segment:
        """The segment of all added jobs."""
        index = zlib.compress(orjson.dumps([_row(entry) for entry in self._entries]), 6)
        footer = _FOOTER.pack(self.size_bytes, len(index), hashlib.sha256(index).digest(), MAGIC)
        data = b"".join([*self._parts, index, footer])
        name = f"{partition:02x}/{int(now.timestamp() * 1000):013d}-{hashlib.sha256(data).hexdigest()}.efs"
        return Segment(name, data, tuple(self._entries))


def _row(entry: SegmentEntry) -> dict[str, Any]:
    """The entry as JSON; without `deleted` where that is false, so that older code can read it."""
    row = asdict(entry)
    if not entry.deleted:
        del row["deleted"]
    return row


def pack_block(payloads: Sequence[bytes]) -> bytes:
    """The block of a history: checksum and compressed events."""
    body = zlib.compress(b"\n".join(payloads), 6)  # JSON as orjson writes it has no line ends
    return hashlib.sha256(body).digest() + body


def unpack_block(block: bytes, place: str) -> list[bytes]:
    """The events in a block. Raises ArchiveDamaged, whose message begins with `place`."""
    digest, body = block[:_DIGEST_BYTES], block[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise ArchiveDamaged(f"{place}: the block's checksum is wrong")
    try:
        return zlib.decompress(body).split(b"\n")
    except zlib.error as error:
        raise ArchiveDamaged(f"{place}: the block can't be decompressed: {error}") from error


def parse_footer(footer: bytes, size_bytes: int, name: str) -> tuple[int, int, bytes]:
    """(offset, length, SHA-256) of the index, from a segment's last `FOOTER_BYTES`. Raises ArchiveDamaged."""
    if len(footer) != FOOTER_BYTES:
        raise ArchiveDamaged(f"{name}: it is too short for a segment")
    offset, length, digest, magic = _FOOTER.unpack(footer)
    if magic[:6] != MAGIC[:6]:
        raise ArchiveDamaged(f"{name}: it doesn't end as a segment does")
    if magic != MAGIC:
        version = struct.unpack(">H", magic[6:])[0]
        raise ArchiveDamaged(f"{name}: it has format version {version}; this code reads version {FORMAT_VERSION}")
    if offset + length + FOOTER_BYTES != size_bytes:
        raise ArchiveDamaged(f"{name}: it has {size_bytes} bytes, and should have {offset + length + FOOTER_BYTES}")
    return offset, length, digest


def read_index(raw: bytes, digest: bytes, name: str) -> tuple[SegmentEntry, ...]:
    """The entries of an index. Raises ArchiveDamaged."""
    if hashlib.sha256(raw).digest() != digest:
        raise ArchiveDamaged(f"{name}: the index's checksum is wrong")
    try:
        return tuple(SegmentEntry(**row) for row in orjson.loads(zlib.decompress(raw)))
    except (zlib.error, ValueError, TypeError) as error:
        raise ArchiveDamaged(f"{name}: the index can't be read: {error}") from error


def partition_of_segment(name: str) -> int | None:
    """The partition of the segment `name`; None where that isn't a segment's name."""
    match = _NAME.fullmatch(name)
    return int(match["partition"], 16) if match else None


def time_of_segment(name: str) -> datetime:
    """The time at which the segment was written. Raises ValueError for another name."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} isn't a segment's name")
    return datetime.fromtimestamp(int(match["ms"]) / 1000, UTC)


def sha256_of_segment(name: str) -> str:
    """The SHA-256 of the segment's bytes (hex). Raises ValueError for another name."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} isn't a segment's name")
    return match["sha256"]
