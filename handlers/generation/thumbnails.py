"""Still pictures of a finished video."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

import av
from attrs import frozen
from PIL import Image

from handlers.generation.errors import CorruptArtefact
from handlers.generation.grid import FRAME_RATE, seconds_of
from handlers.generation.timeline import FADE_OUT_FRAMES

WIDTH: Final = 1280
_QUALITY: Final = 85
#: Before the fade at the end of a scene everything on its page is revealed.
_BEFORE_END_S: Final = (FADE_OUT_FRAMES + 6) / FRAME_RATE


@frozen
class Thumbnail:
    """A JPEG; sizes in pixels, `at_s` in seconds from the start of the video."""

    index: int
    path: Path
    width: int
    height: int
    at_s: float


def make_thumbnails(video: Path, directory: Path, scene_cells: Sequence[int], count: int = 3) -> tuple[Thumbnail, ...]:
    """`count` pictures spread over the scenes (the first is of the first scene), each of a full page.

    `scene_cells` are the lengths of the scenes. Fewer scenes give fewer pictures. Blocking.
    Raises CorruptArtefact.
    """
    thumbnails = []
    try:
        with av.open(str(video)) as container:
            for index, at_s in enumerate(moments(scene_cells, count)):
                image = Image.fromarray(_frame_at(container, at_s).to_ndarray(format="rgb24"))
                height = round(image.height * WIDTH / image.width / 2) * 2
                path = directory / f"thumbnail-{index}.jpg"
                image.resize((WIDTH, height)).save(path, "JPEG", quality=_QUALITY, optimize=True)
                thumbnails.append(Thumbnail(index, path, WIDTH, height, at_s))
    except av.FFmpegError as error:
        raise CorruptArtefact(f"{video.name}: {error}") from error
    return tuple(thumbnails)


def moments(scene_cells: Sequence[int], count: int) -> tuple[float, ...]:
    """Times in seconds at which pages are full, of `count` scenes spread evenly, the first included."""
    ends = [seconds_of(cells) - _BEFORE_END_S for cells in accumulate(scene_cells)]
    if len(ends) <= count:
        return tuple(ends)
    return tuple(ends[round(number * (len(ends) - 1) / max(1, count - 1))] for number in range(count))


def _frame_at(container: av.container.InputContainer, at_s: float) -> av.VideoFrame:
    """The frame that is on the screen at `at_s`."""
    stream = container.streams.video[0]
    container.seek(int(at_s / float(stream.time_base or 1)), stream=stream)
    found: av.VideoFrame | None = None
    for frame in container.decode(stream):
        if found is not None and frame.time is not None and frame.time > at_s:
            break
        found = frame
    if found is None:
        raise CorruptArtefact(f"no picture at {at_s:.2f} s")
    return found
