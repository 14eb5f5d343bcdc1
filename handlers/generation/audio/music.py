"""Music under a video: one piece for all scenes, turned down while somebody speaks.

Scenes are mixed apart, so the sound at a join must follow from the place in the video alone: the music is at its full
level wherever scenes meet, and its ramps lie within their silent ends (decision 98).

A worker decodes a piece once for all scenes and brings it to the loudness of a whole video. A piece is known by its
asset's id, a digest of its content; its samples lie in a nameless file, which the system removes with the process.
"""

import tempfile
import threading
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Final

import av
import numpy as np
from attrs import field, mutable
from cachetools import LRUCache
from numpy.typing import NDArray

from handlers.generation.audio.aac import CONTEXT_SAMPLES
from handlers.generation.audio.loudness import TARGET_LUFS, integrated, limited, limited_blocks
from handlers.generation.audio.pcm import write_wav
from handlers.generation.model import Narration
from handlers.generation.render_model import RenderTask
from handlers.generation.time_grid import LEAD_IN_S, LEAD_OUT_S, SAMPLE_RATE, SAMPLES_PER_CELL
from handlers.media.decode import resampled
from handlers.media.errors import RequestError

#: A piece of music: samples x 2, int16 at 48 kHz.
Piece = NDArray[np.int16]

#: Seconds of a piece that are used at most (115 MB of samples), and that it must have.
LONGEST_S: Final = 600
SHORTEST_S: Final = 1.0
#: Pieces that stay decoded.
_MAX_PIECES: Final = 2
_MOST_GAIN_DB: Final = 24.0
#: Demuxers of self-contained files: no playlists or other formats that refer to files.
_FORMATS: Final = "wav,mp3,flac,ogg,aac,mov,matroska,aiff"
_FRAME_BYTES: Final = 4


@mutable
class MusicCache:
    """The pieces used last, by asset id. Thread-safe: while one thread decodes, others wait."""

    _pieces: LRUCache[str, Piece] = field(factory=lambda: LRUCache(_MAX_PIECES))
    _lock: threading.Lock = field(factory=threading.Lock)

    def get(self, asset: str, path: Path, scratch: Path) -> Piece:
        """Return the piece of `asset`, decoded from `path` if necessary, its samples in a nameless file in `scratch`.

        Blocking. Raises ValueError with the fault of the file.
        """
        with self._lock:
            if asset not in self._pieces:
                self._pieces[asset] = prepare_piece(path, scratch)
            return self._pieces[asset]


CACHE: Final = MusicCache()


def prepare_piece(path: Path, scratch: Path) -> Piece:
    """Decode a file and bring it to TARGET_LUFS, limited. Raises ValueError."""
    with tempfile.TemporaryFile(dir=scratch) as raw, tempfile.TemporaryFile(dir=scratch) as made:
        try:
            for block in _decoded(path):
                raw.write(block.astype("<i2").tobytes())
        except (av.FFmpegError, ValueError) as error:
            raise ValueError(f"its audio can't be decoded ({error})") from error
        given = _mapped(raw)
        loudness = integrated(given.T)
        if loudness is None:
            raise ValueError("it is silent")
        gain = min(TARGET_LUFS - loudness, _MOST_GAIN_DB)
        for part in limited_blocks(given.T, gain):
            made.write(np.round(np.clip(part.T, -1, 1) * 32767).astype("<i2").tobytes())
        return _mapped(made)


def _decoded(path: Path) -> Iterator[Piece]:
    """Yield blocks of at most LONGEST_S in all."""
    left = LONGEST_S * SAMPLE_RATE
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    with av.open(str(path), options=options) as container:
        if not container.streams.audio:
            raise ValueError("it has no audio stream")
        frames = container.decode(container.streams.audio[0])
        for frame in resampled(frames, layout="stereo", rate=SAMPLE_RATE):
            block = np.asarray(frame.to_ndarray(), np.int16).reshape(-1, 2)[:left]
            left -= len(block)
            yield block
            if left <= 0:
                return


def _mapped(file: IO[bytes]) -> Piece:
    """Map the written samples: memory that the system may page out."""
    file.flush()
    length = file.tell() // _FRAME_BYTES
    if length < SHORTEST_S * SAMPLE_RATE:
        raise ValueError(f"it is shorter than {SHORTEST_S:g} s")
    return np.memmap(file, "<i2", "r", shape=(length, 2))


#: Loudness of the music in LUFS: under speech, between lines of speech, and in a video without narration. The 14 and 6
#: below are choices, not a standard: music stays audible under speech (WCAG 2.2 asks for 20 dB in 1.4.7, level AAA).
DUCKED_LUFS: Final = TARGET_LUFS - 14
BETWEEN_LINES_LUFS: Final = TARGET_LUFS - 6
ALONE_LUFS: Final = TARGET_LUFS

