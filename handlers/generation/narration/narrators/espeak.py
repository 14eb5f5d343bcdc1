"""espeak-ng by ctypes, the narrator that is always available: text in, 16-bit mono samples out.

Its calls block, and one caller at a time may make them. Its voices have plain names, such as "en-us".

espeak-ng by ctypes: text in, 16-bit mono samples out. Blocking; one caller at a time.

The library keeps its state in globals, so every call holds one lock.

espeak-ng, the narrator that is always there: its voices have plain names, such as "en-us".
"""

import ctypes
import itertools
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import espeakng_loader
import numpy as np
from attrs import frozen

from handlers.generation.audio.pcm import Samples
from handlers.generation.errors import SpeechError, UnknownVoice
from handlers.generation.narration.narrators.base import Speech, SpokenWord, VoiceInfo, language_tag

_AUDIO_SYNCHRONOUS: Final = 2
_POSITION_CHARACTER: Final = 1
_CHARS_UTF8: Final = 1
_PARAMETER_RATE: Final = 1
_EVENT_WORD: Final = 1
_EVENT_END: Final = 0
#: Speed at rate 1; espeak's own default is 175.
_WORDS_PER_MINUTE: Final = 165

#: espeak copies its data path into a buffer of 160 bytes.
_LONGEST_PATH: Final = 120


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        # Not c_char_p: ctypes would stop at the first NUL.
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The loaded library, with its callback, which must outlive every call."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        path = _data_path(Path(espeakng_loader.get_data_path()))
        self.rate = int(self._library.espeak_Initialize(_AUDIO_SYNCHRONOUS, 0, str(path).encode(), 0))
        if self.rate <= 0:
            raise SpeechError(f"espeak-ng can't read its data in {path}")
        self._chunks: list[Samples] = []
        self._words: list[SpokenWord] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))

    def voices(self) -> dict[str, str]:
        """Map language names, such as "en-us", to espeak's identifiers of voices."""
        found: dict[str, str] = {}
        aliases: dict[str, str] = {}
        listed = self._library.espeak_ListVoices(None)
        for at in itertools.count():
            if not listed[at]:
                break
            voice = listed[at].contents
            own, *others = _languages(voice.languages)
            identifier = voice.identifier.decode("utf-8", "replace")
            found.setdefault(own, identifier)
            for other in others:
                aliases.setdefault(other, identifier)
        return aliases | found

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Synthesise `text` with the voice of an espeak identifier. Blocking. Raises SpeechError."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechError(f"espeak-ng can't load the voice {voice!r}")
        self._library.espeak_SetParameter(_PARAMETER_RATE, round(_WORDS_PER_MINUTE * rate), 0)
        self._chunks, self._words = [], []
        data = text.encode()
        status = self._library.espeak_Synth(data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        if status != 0:
            raise SpeechError(f"espeak-ng failed with status {status}")
        samples = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        return Speech(samples=samples, rate=self.rate, words=tuple(self._words))

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        if count > 0 and wave:
            self._chunks.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        at = 0
        while events[at].type != _EVENT_END:
            event = events[at]
            if event.type == _EVENT_WORD:
                word = SpokenWord(event.text_position - 1, event.length, event.audio_position / 1000)
                self._words.append(word)
            at += 1
        return 0


_lock = threading.Lock()


@cache
def _engine() -> _Engine:
    return _Engine()


def voice_names() -> tuple[str, ...]:
    """List the names of all voices. Raises SpeechError when espeak can't start."""
    with _lock:
        return tuple(sorted(_voices()))


@cache
def _voices() -> dict[str, str]:
    return _engine().voices()


def _languages(address: int) -> list[str]:
    """Read espeak's list of (priority byte, name, NUL), ended by a zero priority; at least one name."""
    names = []
    while ctypes.string_at(address, 1) != b"\0":
        name = ctypes.string_at(address + 1)
        names.append(name.decode("utf-8", "replace"))
        address += len(name) + 2
    return names or [""]


def check_voice(name: str) -> None:
    """Check the name of a voice. Raises UnknownVoice, whose examples begin with voices of the same language."""
    names = voice_names()
    if name not in names:
        alike = [known for known in names if known.split("-")[0] == name.lower().split("-")[0]]
        usual = ["en-us", "en-gb", "de", "fr", "es", "it"]
        raise UnknownVoice(name, dict.fromkeys([*alike[:4], *(n for n in usual if n in names)]))


def speak(text: str, voice: str, rate: float) -> Speech:
    """Speak `text` at `rate` times the usual speed. Blocking. Raises UnknownVoice, SpeechError."""
    check_voice(voice)
    with _lock:
        return _engine().speak(text, _voices()[voice], rate)


def _data_path(path: Path) -> Path:
    """Return `path`, or a short symbolic link to it where espeak's buffer would overflow."""
    if len(str(path).encode()) <= _LONGEST_PATH:
        return path
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / "espeak-ng-data"
    link.symlink_to(path, target_is_directory=True)
    return link


@frozen
class EspeakNarrator:
    """The default narrator, which is always available; see the module."""

    name: ClassVar[str] = "espeak"

    def check(self, voice: str) -> None:
        """Check a voice. Raises UnknownVoice; SpeechError when espeak can't start."""
        check_voice(voice)

    def voices(self) -> tuple[VoiceInfo, ...]:
        """List the voices. Raises SpeechError when espeak can't start."""
        return tuple(VoiceInfo(name, language_tag(name), self.name) for name in voice_names())

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Speak; the times of words are espeak's own. Raises UnknownVoice, SpeechError."""
        return speak(text, voice, rate)
