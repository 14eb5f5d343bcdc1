"""Slices are counted anew and nothing else of them changes, wherever emulation prevention falls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.generation.encoding import h264
from handlers.generation.errors import EncodeError

#: x264's for 1920x1080 at 30 pictures a second; and with fixed_frame_rate_flag, a bit behind the two times of timing.
SPS = bytes.fromhex("67640028acb403c0113f2e02d40404050000030001000003003c0f1832a0")
FIXED = bytes.fromhex("67640028acb403c0113f2e02d40404050000030001000003003c8f1832a0")
BITS = 4


def plain(unit: bytes) -> bytes:
    """Without emulation prevention, byte by byte as 7.3.1 has it."""
    found, zeros = bytearray(), 0
    for byte in unit:
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        found.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(found)


def prevented(raw: bytes) -> bytes:
    found, zeros = bytearray(), 0
    for byte in raw:
        if zeros >= 2 and byte <= 3:
            found.append(3)
            zeros = 0
        found.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(found)


def golomb(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def slice_of(first: int, frame_num: int, rest: bytes) -> bytes:
    """A P slice whose bits behind frame_num are those of `rest`, and a last byte that isn't 0."""
    bits = golomb(first) + golomb(5) + golomb(0) + f"{frame_num:0{BITS}b}"
    bits += "".join(f"{byte:08b}" for byte in rest)
    bits += "1" + "0" * (-(len(bits) + 1) % 8)
    return prevented(b"\x41" + int(bits, 2).to_bytes(len(bits) // 8, "big"))


#: Such bytes as make emulation prevention come and go.
tricky = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), max_size=60).map(bytes)


@given(st.integers(0, 8000), st.integers(0, 15), st.integers(0, 40), tricky)
def test_a_slice_gets_another_number_and_stays_itself(first: int, before: int, after: int, rest: bytes) -> None:
    given = slice_of(first, before, rest)
    made = h264.numbered(given, after, BITS)
    assert made == slice_of(first, after % 16, rest)
    assert plain(made)[1:] != plain(given)[1:] or after % 16 == before


@given(st.lists(st.binary(min_size=1, max_size=30).map(lambda raw: prevented(b"\x41" + raw + b"\x80")), max_size=5))
def test_a_stream_is_taken_apart_as_it_was_put_together(parts: list[bytes]) -> None:
    assert h264.units(h264.stream(parts)) == parts
    assert h264.units(b"".join(b"\0\0\1" + part for part in parts)) == parts


def test_parameters_are_read_and_told_to_be_of_a_fixed_rate() -> None:
    assert h264.sequence_of(SPS) == h264.Sequence(BITS, h264.ORDER_OF_DECODING, progressive=True)
    assert h264.at_fixed_rate(SPS) == FIXED
    changed = int.from_bytes(plain(SPS), "big") ^ int.from_bytes(plain(FIXED), "big")
    assert changed.bit_count() == 1
    assert h264.sequence_of(FIXED) == h264.sequence_of(SPS)


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=4))
def test_samples_are_units_behind_their_sizes(parts: list[bytes]) -> None:
    assert h264.sized_units(h264.sized(parts)) == parts
    with pytest.raises(EncodeError):
        h264.sized_units(h264.sized(parts) + b"\0\0\0\5abc")


def test_parameters_of_another_kind_are_refused() -> None:
    with pytest.raises(EncodeError, match="High"):
        h264.sequence_of(b"\x67\x42\x00\x1e" + bytes(20))
    with pytest.raises(EncodeError, match="30 pictures"):
        h264.at_fixed_rate(b"\x67\x64\x00\x28\xac\xb4\x03\xc0\x11")
