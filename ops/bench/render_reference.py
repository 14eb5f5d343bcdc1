"""The pictures that went into the encoders of the engine and of the baseline, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import av
from av.video.reformatter import Interpolation, VideoReformatter

from handlers.generation.encoding.overlays import Yuv
from handlers.generation.encoding.pictures import PictureStore, blend, frame_to_yuv
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.timeline import BLANK, FULL_MIX, page_changes, plan_timeline
from handlers.generation.model import NarratedScene
from handlers.generation.model_json import from_spec
from handlers.generation.pages.draw import ScenePages
from handlers.generation.script.content import Scene
from handlers.generation.time_grid import FRAMES_PER_CELL, TICKS_PER_FRAME
from ops.bench.fidelity import STRIDE

#: The size of the pages, at which the baseline fades.
_DRAWN: Final = (1920, 1080)


def meant_by_engine(scenes: Sequence[NarratedScene], quality: str) -> Iterator[Yuv]:
    """Yield every `STRIDE`th picture of the engine, at 30 frames per second."""
    profile, number = profile_of(quality), 0
    size = profile.width, profile.height
    for scene in scenes:
        store = PictureStore(ScenePages(from_spec(scene.spec, Scene)).draw, (size,))
        for shot in plan_timeline(scene.narration.cues, scene.duration_cells).shots:
            for _ in range(shot.duration // TICKS_PER_FRAME):
                if number % STRIDE == 0:
                    yield store.shown(shot, size)
                number += 1


def meant_by_plain(scenes: Sequence[NarratedScene], quality: str) -> Iterator[Yuv]:
    """Yield every `STRIDE`th picture of the baseline, which fades linearly at the size of the pages and then scales."""
    profile, number, reformatter = profile_of(quality), 0, VideoReformatter()
    size = profile.width, profile.height
    for scene in scenes:
        store = PictureStore(ScenePages(from_spec(scene.spec, Scene)).draw, (_DRAWN,))
        for before, picture, mix in _mixes(scene):
            if number % STRIDE == 0:
                shown = blend(store.get(before, _DRAWN), store.get(picture, _DRAWN), mix)
                yield shown if size == _DRAWN else _scaled(shown, size, reformatter)
            number += 1


def _mixes(scene: NarratedScene) -> Iterator[tuple[int, int, int]]:
    total, before = scene.duration_cells * FRAMES_PER_CELL, BLANK
    found = page_changes(scene.narration.cues, total)
    for (start, picture, fade), following in zip(found, [*found[1:], None], strict=True):
        for frame in range(start, following[0] if following else total):
            yield before, picture, round(FULL_MIX * min(1.0, (frame - start) / fade))
        before = picture


def _scaled(picture: Yuv, size: tuple[int, int], reformatter: VideoReformatter) -> Yuv:
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    return frame_to_yuv(frame, size, reformatter, Interpolation.LANCZOS | Interpolation.ACCURATE_RND)
