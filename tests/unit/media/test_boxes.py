"""Boxes and the writer that cuts a stream of them into files."""

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.generation.encoding import mp4_boxes
from handlers.generation.encoding.segment_writer import SegmentWriter


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


def test_boxes_are_listed_with_both_kinds_of_size() -> None:
    data = INIT + b"".join(SEGMENTS)
    assert [b.kind for b in mp4_boxes.boxes(data)] == [b"ftyp", b"moov", b"moof", b"mdat", b"moof", b"mdat"]


def test_decode_times_of_both_versions() -> None:
    assert mp4_boxes.decode_times(SEGMENTS[0]) == (7_000_000_000, 42)


@pytest.mark.parametrize("data", [b"\0\0\0\x20moof", b"abc", b"\0\0\0\0mdat", INIT[:-1]])
def test_broken_data_is_refused(data: bytes) -> None:
    with pytest.raises(mp4_boxes.BoxError):
        list(mp4_boxes.boxes(data))


def test_no_decoder_configuration_is_an_error() -> None:
    with pytest.raises(mp4_boxes.BoxError, match="sample description"):
        mp4_boxes.decoder_config(INIT)


@given(st.lists(st.integers(1, 60), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_the_stream_is_cut_alike_wherever_writes_end(tmp_path: Path, sizes: list[int]) -> None:
    data = INIT + b"".join(SEGMENTS)
    with SegmentWriter(tmp_path, "q", (1, 1)) as writer:
        at = 0
        for size in [*sizes, len(data)]:
            assert writer.write(data[at : at + size]) == len(data[at : at + size])
            at += size
    assert writer.init.read_bytes() == INIT
    assert [path.read_bytes() for path in writer.segments] == SEGMENTS
