"""Music under a video: the same piece for all scenes, by its place in the whole, turned down while somebody speaks.

Each scene is mixed by itself, so that what is heard at a join has to follow from the place in the video alone: the
music is at its full level wherever scenes meet, since it is turned down and up again within their silent ends.
"""

import wave
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from handlers.generation.audio.aac import CONTEXT_SAMPLES
from handlers.generation.audio.loudness import TARGET_LUFS, integrated, limited
from handlers.generation.audio.music_cache import CACHE, Pcm
from handlers.generation.audio.pcm import write_wav
from handlers.generation.model import Narration, RenderTask
from handlers.generation.time_grid import LEAD_IN_S, LEAD_OUT_S, SAMPLE_RATE, SAMPLES_PER_CELL
from handlers.media.errors import RequestError

#: LUFS of the music: under speech, beside it, and where nobody ever speaks.
DUCKED_LUFS: Final = TARGET_LUFS - 14
BESIDE_LUFS: Final = TARGET_LUFS - 6
ALONE_LUFS: Final = TARGET_LUFS

#: Seconds: the music is down this long before the first word, up again from this long after the last one.
_AHEAD_S, _AFTER_S = 0.05, 0.10
_DOWN_S, _UP_S = 0.30, 0.50
#: Shorter pauses don't bring it up.
_BRIDGED_S: Final = 1.6
FADE_IN_S: Final = 0.8
FADE_OUT_S: Final = 2.5
#: Seconds over which the end of the piece goes over into its beginning.
_SEAM_S: Final = 0.25

#: Samples that are worked out at a time.
_BLOCK: Final = 10 * SAMPLE_RATE
_MOST_LIFT_DB: Final = 2.0

_CONTEXT_S: Final = CONTEXT_SAMPLES / SAMPLE_RATE
assert _AHEAD_S + _DOWN_S + _CONTEXT_S <= LEAD_IN_S
assert _AFTER_S + _UP_S + _CONTEXT_S <= LEAD_OUT_S

Floats = NDArray[np.float32]


class BadMusic(RequestError):
    """The asset is no music: another kind, or sound that can't be read."""

    code = "bad_music"


def with_music(task: RenderTask, scratch: Path) -> Path | None:
    """The WAV of a scene as it is heard: its narration alone where there is no music, else both as stereo, with what
    is heard CONTEXT_SAMPLES before and after it (see `encode_sound`).

    Blocking; the first scene with a piece decodes it. Raises BadMusic.
    """
    if task.style.music is None:
        return task.scene.audio
    asset = task.assets.get(task.style.music)
    if asset is None or asset.kind != "audio":
        kind = asset.kind if asset else "not there"
        raise BadMusic(f"music is a sound file, but asset {task.style.music} is {kind}")
    try:
        piece = CACHE.get(task.style.music, asset.path, scratch)
    except ValueError as error:
        raise BadMusic(f"asset {task.style.music} can't be played: {error}") from error
    mixed = mix(task, piece, _narration(task))
    path = scratch / f"mixed-{task.scene.index}.wav"
    write_wav(np.round(np.clip(mixed, -1, 1) * 32767).astype(np.int16), path)
    return path


def mix(task: RenderTask, piece: Pcm, narration: Floats | None) -> Floats:
    """2 x samples, with context: `piece` is samples x 2 at ALONE_LUFS; `narration` of the scene, if any, mono."""
    length = task.scene.duration_cells * SAMPLES_PER_CELL + 2 * CONTEXT_SAMPLES
    under = np.empty((2, length), np.float32)
    for at in range(0, length, _BLOCK):
        under[:, at : at + _BLOCK] = _under(task, piece, at, min(_BLOCK, length - at))
    if narration is None or not task.scene.narration.lines:
        return under
    return _together(under, narration)


def _under(task: RenderTask, piece: Pcm, at: int, count: int) -> Floats:
    """The music of a scene at its level, from sample `at` of it and its context on."""
    music = window(piece, task.start_cells * SAMPLES_PER_CELL - CONTEXT_SAMPLES + at, count)
    times = (np.arange(at, at + count) - CONTEXT_SAMPLES) / SAMPLE_RATE
    level = ducking(times, task.scene.narration) if task.style.narrated else np.full_like(times, ALONE_LUFS)
    gain = 10 ** ((level - ALONE_LUFS) / 20)
    length_s = task.scene.narration.duration_s
    if task.scene.index == 0:
        gain *= _rise(times / min(FADE_IN_S, length_s / 2))
    if task.scene.index == task.scene_count - 1:
        gain *= _rise((length_s - times) / min(FADE_OUT_S, length_s / 2))
    return np.asarray(music * gain, np.float32)


def _together(under: Floats, narration: Floats) -> Floats:
    """Music that is heard between the lines makes a scene quieter by measure: the voice makes up for some of it."""
    place = slice(CONTEXT_SAMPLES, CONTEXT_SAMPLES + len(narration))
    mixed = under.copy()
    mixed[:, place] += narration
    whole = integrated(mixed[:, place])
    lift = 0.0 if whole is None else min(max(TARGET_LUFS - whole, 0.0), _MOST_LIFT_DB)
    mixed[:, place] += narration * np.float32(10 ** (lift / 20) - 1)
    # Nothing to be limited where the music is by itself: the joins stay as they are.
    return limited(mixed)


def window(piece: Pcm, start: int, length: int) -> Floats:
    """2 x `length` of `piece` (samples x 2), repeated without end from sample 0 on; nothing is heard before that."""
    seam = min(round(_SEAM_S * SAMPLE_RATE), len(piece) // 4)
    period = len(piece) - seam
    places = np.arange(start, start + length)
    rounds, within = np.divmod(places, period)
    result = piece[within].astype(np.float32)
    over = np.flatnonzero((rounds > 0) & (within < seam))
    if len(over):
        angle = (np.pi / 2 * (within[over] + 0.5) / seam)[:, np.newaxis]
        result[over] = result[over] * np.sin(angle) + piece[period + within[over]] * np.cos(angle)
    result[places < 0] = 0
    return np.asarray(result.T / 32768, np.float32)


def ducking(times: NDArray[np.float64], narration: Narration) -> NDArray[np.float64]:
    """LUFS of the music at `times`, in seconds from the start of the scene."""
    spans: list[list[float]] = []
    for line in narration.lines:
        if spans and line.start_s - spans[-1][1] < _BRIDGED_S:
            spans[-1][1] = line.end_s
        else:
            spans.append([line.start_s, line.end_s])
    knots: list[tuple[float, float]] = [(-_CONTEXT_S, BESIDE_LUFS)]
    for first, last in spans:
        down, up = first - _AHEAD_S, last + _AFTER_S
        knots += [(down - _DOWN_S, BESIDE_LUFS), (down, DUCKED_LUFS), (up, DUCKED_LUFS), (up + _UP_S, BESIDE_LUFS)]
    assert all(one[0] <= other[0] for one, other in pairwise(knots))
    places, levels = np.array(knots).T
    return np.asarray(np.interp(times, places, levels), np.float64)


def _rise(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1 over `part` from 0 to 1, smoothly."""
    return np.asarray(np.sin(np.pi / 2 * np.clip(part, 0, 1)) ** 2, np.float64)


def _narration(task: RenderTask) -> Floats | None:
    if task.scene.audio is None:
        return None
    with wave.open(str(task.scene.audio), "rb") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return np.asarray(data.mean(axis=1) / 32768, np.float32)