#: Seconds: the music is down this long before a first word, and begins to rise this long after a last one.
_AHEAD_S, _AFTER_S = 0.05, 0.10
#: Seconds of the ramps. With the above they fit into the silent ends of a scene (asserted below, decision 98).
_DOWN_S, _UP_S = 0.30, 0.50
#: Pauses in speech up to this many seconds don't bring the music up: ramps of 0.8 s would pump.
_BRIDGED_S: Final = 1.6
#: Fades at the beginning and the end of the video, in seconds.
FADE_IN_S: Final = 0.8
FADE_OUT_S: Final = 2.5
#: Seconds of the crossfade from the end of the piece to its beginning.
_SEAM_S: Final = 0.25

#: Samples that are mixed at a time.
_BLOCK: Final = 10 * SAMPLE_RATE
#: The voice is raised by at most this much over music that lowers the scene's measured loudness.
_MOST_LIFT_DB: Final = 2.0

_CONTEXT_S: Final = CONTEXT_SAMPLES / SAMPLE_RATE
assert _AHEAD_S + _DOWN_S + _CONTEXT_S <= LEAD_IN_S
assert _AFTER_S + _UP_S + _CONTEXT_S <= LEAD_OUT_S

Floats = NDArray[np.float32]


class BadMusic(RequestError):
    """The asset named as music is not a sound file, or can't be decoded."""

    code = "bad_music"


def with_music(task: RenderTask, scratch: Path) -> Path | None:
    """Mix a scene's narration with the video's music; returns the WAV file to encode.

    Without music that is the narration's own file, or None. With music it is a stereo file in `scratch` that is
    CONTEXT_SAMPLES longer at both ends (see `encode_sound`). Blocking; the first scene decodes the piece. Raises
    BadMusic.
    """
    if task.style.music is None:
        return task.scene.audio
    asset = task.assets.get(task.style.music)
    if asset is None or asset.kind != "audio":
        kind = asset.kind if asset else "missing"
        raise BadMusic(f"music must be an audio asset; asset {task.style.music} is {kind}")
    try:
        piece = CACHE.get(task.style.music, asset.path, scratch)
    except ValueError as error:
        raise BadMusic(f"asset {task.style.music} can't be played: {error}") from error
    mixed = mix(task, piece, _narration(task))
    path = scratch / f"mixed-{task.scene.index}.wav"
    write_wav(np.round(np.clip(mixed, -1, 1) * 32767).astype(np.int16), path)
    return path


def mix(task: RenderTask, piece: Piece, narration: Floats | None) -> Floats:
    """Mix `piece` (at ALONE_LUFS) under `narration` (mono, of the scene): 2 x samples float32, context included."""
    length = task.scene.duration_cells * SAMPLES_PER_CELL + 2 * CONTEXT_SAMPLES
    under = np.empty((2, length), np.float32)
    for at in range(0, length, _BLOCK):
        under[:, at : at + _BLOCK] = _under(task, piece, at, min(_BLOCK, length - at))
    if narration is None or not task.scene.narration.lines:
        return under
    return _together(under, narration)


def _under(task: RenderTask, piece: Piece, at: int, count: int) -> Floats:
    """Return `count` samples of the scene's music at its level, from sample `at` of the scene with its context."""
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
    """Add narration to music and limit the sum; the voice is raised where quiet music lowers the scene's loudness."""
    place = slice(CONTEXT_SAMPLES, CONTEXT_SAMPLES + len(narration))
    mixed = under.copy()
    mixed[:, place] += narration
    whole = integrated(mixed[:, place])
    lift = 0.0 if whole is None else min(max(TARGET_LUFS - whole, 0.0), _MOST_LIFT_DB)
    mixed[:, place] += narration * np.float32(10 ** (lift / 20) - 1)
    # Music alone never reaches the limit, so the joins stay as they are.
    return limited(mixed)


def window(piece: Piece, start: int, length: int) -> Floats:
    """Return `length` samples from `start` on of `piece`, repeated without end: 2 x length; silence before 0."""
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
    """Return the music's loudness in LUFS at `times` (seconds from the start of the scene)."""
    spans: list[list[float]] = []
    for line in narration.lines:
        if spans and line.start_s - spans[-1][1] < _BRIDGED_S:
            spans[-1][1] = line.end_s
        else:
            spans.append([line.start_s, line.end_s])
    knots: list[tuple[float, float]] = [(-_CONTEXT_S, BETWEEN_LINES_LUFS)]
    for first, last in spans:
        down, up = first - _AHEAD_S, last + _AFTER_S
        knots += [
            (down - _DOWN_S, BETWEEN_LINES_LUFS),
            (down, DUCKED_LUFS),
            (up, DUCKED_LUFS),
            (up + _UP_S, BETWEEN_LINES_LUFS),
        ]
    assert all(one[0] <= other[0] for one, other in pairwise(knots))
    places, levels = np.array(knots).T
    return np.asarray(np.interp(times, places, levels), np.float64)


def _rise(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fade curve: 0 to 1 over `part` from 0 to 1, as a squared sine."""
    return np.asarray(np.sin(np.pi / 2 * np.clip(part, 0, 1)) ** 2, np.float64)


def _narration(task: RenderTask) -> Floats | None:
    if task.scene.audio is None:
        return None
    with wave.open(str(task.scene.audio), "rb") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return np.asarray(data.mean(axis=1) / 32768, np.float32)
