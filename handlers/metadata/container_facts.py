"""Facts of a finished MP4 that publishing services limit, beyond those of `probe`: its index and its key frames."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

import av
from attrs import frozen
from av.index import IndexEntry
from av.video.stream import VideoStream

from handlers.generation.encoding import h264
from handlers.generation.encoding.fragmented_mp4 import HEADER_BYTES, BoxError, find_boxes, read_header
from handlers.generation.encoding.verify_output import is_idr
from handlers.generation.errors import EncodeError
from handlers.media.errors import CorruptMedia
from handlers.media.probe import MediaInfo, probe

#: ITU-T Rec. H.273: BT.709 primaries, transfer and matrix, and limited range, as libav numbers them.
BT709: Final = (1, 1, 1, 1)
#: avcC (ISO/IEC 14496-15, 5.3.3.1): offsets of the level, and of the length of the first sequence parameter set.
_LEVEL_AT, _SETS_AT = 3, 6


@frozen(kw_only=True)
class Pictures:
    """The pictures of a file. `level` is H.264's, such as 4.0; `rate` per second, None if they last unequally.

    `key_s` is the longest time from a key frame to the next one or the end, in seconds; `closed`: every key frame is an
    IDR picture.
    """

    level: float
    progressive: bool
    square: bool
    colours: tuple[int, int, int, int]
    rate: Fraction | None
    key_s: float
    closed: bool


@frozen(kw_only=True)
class Facts:
    """The facts of a file. `info` is from its headers; `index_in_front`: `moov` precedes `mdat` (fast start)."""

    info: MediaInfo
    index_in_front: bool
    edit_lists: bool
    pictures: Pictures | None


def facts_of(path: Path) -> Facts:
    """Measure a local MP4. Blocking. Raises CorruptMedia, or FileNotFoundError if it is missing."""
    info = probe(path)
    try:
        with path.open("rb") as file:
            order, index = _order(file)
            pictures = None
            if info.video is not None:
                with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
                    pictures = _pictures(container.streams.video[0], file)
    except (av.FFmpegError, BoxError, EncodeError, ValueError) as error:
        raise CorruptMedia(f"{path.name} can't be read: {error}") from error
    in_front = b"mdat" in order and order.index(b"moov") < order.index(b"mdat")
    edit_lists = any(True for _ in find_boxes(index, b"moov", b"trak", b"edts"))
    return Facts(info=info, index_in_front=in_front, edit_lists=edit_lists, pictures=pictures)


def _order(file: BinaryIO) -> tuple[list[bytes], bytes]:
    """Return the kinds of the top-level boxes in file order, and the bytes of `moov`. Raises BoxError."""
    kinds, index = list[bytes](), b""
    while header := file.read(2 * HEADER_BYTES):
        kind, size, _ = read_header(header)
        start = file.tell() - len(header)
        kinds.append(kind)
        if kind == b"moov":
            file.seek(start)
            index = file.read(size)
        file.seek(start + size)
    if not index:
        raise BoxError("the file has no index (moov)")
    return kinds, index


def _pictures(stream: VideoStream, file: BinaryIO) -> Pictures:
    context, base = stream.codec_context, stream.time_base or Fraction(1)
    entries = list(stream.index_entries)
    if not entries:
        raise ValueError("it has no pictures")
    end = entries[0].timestamp + (stream.duration or 0)
    times = [*(entry.timestamp for entry in entries), end]
    lengths = {later - earlier for earlier, later in pairwise(times)}
    keys = [entry for entry in entries if entry.is_keyframe]
    places = [*(entry.timestamp for entry in keys), end]
    config = context.extradata or b""
    if context.name != "h264" or len(config) < _SETS_AT + 2:
        raise ValueError(f"its pictures are {context.name}, not H.264")
    size = int.from_bytes(config[_SETS_AT : _SETS_AT + 2], "big")
    return Pictures(
        level=config[_LEVEL_AT] / 10,
        progressive=h264.sequence_of(config[_SETS_AT + 2 : _SETS_AT + 2 + size]).progressive,
        square=stream.sample_aspect_ratio == 1,
        colours=(context.color_primaries, context.color_trc, context.colorspace, context.color_range),
        rate=1 / (lengths.pop() * base) if len(lengths) == 1 else None,
        key_s=float(max(later - earlier for earlier, later in pairwise(places)) * base),
        closed=all(is_idr(_read(file, entry)) for entry in keys),
    )


def _read(file: BinaryIO, entry: IndexEntry) -> bytes:
    file.seek(entry.pos)
    return file.read(entry.size)
