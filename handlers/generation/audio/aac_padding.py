"""AAC at a constant bit rate: fill elements behind what is heard (ISO/IEC 14496-3, 4.4.1.1 and 4.5.2.9). Pure.

libav's encoder spends what it needs, and next to nothing on silence. Where videos are published, one service asks for
128 kbit/s at least and another one for that at most.
"""

from collections.abc import Sequence
from typing import Final

from handlers.generation.time_grid import AAC_FRAME_SAMPLES, SAMPLE_RATE

#: Elements (table 4.85) are told by three bits.
_ID_BITS: Final = 3
_FILL, _END = 0b110, 0b111
#: The length of a fill element in bytes: four bits, or all of these set and 8 more.
_COUNT_BITS, _MORE_BITS = 4, 8
_MOST_SHORT: Final = (1 << _COUNT_BITS) - 2
_MOST: Final = _MOST_SHORT + (1 << _MORE_BITS) - 1
_SHORT_HEAD: Final = _ID_BITS + _COUNT_BITS
_LONG_HEAD: Final = _SHORT_HEAD + _MORE_BITS


def at_constant_rate(packets: Sequence[bytes], bit_rate: int) -> list[bytes] | None:
    """`packets` (raw data blocks) filled up to `bit_rate` in bits per second; None where they are more than that.

    One that is larger than its share is made up for by those behind it.
    """
    made, written = list[bytes](), 0
    for number, packet in enumerate(packets, start=1):
        due = number * AAC_FRAME_SAMPLES * bit_rate // (8 * SAMPLE_RATE)
        made.append(filled(packet, due - written))
        written += len(made[-1])
    return made if written <= due else None


def filled(packet: bytes, size: int) -> bytes:
    """A raw data block of `size` bytes that sounds as `packet` does; one that is as large already stays as it is.

    A block ends with an element of three set bits and up to seven zero ones.
    """
    if size <= len(packet):
        return packet
    tail = int.from_bytes(packet[-2:], "big")
    unused = (tail & -tail).bit_length() - 1
    bits = tail >> (unused + _ID_BITS)
    left = 8 * (size - len(packet)) + unused
    while left >= 8:
        count = (left - _SHORT_HEAD) // 8
        if count <= _MOST_SHORT:
            head, length = _FILL << _COUNT_BITS | count, _SHORT_HEAD
        else:
            count = min(_MOST, (left - _LONG_HEAD) // 8)
            head, length = (_FILL << _COUNT_BITS | _MOST_SHORT + 1) << _MORE_BITS | count - _MOST_SHORT, _LONG_HEAD
        bits = (bits << length | head) << 8 * count
        left -= length + 8 * count
    bits = (bits << _ID_BITS | _END) << left
    return packet[:-2] + bits.to_bytes(size - len(packet) + 2, "big")
