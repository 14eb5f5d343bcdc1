"""Piper: neural voices on this machine. Each voice is a model file, NAME.onnx with NAME.onnx.json beside it.

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
from handlers.generation.narration.narrators.base import Speech, VoiceInfo, language_tag, unknown_voice
from handlers.generation.narration.narrators.estimate import estimate_words

if TYPE_CHECKING:
    from piper import PiperVoice


#: Loaded models, some 60 to 120 MB each.
_KEPT: Final = 2
#: A line can't become longer than this; a broken model could go on for ever.
_LONGEST_S: Final = 600

_lock = threading.Lock()


@frozen
class PiperNarrator:
    """`folder` holds the voices; None: Piper isn't set up."""

    name: ClassVar[str] = "piper"

    folder: Path | None = None

    def check(self, voice: str) -> None:
        """Raises UnknownVoice, NarratorUnavailable."""
        if self.folder is None:
            raise NarratorUnavailable("Piper has no voices here: set EVENTFLOW_PIPER_VOICES to a folder of them")
        if importlib.util.find_spec("piper") is None:
            raise NarratorUnavailable('Piper is not installed here: pip install "eventflow[piper]"')
        names = self._names()
        if not names:
            raise NarratorUnavailable(f"there is no voice (NAME.onnx with NAME.onnx.json) in {self.folder}")
        # Only a name that is listed leads to a file: there is no way out of the folder.
        if voice not in names:
            raise unknown_voice(f"{self.name}:{voice}", [f"{self.name}:{name}" for name in names])

    def voices(self) -> tuple[VoiceInfo, ...]:
        """Those of the folder, where Piper is installed."""
        if self.folder is None or importlib.util.find_spec("piper") is None:
            return ()
        return tuple(VoiceInfo(f"{self.name}:{name}", language_tag(name), self.name) for name in self._names())

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Word times are estimated. Raises UnknownVoice, NarratorUnavailable, SpeechError."""
        self.check(voice)
        assert self.folder is not None
        with _lock:
            loaded = _load(self.folder / f"{voice}.onnx")
            samples = _synthesise(loaded, text, rate)
        sample_rate = loaded.config.sample_rate
        return Speech(samples, sample_rate, estimate_words(text, samples, sample_rate), estimated=True)

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
    except Exception as error:  # onnxruntime and Piper raise what they like over a bad file
        raise NarratorUnavailable(f"Piper's voice {model.stem} can't be loaded: {_brief(error)}") from error


def _synthesise(voice: "PiperVoice", text: str, rate: float) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    from piper import SynthesisConfig

    # Two brackets would say the text's own phonemes.
    plain = text.replace("[[", "[ [").replace("]]", "] ]")
    config = SynthesisConfig(length_scale=voice.config.length_scale / rate)
    pieces, length = [], 0
    try:
        for chunk in voice.synthesize(plain, config):
            pieces.append(chunk.audio_int16_array.reshape(-1))
            length += len(pieces[-1])
            if length > _LONGEST_S * voice.config.sample_rate:
                raise SpeechError(f"Piper did not come to an end of a line of {len(text)} characters")
    except SpeechError:
        raise
    except Exception as error:
        raise SpeechError(f"Piper failed: {_brief(error)}") from error
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
