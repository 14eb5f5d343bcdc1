"""H.264's NAL units (ITU-T Rec. H.264): as far as pictures have to be counted anew. Pure.

What is read and written here are the headers that x264 writes under the encoder contract: High profile, frames alone,
output in the order of decoding.
"""

import re
from collections.abc import Iterable
from typing import Final

from attrs import frozen

from handlers.generation.errors import EncodeError
from handlers.generation.time_grid import FRAME_RATE

#: Types of units (table 7-1).
SLICE: Final = 1
IDR_SLICE: Final = 5
_SEQUENCE_PARAMETERS: Final = 7
#: pic_order_cnt_type in which nothing but frame_num tells when a picture is seen.
ORDER_OF_DECODING: Final = 2
_TYPE: Final = 0x1F
_START: Final = b"\0\0\1"
#: How libav writes the size of a unit in an MP4 of ours (avcC: lengthSizeMinusOne is 3).
_SIZE_BYTES: Final = 4

#: Bytes in which what stands in front of a slice's frame_num ends for certain, and frame_num itself.
_HEAD_BYTES: Final = 16
_HIGH_PROFILE: Final = 100


def units(data: bytes) -> list[bytes]:
    """The NAL units of a byte stream (annex B), without start codes. The last byte of a unit is never 0 (7.4.1)."""
    return [unit.rstrip(b"\0") for unit in data.split(_START)[1:]]


def stream(parts: Iterable[bytes]) -> bytes:
    """NAL units as a byte stream."""
    return b"".join(b"\0" + _START + part for part in parts)


def sized_units(data: bytes) -> list[bytes]:
    """The NAL units of a sample in an MP4, each behind its size (ISO/IEC 14496-15). Raises EncodeError."""
    found, at = list[bytes](), 0
    while at < len(data):
        start = at + _SIZE_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    if at != len(data) or not all(found):
        raise EncodeError("a sample that isn't made of NAL units")
    return found


def sized(parts: Iterable[bytes]) -> bytes:
    """NAL units as a sample in an MP4."""
    return b"".join(len(part).to_bytes(_SIZE_BYTES, "big") + part for part in parts)


def kind_of(unit: bytes) -> int:
    """nal_unit_type."""
    return unit[0] & _TYPE


@frozen
class Sequence:
    """Of a sequence's parameters: how long frame_num is in its slices, by which rule pictures are put out, and whether
    all of them are frames."""

    frame_num_bits: int
    order_type: int
    progressive: bool


def sequence_of(sps: bytes) -> Sequence:
    """Reads sequence parameters (7.3.2.1). Raises EncodeError for those of a kind that isn't made here."""
    if kind_of(sps) != _SEQUENCE_PARAMETERS or sps[1] != _HIGH_PROFILE:
        raise EncodeError("sequence parameters of another profile than High")
    bits, at = _bits(sps), 4 * 8
    for _ in ("seq_parameter_set_id", "chroma_format_idc", "bit_depth_luma_minus8", "bit_depth_chroma_minus8"):
        _, at = _exp_golomb(bits, at)
    if bits[at : at + 2] != "00":  # qpprime_y_zero_transform_bypass_flag, seq_scaling_matrix_present_flag
        raise EncodeError("sequence parameters with scaling matrices")
    log2_less_4, at = _exp_golomb(bits, at + 2)
    order_type, at = _exp_golomb(bits, at)
    if order_type == 1:
        raise EncodeError("sequence parameters with pictures in an order of type 1")
    if order_type == 0:
        _, at = _exp_golomb(bits, at)  # log2_max_pic_order_cnt_lsb_minus4
    _, at = _exp_golomb(bits, at)  # max_num_ref_frames
    at += 1  # gaps_in_frame_num_value_allowed_flag
    for _ in ("pic_width_in_mbs_minus1", "pic_height_in_map_units_minus1"):
        _, at = _exp_golomb(bits, at)
    return Sequence(log2_less_4 + 4, order_type, progressive=bits[at] == "1")


def at_fixed_rate(sps: bytes) -> bytes:
    """The sequence's parameters with fixed_frame_rate_flag set (annex E), which x264 does only where it isn't told how
    long pictures last. Raises EncodeError where they don't tell the grid's rate.
    """
    timing = f"1{1:032b}{2 * FRAME_RATE:032b}"  # present; num_units_in_tick, time_scale (two ticks a frame)
    before, found, after = _bits(sps).partition(timing)
    if not found:
        raise EncodeError(f"x264's sequence parameters don't tell {FRAME_RATE} pictures a second")
    return _escaped(_bytes(before + timing + "1" + after[1:]))


def counted(parts: Iterable[bytes], frame_num: int, bits: int) -> list[bytes]:
    """The units of a picture, every slice with another frame_num. Threads of x264 that share a picture make a slice
    each."""
    return [numbered(part, frame_num, bits) if kind_of(part) in (SLICE, IDR_SLICE) else part for part in parts]


def numbered(unit: bytes, frame_num: int, bits: int) -> bytes:
    """A slice with another frame_num, which is `bits` long."""
    cut = _cut(unit)
    head = _bits(unit[:cut])
    at = 8
    for _ in ("first_mb_in_slice", "slice_type", "pic_parameter_set_id"):
        _, at = _exp_golomb(head, at)
    return _escaped(_bytes(f"{head[:at]}{frame_num % (1 << bits):0{bits}b}{head[at + bits :]}")) + unit[cut:]


def _cut(unit: bytes) -> int:
    """Where a unit can be cut so that emulation prevention on one side doesn't depend on the other."""
    at = _HEAD_BYTES
    while at < len(unit) and unit[at - 1] <= 3:
        at += 1
    return at


def _bits(unit: bytes) -> str:
    """The bits of a unit or of its beginning, without emulation prevention (7.3.1)."""
    raw = unit.replace(b"\0\0\3", b"\0\0")
    return f"{int.from_bytes(raw, 'big'):0{8 * len(raw)}b}"


def _bytes(bits: str) -> bytes:
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _escaped(raw: bytes) -> bytes:
    """With emulation prevention."""
    return re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", raw)


def _exp_golomb(bits: str, at: int) -> tuple[int, int]:
    """ue(v) at `at`, and where it ends (9.1)."""
    zeros = bits.index("1", at) - at
    end = at + 2 * zeros + 1
    return int(bits[at + zeros : end], 2) - 1, end
