"""Boxes and the writer that cuts a stream of them into files."""

import pytest

from handlers.generation.encoding import fragmented_mp4
from tests.support.mp4_boxes import INIT, SEGMENTS


def test_boxes_are_listed_with_both_kinds_of_size() -> None:
    data = INIT + b"".join(SEGMENTS)
    assert [b.kind for b in fragmented_mp4.boxes(data)] == [b"ftyp", b"moov", b"moof", b"mdat", b"moof", b"mdat"]


def test_decode_times_of_both_versions() -> None:
    assert fragmented_mp4.decode_times(SEGMENTS[0]) == (7_000_000_000, 42)


@pytest.mark.parametrize("data", [b"\0\0\0\x20moof", b"abc", b"\0\0\0\0mdat", INIT[:-1]])
def test_broken_data_is_refused(data: bytes) -> None:
    with pytest.raises(fragmented_mp4.BoxError):
        list(fragmented_mp4.boxes(data))


def test_no_decoder_configuration_is_an_error() -> None:
    with pytest.raises(fragmented_mp4.BoxError, match="sample description"):
        fragmented_mp4.decoder_config(INIT)
