"""espeak-ng, the narrator that is always there: its voices have plain names, such as "en-us"."""

from typing import ClassVar

from attrs import frozen

from handlers.generation import espeak
from handlers.generation.narrators.base import Speech, VoiceInfo, language_tag


@frozen
class EspeakNarrator:
    """See `handlers.generation.espeak`."""

    name: ClassVar[str] = "espeak"

    def check(self, voice: str) -> None:
        """Raises UnknownVoice; SpeechError when espeak can't start."""
        espeak.check_voice(voice)

    def voices(self) -> tuple[VoiceInfo, ...]:
        """Raises SpeechError when espeak can't start."""
        return tuple(VoiceInfo(name, language_tag(name), self.name) for name in espeak.voice_names())

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Word times are espeak's own. Raises UnknownVoice, SpeechError."""
        return espeak.speak(text, voice, rate)
