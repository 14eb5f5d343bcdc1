"""Checks finished media against the plan, packet by packet: streams, lengths, joins, synchronisation.

Runs before the event that announces the files.
"""

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
from handlers.generation.render_model import RenderedScene, Rendition
from handlers.generation.time_grid import CELL_SECONDS, FRAME_RATE, SAMPLE_RATE

#: In these, as everywhere, H.264's unit types.
_SLICE, _IDR_SLICE, _UNIT_TYPE = 1, 5, 0x1F
#: How libav writes the size of a unit in an MP4 of ours (avcC: lengthSizeMinusOne is 3).
_SIZE_BYTES: Final = 4


@frozen(kw_only=True)
class ExpectedMedia:
    """The planned layout of a file: lengths of its segments in cells, each of which begins with an IDR frame.

    The first segment begins at `start_cells`. `width` and `height` in pixels. `picture_s` is the duration of every
    picture in seconds; None where durations differ, as in scenes of earlier versions.
    """

    start_cells: int
    segments: tuple[int, ...]
    width: int
    height: int
    picture_s: Fraction | None = Fraction(1, FRAME_RATE)

    @property
    def starts_s(self) -> list[Fraction]:
        """The start of each segment and the end of the last one, in seconds."""
        return [cells * CELL_SECONDS for cells in accumulate(self.segments, initial=self.start_cells)]


class _Source(Protocol):
    def read(self, size: int) -> bytes: ...


class ByteStream:
    """A readable file over pieces of bytes, without seeking."""

    #: libavformat wants a name; it is not a path.
    name = "pieces.mp4"

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)


def check_scene(scene: RenderedScene, start_cells: int, duration_cells: int, qualities: Sequence[str]) -> None:
    """Check that a rendered scene has the planned place, length and qualities. Blocking. Raises CorruptArtefact."""
    if (scene.start_cells, scene.duration_cells) != (start_cells, duration_cells):
        planned = f"planned: from cell {start_cells}, {duration_cells} cells"
        found = f"the scene begins at cell {scene.start_cells} and lasts {scene.duration_cells} cells"
        raise CorruptArtefact(f"{found}; {planned}")
    made = [rendition.quality for rendition in scene.renditions]
    if made != list(qualities):
        raise CorruptArtefact(f"the scene was made in {', '.join(made) or 'no quality'}, not in {', '.join(qualities)}")
    for rendition in scene.renditions:
        segments = tuple(segment.duration_cells for segment in rendition.segments)
        if sum(segments) != duration_cells:
            raise CorruptArtefact(f"{rendition.quality}: segments of {sum(segments)} cells, not {duration_cells}")
        expected = ExpectedMedia(
            start_cells=start_cells, segments=segments, width=rendition.width, height=rendition.height
        )
        paths = [rendition.init, *(segment.path for segment in rendition.segments)]
        check_media(ByteStream(path.read_bytes() for path in paths), expected, _name(rendition))


def _name(rendition: Rendition) -> str:
    return f"the scene in {rendition.quality}"


def check_media(source: Path | _Source, expected: ExpectedMedia, name: str) -> None:
    """Check that `source` holds H.264 and AAC as planned, without gaps and in sync to the end. `name` is for messages.

    Blocking: reads every packet. Raises CorruptArtefact.
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
                raise CorruptArtefact(f"{name}: {kind} at {float(at):.4f} s, expected at {float(ends[kind]):.4f} s")
            length = packet.duration * packet.time_base
            ends[kind] = at + length
            if kind == "video" and expected.picture_s not in (None, length):
                raise CorruptArtefact(f"{name}: the picture at {float(at):.3f} s lasts {float(length):.4f} s")
            if kind == "video" and packet.is_keyframe:
                keys.append(at)
                if not is_idr(bytes(packet)):
                    raise CorruptArtefact(f"{name}: the key picture at {float(at):.3f} s is not an IDR frame")
    if keys != starts[:-1]:
        raise CorruptArtefact(f"{name}: {len(keys)} IDR frames at other places than the {len(starts) - 1} segments")
    for stream, end in ends.items():
        # Both lengths are whole frames: if they differ at all, they differ by a frame or more.
        if end != starts[-1]:
            planned = f"planned: {float(starts[-1]):.4f} s"
            raise CorruptArtefact(f"{name}: {stream} ends at {float(end):.4f} s, {planned}")


@contextmanager
def _opened(source: Path | _Source, name: str) -> Iterator[av.container.InputContainer]:
    try:
        given: Any = str(source) if isinstance(source, Path) else source
        with av.open(given, format="mp4", options={"protocol_whitelist": "file"}) as container:
            yield container
    except (av.FFmpegError, ValueError) as error:
        raise CorruptArtefact(f"{name} can't be read: {error}") from error


def _streams(
    container: av.container.InputContainer, expected: ExpectedMedia, name: str
) -> tuple[VideoStream, AudioStream]:
    if [stream.type for stream in container.streams] != ["video", "audio"]:
        raise CorruptArtefact(f"{name} must have one video and one audio stream")
    video, audio = container.streams.video[0], container.streams.audio[0]
    found = (video.codec_context.name, video.codec_context.width, video.codec_context.height)
    if found != ("h264", expected.width, expected.height):
        raise CorruptArtefact(f"{name}: video is {found}, planned: h264 at {expected.width}x{expected.height}")
    sound = audio.codec_context
    if (sound.name, sound.sample_rate, sound.channels) != ("aac", SAMPLE_RATE, 2):
        raise CorruptArtefact(f"{name}: audio is {sound.name} at {sound.sample_rate} Hz, {sound.channels} channels")
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
