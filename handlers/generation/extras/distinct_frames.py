"""A finished video's pictures without those that only repeat what is seen: a tenth of the decoding.

A repeat is known by its bytes (`coder.repeats_of`). Those that are left are counted as if there had been none.
"""

from collections.abc import Iterator
from functools import cache

import av
from av.container import InputContainer

from eventflow.domain.values import LADDER
from handlers.generation.aspects import ASPECTS
from handlers.generation.encoding import h264
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.x264 import repeats_of


def changes(container: InputContainer) -> Iterator[av.VideoFrame]:
    """The pictures from where `container` stands on, each with its time; what it shows stays until the next one's.

    A video of another size or of an earlier version is decoded whole. Raises av.FFmpegError, EncodeError.
    """
    stream = container.streams.video[0]
    context = stream.codec_context
    repeats, bits = _repeats(context.width, context.height)
    number = 0
    for packet in container.demux(stream):
        data = bytes(packet)
        if data in repeats:
            continue
        if repeats and data:
            units = h264.sized_units(data)
            number = 0 if packet.is_keyframe else number + 1
            counted = av.Packet(h264.sized(h264.counted(units, number, bits)))
            counted.pts, counted.dts, counted.time_base = packet.pts, packet.dts, packet.time_base
            yield from context.decode(counted)
        else:
            yield from context.decode(packet)


@cache
def _repeats(width: int, height: int) -> tuple[frozenset[bytes], int]:
    """The repeats of pictures of this size, as they are in an MP4, and how long their frame_num is."""
    for quality in LADDER:
        for aspect in ASPECTS:
            profile = profile_of(quality, aspect)
            if (profile.width, profile.height) == (width, height):
                made = repeats_of(profile)
                return frozenset(h264.sized(h264.units(each)) for each in made.repeats), made.frame_num_bits
    return frozenset(), 0
