"""Loudness after EBU R128 (ITU-R BS.1770), measured, adjusted and limited by libav's filters (decision 97).

Sound is channels x samples at 48 kHz, float32 in -1..1 or int16; memory maps are fine, since at most one second is
converted at a time. Mono counts as played on both sides.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

from handlers.generation.time_grid import SAMPLE_RATE

Sound = NDArray[np.float32] | NDArray[np.int16]
Floats = NDArray[np.float32]

#: Loudness of a video in LUFS: what Apple asks of podcasts, and the loudest that AES TD1004 recommends for streams.
TARGET_LUFS: Final = -16.0
#: True peak in dBTP before AAC, which adds up to a decibel: the decoded sound stays below -1 dBTP (EBU R128).
CEILING_DBTP: Final = -2.2

#: A signal on two channels has twice the power: 10 * log10(2) dB.
_BOTH_SIDES_DB: Final = 3.0103
#: Pauses lower the measured loudness of a scene, not that of its voice: a short scene may be raised this much for them.
_FOR_PAUSES_DB: Final = 1.5
#: Shorter speech is repeated to this length before it is measured: gating works on blocks of 400 ms.
_MEASURED_S: Final = 3.0
#: Seconds of speech from which on a scene is raised to the target whatever its pauses are.
_LONG_S: Final = 6.0
_MOST_GAIN_DB: Final = 30.0
_QUIETEST_LUFS: Final = -69.0
_OVERSAMPLED: Final = 4 * SAMPLE_RATE
_LAYOUTS: Final = {1: "mono", 2: "stereo"}


def integrated(sound: Sound) -> float | None:
    """Measure integrated loudness in LUFS; None for silence."""
    value = None
    for frame in _through(sound, [("ebur128", "metadata=1:framelog=quiet")]):
        value = frame.metadata.get("lavfi.r128.I", value)
    loudness = float(value) if value is not None else float("nan")
    if not loudness > _QUIETEST_LUFS:
        return None
    return loudness + (_BOTH_SIDES_DB if len(sound) == 1 else 0.0)


def true_peak(sound: Sound) -> float:
    """Measure the true peak in dBTP, oversampled four times (BS.1770 annex 2); -inf for silence."""
    peaks = (float(np.abs(frame.to_ndarray()).max(initial=0)) for frame in _through(sound, [_OVERSAMPLE]))
    peak = max(peaks, default=0.0)
    return float(20 * np.log10(peak)) if peak > 0 else float("-inf")


def limited(sound: Floats, ceiling_db: float = CEILING_DBTP) -> Floats:
    """Limit the true peak to about `ceiling_db`; returns the same array where it is lower already."""
    if true_peak(sound) <= ceiling_db:
        return sound
    result = np.zeros_like(sound)
    at = 0
    for part in limited_blocks(sound, 0.0, ceiling_db):
        result[:, at : at + part.shape[1]] = part
        at += part.shape[1]
    return result


def limited_blocks(sound: Sound, gain_db: float, ceiling_db: float = CEILING_DBTP) -> Iterator[Floats]:
    """Amplify `sound` by `gain_db`, then limit it; yields blocks with as many samples in all as were given."""
    # 0.1 dB lower: resampling back to 48 kHz raises peaks again.
    limit = 10 ** ((ceiling_db - 0.1) / 20)
    limiter = f"limit={limit:.5f}:attack=4:release=60:level=disabled:latency=1"
    gain = ("volume", f"{gain_db:.4f}dB")
    left = sound.shape[1]
    for frame in _through(sound, [gain, _OVERSAMPLE, ("alimiter", limiter), ("aresample", f"{SAMPLE_RATE}")]):
        part = np.asarray(frame.to_ndarray()[:, :left], np.float32)
        left -= part.shape[1]
        yield part
    if left:
        yield np.zeros((len(sound), left), np.float32)


def speech_gain(scene: Floats, voiced: Floats) -> float:
    """Return the gain in dB that brings a scene's speech to TARGET_LUFS. `voiced` is its speech without pauses.

    A meter hears the whole scene, so the whole scene is brought to the target. A scene of a few words is mostly pause;
    its gain is limited by the loudness of its voice, so that it isn't shouted.
    """
    whole = integrated(scene)
    gain = _MOST_GAIN_DB if whole is None else min(TARGET_LUFS - whole, _MOST_GAIN_DB)
    if voiced.shape[1] < _LONG_S * SAMPLE_RATE:
        voice = integrated(_repeated(voiced))
        gain = 0.0 if voice is None else min(gain, TARGET_LUFS - voice + _FOR_PAUSES_DB)
    return gain


def amplified(sound: Floats, gain_db: float) -> Floats:
    """Amplify `sound` by `gain_db`."""
    return np.asarray(sound * np.float32(10 ** (gain_db / 20)), np.float32)


_OVERSAMPLE: Final = ("aresample", f"{_OVERSAMPLED}")


def _repeated(sound: Floats) -> Floats:
    length = sound.shape[1]
    times = -(-round(_MEASURED_S * SAMPLE_RATE) // length) if length else 1
    return np.concatenate([sound] * times, axis=1)


def _through(sound: Sound, filters: list[tuple[str, str]]) -> Iterator[av.AudioFrame]:
    """Send `sound` through a chain of libav filters; yields planar float frames (`fltp`)."""
    layout = _LAYOUTS[len(sound)]
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, layout=layout, format="fltp")
    chain = [source, *(graph.add(name, args) for name, args in filters), graph.add("aformat", "sample_fmts=fltp")]
    chain.append(graph.add("abuffersink"))
    for one, following in pairwise(chain):
        one.link_to(following)
    graph.configure()
    for start in range(0, sound.shape[1], SAMPLE_RATE):
        part = np.ascontiguousarray(sound[:, start : start + SAMPLE_RATE], np.float32)
        if sound.dtype == np.int16:
            part /= 32768
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
