"""The narrator for services with OpenAI's `POST /v1/audio/speech`.

One request per call: the runtime retries, after `retry_after_s` if the service says so (decision 99). The key is sent
in one header of one request; redirects are not followed, and errors never contain the key.
"""

import asyncio
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final

import aiohttp
from attrs import field, frozen

from eventflow.settings import SpeechSettings
from handlers.generation.errors import NarratorUnavailable, SpeechError, SpeechRefused
from handlers.generation.narration.narrators.base import Speech, VoiceInfo, estimate_words, language_tag, unknown_voice
from handlers.generation.narration.narrators.sound_files import BadSound, read_sound

#: Three minutes of 48 kHz stereo s16; a line is a sentence or two.
_MAX_BYTES: Final = 36_000_000
_MAX_MESSAGE_CHARS: Final = 200
#: Longest plausible speech of a line in seconds: a base, and a part for each character.
_LONGEST_S, _PER_CHARACTER_S = 20.0, 0.6
#: HTTP statuses of temporary refusals.
_PASSING: Final = frozenset({408, 409, 425, 429})


@frozen
class OpenAINarrator:
    """Speaks through the service of `settings`, which also list its voices: the API has no list of them."""

    name: ClassVar[str] = "openai"

    settings: SpeechSettings = field(factory=SpeechSettings)

    def check(self, voice: str) -> None:
        """Check a voice against the settings alone. Raises UnknownVoice, NarratorUnavailable."""
        if not self.settings.url:
            raise NarratorUnavailable(
                "no speech service is configured: set EVENTFLOW_SPEECH_URL, for example https://api.openai.com/v1"
            )
        if voice not in self.settings.voices:
            raise unknown_voice(f"{self.name}:{voice}", [info.name for info in self.voices()])

    def voices(self) -> tuple[VoiceInfo, ...]:
        if not self.settings.url:
            return ()
        return tuple(
            VoiceInfo(f"{self.name}:{voice}", language_tag(language) if language else "und", self.name)
            for voice, language in self.settings.voices.items()
        )

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Speak; the times of words are estimated.

        Raises UnknownVoice, NarratorUnavailable, SpeechError, SpeechRefused.
        """
        self.check(voice)
        try:
            data, media_type = asyncio.run(self._ask(text, voice, rate))
            samples, sample_rate = read_sound(data, media_type)
        except TimeoutError as error:
            raise SpeechError(f"the speech service did not answer within {self.settings.timeout_s:g} s") from error
        except aiohttp.ClientError as error:
            raise SpeechError(f"the speech service can't be reached: {self._safe(error)}") from error
        except BadSound as error:
            raise SpeechError(f"the speech service's answer is not audio: {error}") from error
        if len(samples) > (_LONGEST_S + _PER_CHARACTER_S * len(text) / rate) * sample_rate:
            raise SpeechError(
                f"the speech service returned {len(samples) / sample_rate:.0f} s for {len(text)} characters"
            )
        return Speech(
            samples=samples, rate=sample_rate, words=estimate_words(text, samples, sample_rate), estimated=True
        )

    async def _ask(self, text: str, voice: str, rate: float) -> tuple[bytes, str]:
        """Send the request; return body and media type of an answer with status 200."""
        body = {"model": self.settings.model, "voice": voice, "input": text, "response_format": "wav", "speed": rate}
        headers = {"Accept-Encoding": "identity"}
        if self.settings.key:
            headers["Authorization"] = f"Bearer {self.settings.key}"
        timeout = aiohttp.ClientTimeout(total=self.settings.timeout_s)
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.post(
                f"{self.settings.url}/audio/speech", json=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            if answer.status != 200:
                raise await self._refusal(answer)
            data = bytearray()
            async for chunk in answer.content.iter_chunked(1 << 16):
                data += chunk
                if len(data) > _MAX_BYTES:
                    raise SpeechError(f"the speech service's answer is longer than {_MAX_BYTES // 1_000_000} MB")
            return bytes(data), answer.headers.get("Content-Type", "")

    async def _refusal(self, answer: aiohttp.ClientResponse) -> SpeechError:
        status = answer.status
        if status in (401, 403):
            return SpeechRefused(f"the speech service refuses the key ({status}): correct EVENTFLOW_SPEECH_KEY")
        if status in _PASSING or status >= 500:
            message = f"the speech service answers {status}"
            return SpeechError(message, retry_after_s=_retry_after(answer.headers))
        reason = (await answer.content.read(4_000)).decode("utf-8", "replace")
        return SpeechRefused(f"the speech service refuses the request ({status}): {self._safe(reason)}")

    def _safe(self, reason: object) -> str:
        """Shorten a foreign message and remove the key from it."""
        text = " ".join(str(reason).split())
        if self.settings.key:
            text = text.replace(self.settings.key, "[key]")
        return text[:_MAX_MESSAGE_CHARS]


def _retry_after(headers: Any) -> float | None:
    """Seconds of a `Retry-After`, which may be a date: it is compared with the answer's own."""
    value = headers.get("Retry-After", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then, now = (_date(headers.get(name, "")) for name in ("Retry-After", "Date"))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _date(text: str) -> datetime:
    return parsedate_to_datetime(text)
