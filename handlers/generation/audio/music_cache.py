"""Pieces of music as plain samples, at the loudness of a whole video: decoded once for all scenes of a worker.

A piece is known by its asset's id, which follows from its content. Its samples are in a file without a name in the
scratch folder, and are gone with the process, whatever ends it.
"""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import av
import numpy as np
from attrs import field, mutable
from numpy.typing import NDArray

from handlers.generation.audio.loudness import TARGET_LUFS, integrated, limited_blocks
from handlers.generation.time_grid import SAMPLE_RATE

#: samples x 2, int16 at 48 kHz.
Pcm = NDArray[np.int16]

#: Seconds: what comes later isn't played, what is shorter is no music.
LONGEST_S: Final = 600
SHORTEST_S: Final = 1.0
_KEPT: Final = 2
_MOST_GAIN_DB: Final = 24.0
#: Files of their own sound alone: no playlists, nothing that names other files.
_FORMATS: Final = "wav,mp3,flac,ogg,aac,mov,matroska,aiff"
_BYTES: Final = 4


@mutable
class MusicCache:
    """The last few pieces. Safe for several threads; the one that comes second waits."""

    _pieces: OrderedDict[str, Pcm] = field(factory=OrderedDict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def get(self, asset: str, path: Path, scratch: Path) -> Pcm:
        """The piece `asset`, whose file is `path`. Blocking. Raises ValueError saying what is wrong with the file."""
        with self._lock:
            if asset not in self._pieces:
                self._pieces[asset] = prepare(path, scratch)
                while len(self._pieces) > _KEPT:
                    self._pieces.popitem(last=False)
            self._pieces.move_to_end(asset)
            return self._pieces[asset]


CACHE: Final = MusicCache()


def prepare(path: Path, scratch: Path) -> Pcm:
    """The file's sound at -16 LUFS, limited. Raises ValueError."""
    with tempfile.TemporaryFile(dir=scratch) as raw, tempfile.TemporaryFile(dir=scratch) as made:
        try:
            for block in _decoded(path):
                raw.write(block.astype("<i2").tobytes())
        except (av.FFmpegError, ValueError) as error:
            raise ValueError(f"its sound can't be read ({error})") from error
        given = _mapped(raw)
        loudness = integrated(given.T)
        if loudness is None:
            raise ValueError("it is silent")
        gain = min(TARGET_LUFS - loudness, _MOST_GAIN_DB)
        for part in limited_blocks(given.T, gain):
            made.write(np.round(np.clip(part.T, -1, 1) * 32767).astype("<i2").tobytes())
        return _mapped(made)


def _decoded(path: Path) -> Iterator[Pcm]:
    """Blocks of samples x 2."""
    left = LONGEST_S * SAMPLE_RATE
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    with av.open(str(path), options=options) as container:
        if not container.streams.audio:
            raise ValueError("there is none")
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=SAMPLE_RATE)
        for frame in container.decode(container.streams.audio[0]):
            for out in resampler.resample(frame):
                block = _samples(out)[:left]
                left -= len(block)
                yield block
            if left <= 0:
                return
        for out in resampler.resample(None):
            yield _samples(out)[:left]


def _samples(frame: av.AudioFrame) -> Pcm:
    return np.asarray(frame.to_ndarray(), np.int16).reshape(-1, 2)


def _mapped(file: IO[bytes]) -> Pcm:
    """What was written, as memory that the system may page out."""
    file.flush()
    length = file.tell() // _BYTES
    if length < SHORTEST_S * SAMPLE_RATE:
        raise ValueError(f"it is shorter than {SHORTEST_S:g} s")
    return np.memmap(file, "<i2", "r", shape=(length, 2))
