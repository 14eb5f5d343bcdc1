"""The format of the archive's segments: what was put in comes out, and nothing else passes for it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventflow.archive.segment import (
    FOOTER_BYTES,
    SegmentBuilder,
    parse_footer,
    partition_of_segment,
    read_index,
    sha256_of_segment,
    unpack_block,
)
from eventflow.log.archive_pointers import ArchivePointer, BlockRef
from eventflow.log.errors import ArchiveDamaged

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
payloads = st.lists(st.dictionaries(st.text(), st.text()).map(orjson.dumps), min_size=1, max_size=5)


@given(st.lists(payloads, min_size=1, max_size=6))
def test_what_was_put_in_comes_out(histories: list[list[bytes]]) -> None:
    builder = SegmentBuilder()
    for number, history in enumerate(histories):
        builder.add(f"00-{number:032x}", "alice", AT, history)
    segment = builder.finish(7, AT)
    offset, length, digest = parse_footer(segment.data[-FOOTER_BYTES:], len(segment.data), segment.name)
    entries = read_index(segment.data[offset : offset + length], digest, segment.name)
    assert entries == segment.entries
    found = [unpack_block(segment.data[e.offset : e.offset + e.length], e.job) for e in entries]
    assert found == histories
    assert [entry.version for entry in entries] == [len(history) for history in histories]


def test_a_name_tells_partition_time_and_content() -> None:
    builder = SegmentBuilder()
    builder.add("07-" + "0" * 32, "alice", AT, [b"{}"])
    segment = builder.finish(7, AT)
    assert segment.name.startswith("07/1767323045000-")
    assert partition_of_segment(segment.name) == 7
    assert sha256_of_segment(segment.name) == hashlib.sha256(segment.data).hexdigest()
    assert partition_of_segment("07/notes.txt") is None
    with pytest.raises(ValueError, match="isn't a segment's name"):
        sha256_of_segment("07/notes.txt")


@given(st.integers(0, 2**31), st.integers(1, 7))
def test_no_changed_bit_of_a_block_goes_unseen(at: int, bit: int) -> None:
    builder = SegmentBuilder()
    builder.add("07-" + "0" * 32, "alice", AT, [b'{"a":1}', b'{"b":2}'])
    segment = builder.finish(7, AT)
    (entry,) = segment.entries
    block = bytearray(segment.data[entry.offset : entry.offset + entry.length])
    block[at % len(block)] ^= 1 << bit
    with pytest.raises(ArchiveDamaged, match="here: the block's checksum"):
        unpack_block(bytes(block), "here")


@given(st.integers(0, 2**24 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**24 - 1))
def test_a_tombstone_is_14_bytes(number: int, offset: int, length: int, version: int) -> None:
    place = BlockRef(offset, length, version)
    raw = number.to_bytes(3, "big") + place.packed()
    assert len(raw) == 14
    assert ArchivePointer.parse(raw) == ArchivePointer(number, place, raw)
    with pytest.raises(ValueError, match="14 bytes"):
        ArchivePointer.parse(raw[1:])
