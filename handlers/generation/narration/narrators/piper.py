"""The Piper narrator: neural voices on this machine. A voice is a model, NAME.onnx, with its NAME.onnx.json.

Needs the package piper-tts (`pip install "eventflow[piper]"`) and a folder of voices (EVENTFLOW_PIPER_VOICES).
"""

import importlib.util
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from attrs import frozen

from handlers.generation.errors import NarratorUnavailable, SpeechError
from handlers.generation.narration.narrators.base import Speech, VoiceInfo, estimate_words, language_tag, unknown_voice

if TYPE_CHECKING:
    from piper import PiperVoice


#: Models that stay loaded, of 60 to 120 MB each.
_KEPT: Final = 2
#: Seconds after which a line is given up: a broken model may never end.
_LONGEST_S: Final = 600

_lock = threading.Lock()


@frozen
class PiperNarrator:
    """Speaks with the voices in `folder`; None: Piper isn't set up."""

    name: ClassVar[str] = "piper"

    folder: Path | None = None

    def check(self, voice: str) -> None:
        """Check a voice. Raises UnknownVoice, NarratorUnavailable."""
        if self.folder is None:
            raise NarratorUnavailable("no folder of Piper voices is configured: set EVENTFLOW_PIPER_VOICES")
        if importlib.util.find_spec("piper") is None:
            raise NarratorUnavailable('Piper is not installed: pip install "eventflow[piper]"')
        names = self._names()
        if not names:
            raise NarratorUnavailable(f"no voice (NAME.onnx with NAME.onnx.json) in {self.folder}")
        # Only listed names lead to files: a name can't reach outside of the folder.
        if voice not in names:
            raise unknown_voice(f"{self.name}:{voice}", [f"{self.name}:{name}" for name in names])

    def voices(self) -> tuple[VoiceInfo, ...]:
        """List the voices in the folder, if Piper is installed."""
        if self.folder is None or importlib.util.find_spec("piper") is None:
            return ()
        return tuple(VoiceInfo(f"{self.name}:{name}", language_tag(name), self.name) for name in self._names())

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Speak; the times of words are estimated. Raises UnknownVoice, NarratorUnavailable, SpeechError."""
        self.check(voice)
        assert self.folder is not None
        with _lock:
            loaded = _load(self.folder / f"{voice}.onnx")
            samples = _synthesise(loaded, text, rate)
        sample_rate = loaded.config.sample_rate
        return Speech(
            samples=samples, rate=sample_rate, words=estimate_words(text, samples, sample_rate), estimated=True
        )

    def _names(self) -> list[str]:
        if self.folder is None:
            return []
        try:
            files = sorted(self.folder.glob("*.onnx"))
        except OSError:
            return []
        return [path.stem for path in files if path.with_name(path.name + ".json").is_file()]


@lru_cache(maxsize=_KEPT)
def _load(model: Path) -> "PiperVoice":
    from piper import PiperVoice

    try:
        return PiperVoice.load(model)
    except Exception as error:  # onnxruntime and Piper raise any exception over a bad file
        raise NarratorUnavailable(f"Piper's voice {model.stem} can't be loaded: {_brief(error)}") from error


def _synthesise(voice: "PiperVoice", text: str, rate: float) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    from piper import SynthesisConfig

    # Piper reads text in double brackets as phonemes.
    plain = text.replace("[[", "[ [").replace("]]", "] ]")
    config = SynthesisConfig(length_scale=voice.config.length_scale / rate)
    pieces, length = [], 0
    try:
        for chunk in voice.synthesize(plain, config):
            pieces.append(chunk.audio_int16_array.reshape(-1))
            length += len(pieces[-1])
            if length > _LONGEST_S * voice.config.sample_rate:
                raise SpeechError(f"Piper made more than {_LONGEST_S} s of a line of {len(text)} characters")
    except SpeechError:
        raise
    except Exception as error:
        raise SpeechError(f"Piper failed: {_brief(error)}") from error
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
