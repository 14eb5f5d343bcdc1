"""NAL units of H.264 (ITU-T Rec. H.264), as far as renumbering pictures needs them. Pure.

Covers the headers that x264 writes under the encoder contract: High profile, frames only, output in decoding order.
Numbers in comments are sections of the recommendation.
"""

import re
from collections.abc import Iterable
from typing import Final

from attrs import frozen

from handlers.generation.errors import EncodeError
from handlers.generation.time_grid import FRAME_RATE

#: Types of NAL units (table 7-1).
SLICE: Final = 1
IDR_SLICE: Final = 5
_SEQUENCE_PARAMETERS: Final = 7
#: The pic_order_cnt_type in which output order is decoding order (8.2.1.3).
ORDER_OF_DECODING: Final = 2
_TYPE: Final = 0x1F
_START: Final = b"\0\0\1"
#: Bytes of the size before each unit in our MP4 files (avcC: lengthSizeMinusOne is 3).
_SIZE_BYTES: Final = 4

#: The fields of a slice header up to frame_num end within this many bytes.
_HEAD_BYTES: Final = 16
_HIGH_PROFILE: Final = 100


def units(data: bytes) -> list[bytes]:
    """Split a byte stream (annex B) into NAL units without start codes. A unit never ends with a zero byte (7.4.1)."""
    return [unit.rstrip(b"\0") for unit in data.split(_START)[1:]]


def stream(parts: Iterable[bytes]) -> bytes:
    """Join NAL units into a byte stream."""
    return b"".join(b"\0" + _START + part for part in parts)


def sized_units(data: bytes) -> list[bytes]:
    """Split a sample of an MP4 into NAL units, each prefixed by its size (ISO/IEC 14496-15). Raises EncodeError."""
    found, at = list[bytes](), 0
    while at < len(data):
        start = at + _SIZE_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    if at != len(data) or not all(found):
        raise EncodeError("the sample does not consist of NAL units")
    return found


def sized(parts: Iterable[bytes]) -> bytes:
    """Join NAL units into a sample of an MP4."""
    return b"".join(len(part).to_bytes(_SIZE_BYTES, "big") + part for part in parts)


def kind_of(unit: bytes) -> int:
    """Return nal_unit_type."""
    return unit[0] & _TYPE


@frozen
class Sequence:
    """Facts of a sequence parameter set: bits of frame_num, pic_order_cnt_type, and frame_mbs_only_flag."""

    frame_num_bits: int
    order_type: int
    progressive: bool


def sequence_of(sps: bytes) -> Sequence:
    """Read a sequence parameter set (7.3.2.1). Raises EncodeError for features that x264 doesn't use here."""
    if kind_of(sps) != _SEQUENCE_PARAMETERS or sps[1] != _HIGH_PROFILE:
        raise EncodeError("the sequence parameter set must be of profile High")
    bits, at = _bits(sps), 4 * 8
    for _ in ("seq_parameter_set_id", "chroma_format_idc", "bit_depth_luma_minus8", "bit_depth_chroma_minus8"):
        _, at = _exp_golomb(bits, at)
    if bits[at : at + 2] != "00":  # qpprime_y_zero_transform_bypass_flag, seq_scaling_matrix_present_flag
        raise EncodeError("the sequence parameter set must not have scaling matrices")
    log2_less_4, at = _exp_golomb(bits, at + 2)
    order_type, at = _exp_golomb(bits, at)
    if order_type == 1:
        raise EncodeError("the sequence parameter set must not have pic_order_cnt_type 1")
    if order_type == 0:
        _, at = _exp_golomb(bits, at)  # log2_max_pic_order_cnt_lsb_minus4
    _, at = _exp_golomb(bits, at)  # max_num_ref_frames
    at += 1  # gaps_in_frame_num_value_allowed_flag
    for _ in ("pic_width_in_mbs_minus1", "pic_height_in_map_units_minus1"):
        _, at = _exp_golomb(bits, at)
    return Sequence(log2_less_4 + 4, order_type, progressive=bits[at] == "1")


def at_fixed_rate(sps: bytes) -> bytes:
    """Set fixed_frame_rate_flag (annex E), which x264 omits when it gets durations (decision 191).

    Raises EncodeError where the timing info isn't that of the grid's frame rate.
    """
    timing = f"1{1:032b}{2 * FRAME_RATE:032b}"  # present; num_units_in_tick, time_scale (two ticks a frame)
    before, found, after = _bits(sps).partition(timing)
    if not found:
        raise EncodeError(f"x264's sequence parameter set must say {FRAME_RATE} pictures a second")
    return _escaped(_bytes(before + timing + "1" + after[1:]))


def counted(parts: Iterable[bytes], frame_num: int, bits: int) -> list[bytes]:
    """Set frame_num in every slice of a picture; x264 writes one slice per thread that shares it."""
    return [numbered(part, frame_num, bits) if kind_of(part) in (SLICE, IDR_SLICE) else part for part in parts]


def numbered(unit: bytes, frame_num: int, bits: int) -> bytes:
    """Set frame_num, `bits` long, in a slice (7.3.3)."""
    cut = _cut(unit)
    head = _bits(unit[:cut])
    at = 8
    for _ in ("first_mb_in_slice", "slice_type", "pic_parameter_set_id"):
        _, at = _exp_golomb(head, at)
    return _escaped(_bytes(f"{head[:at]}{frame_num % (1 << bits):0{bits}b}{head[at + bits :]}")) + unit[cut:]


def _cut(unit: bytes) -> int:
    """Find a byte where a unit can be cut without a change of emulation prevention on either side."""
    at = _HEAD_BYTES
    while at < len(unit) and unit[at - 1] <= 3:
        at += 1
    return at


def _bits(unit: bytes) -> str:
    """Return the bits of a unit or of its beginning as "0" and "1", without emulation prevention (7.3.1)."""
    raw = unit.replace(b"\0\0\3", b"\0\0")
    return f"{int.from_bytes(raw, 'big'):0{8 * len(raw)}b}"


def _bytes(bits: str) -> bytes:
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _escaped(raw: bytes) -> bytes:
    """Insert emulation prevention bytes (7.3.1)."""
    return re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", raw)


def _exp_golomb(bits: str, at: int) -> tuple[int, int]:
    """Return the ue(v) at position `at` and the position behind it (9.1)."""
    zeros = bits.index("1", at) - at
    end = at + 2 * zeros + 1
    return int(bits[at + zeros : end], 2) - 1, end
