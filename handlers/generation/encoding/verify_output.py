"""Finished media against the plan, packet by packet, before anybody hears of it: streams, lengths, joins, sync."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, Protocol

import av
from attrs import frozen
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from handlers.generation.errors import CorruptArtefact
from handlers.generation.model import RenderedScene, Rendition
from handlers.generation.time_grid import CELL_SECONDS, FRAME_RATE, SAMPLE_RATE

#: In these, as everywhere, H.264's unit types.
_SLICE, _IDR_SLICE, _UNIT_TYPE = 1, 5, 0x1F
#: How libav writes the size of a unit in an MP4 of ours (avcC: lengthSizeMinusOne is 3).
_SIZE_BYTES: Final = 4


@frozen
class Expected:
    """`segments` are lengths in cells; each begins with an IDR frame, the first at `start_cells`. Sizes in pixels.

    `picture_s` is how long each picture is seen, in seconds; None: that differs, as in scenes of earlier versions.
    """

    start_cells: int
    segments: tuple[int, ...]
    width: int
    height: int
    picture_s: Fraction | None = Fraction(1, FRAME_RATE)

    @property
    def starts_s(self) -> list[Fraction]:
        """The times at which segments begin, and the end of the last one, in seconds."""
        return [cells * CELL_SECONDS for cells in accumulate(self.segments, initial=self.start_cells)]


class _Source(Protocol):
    def read(self, size: int) -> bytes: ...


class ByteStream:
    """Pieces of bytes as a file that can only be read onwards."""

    #: libavformat wants a name; it is not a path.
    name = "pieces.mp4"

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)


def check_scene(scene: RenderedScene, start_cells: int, duration_cells: int, qualities: Sequence[str]) -> None:
    """Whether a pipeline has made what was planned, in every quality. Blocking. Raises CorruptArtefact."""
    if (scene.start_cells, scene.duration_cells) != (start_cells, duration_cells):
        planned = f"from cell {start_cells} for {duration_cells}"
        raise CorruptArtefact(f"the scene goes from cell {scene.start_cells} for {scene.duration_cells}, not {planned}")
    made = [rendition.quality for rendition in scene.renditions]
    if made != list(qualities):
        raise CorruptArtefact(f"the scene was made in {', '.join(made) or 'no quality'}, not in {', '.join(qualities)}")
    for rendition in scene.renditions:
        segments = tuple(segment.duration_cells for segment in rendition.segments)
        if sum(segments) != duration_cells:
            raise CorruptArtefact(f"{rendition.quality}: segments of {sum(segments)} cells, not {duration_cells}")
        expected = Expected(start_cells, segments, rendition.width, rendition.height)
        paths = [rendition.init, *(segment.path for segment in rendition.segments)]
        check_media(ByteStream(path.read_bytes() for path in paths), expected, _name(rendition))


def _name(rendition: Rendition) -> str:
    return f"the scene in {rendition.quality}"


def check_media(source: Path | _Source, expected: Expected, name: str) -> None:
    """Raises CorruptArtefact unless `source` holds H.264 and AAC as planned, without a gap, in sync to the end.

    Blocking; reads all of it, a packet at a time.
    """
    starts = expected.starts_s
    with _opened(source, name) as container:
        video, audio = _streams(container, expected, name)
        ends, keys = {"video": starts[0], "audio": starts[0]}, list[Fraction]()
        for packet in container.demux(video, audio):
            if packet.dts is None or packet.time_base is None:
                continue
            kind, at = packet.stream.type, packet.dts * packet.time_base
            if packet.pts != packet.dts or at != ends[kind] or not packet.duration:
                raise CorruptArtefact(f"{name}: {kind} at {float(at):.4f} s, {float(ends[kind]):.4f} s comes next")
            length = packet.duration * packet.time_base
            ends[kind] = at + length
            if kind == "video" and expected.picture_s not in (None, length):
                raise CorruptArtefact(f"{name}: the picture at {float(at):.3f} s is seen for {float(length):.4f} s")
            if kind == "video" and packet.is_keyframe:
                keys.append(at)
                if not is_idr(bytes(packet)):
                    raise CorruptArtefact(f"{name}: the picture at {float(at):.3f} s is no IDR frame")
    if keys != starts[:-1]:
        raise CorruptArtefact(f"{name}: segments can't be told by their IDR frames: {len(keys)}, not {len(starts) - 1}")
    for stream, end in ends.items():
        # Lengths are whole frames of both: what isn't equal is off by one frame at least.
        if end != starts[-1]:
            planned = f"planned were {float(starts[-1]):.4f} s"
            raise CorruptArtefact(f"{name}: {stream} ends at {float(end):.4f} s, {planned}")


@contextmanager
def _opened(source: Path | _Source, name: str) -> Iterator[av.container.InputContainer]:
    try:
        given: Any = str(source) if isinstance(source, Path) else source
        with av.open(given, format="mp4", options={"protocol_whitelist": "file"}) as container:
            yield container
    except (av.FFmpegError, ValueError) as error:
        raise CorruptArtefact(f"{name} can't be read: {error}") from error


def _streams(container: av.container.InputContainer, expected: Expected, name: str) -> tuple[VideoStream, AudioStream]:
    if [stream.type for stream in container.streams] != ["video", "audio"]:
        raise CorruptArtefact(f"{name} has not one stream of pictures and one of sound")
    video, audio = container.streams.video[0], container.streams.audio[0]
    found = (video.codec_context.name, video.codec_context.width, video.codec_context.height)
    if found != ("h264", expected.width, expected.height):
        raise CorruptArtefact(f"{name} has pictures of {found}, not h264 of {expected.width}x{expected.height}")
    sound = audio.codec_context
    if (sound.name, sound.sample_rate, sound.channels) != ("aac", SAMPLE_RATE, 2):
        raise CorruptArtefact(f"{name} has sound of {sound.name} at {sound.sample_rate} Hz, {sound.channels} channels")
    return video, audio


def is_idr(packet: bytes) -> bool:
    """Whether the first slice in `packet` (units with their sizes in front) is one of an IDR picture."""
    at = 0
    while at + _SIZE_BYTES < len(packet):
        size, kind = int.from_bytes(packet[at : at + _SIZE_BYTES], "big"), packet[at + _SIZE_BYTES] & _UNIT_TYPE
        if _SLICE <= kind <= _IDR_SLICE:
            return kind == _IDR_SLICE
        at += _SIZE_BYTES + size
    return False
