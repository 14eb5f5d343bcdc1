"""Asks a service with OpenAI's `POST /audio/speech` for a sound, in the ways that it takes.

A request that is refused for its format, its `speed` or its length is sent again without them, which costs nothing;
what worked is kept for the process (decision 223).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import aiohttp
from attrs import evolve, field, frozen

from eventflow.settings import SpeechSettings
from handlers.generation.audio.pcm import Samples
from handlers.generation.control import Control
from handlers.generation.http_services.busy_waits import BusyWaits, waiting_while_busy
from handlers.generation.http_services.causes import Cause
from handlers.generation.http_services.client import Answer, Service
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.http_services.learned import recall, remember
from handlers.generation.http_services.reasons import Reason, reason_in
from handlers.generation.narration.narrators.line_parts import length_limit
from handlers.generation.narration.narrators.sound_answers import ErrorInAnswer, sound_bytes
from handlers.generation.narration.narrators.sound_files import BadSound, Sound, read_sound
from handlers.generation.narration.narrators.wav_files import MOST_BYTES

_PATH: Final = "/audio/speech"
_FORMATS: Final = ("wav", "pcm", "flac", "mp3")
SUBJECT: Final = "speech"
#: HTTP statuses of services that don't know a field of the request.
_NOT_UNDERSTOOD: Final = frozenset({400, 415, 422, 500})
_NAMES_FORMAT: Final = re.compile(
    r"response_?format|\bformat\b|\bwav\b|\bpcm\b|\bmp3\b|\bflac\b|codec|mime|media type|content[- _]type|encoding",
    re.IGNORECASE,
)
_NAMES_SPEED: Final = re.compile(r"\bspeed\b", re.IGNORECASE)


class LineTooLong(Exception):
    """The service takes at most `most` characters at once."""

    def __init__(self, most: int) -> None:
        super().__init__(f"at most {most} characters")
        self.most = most


@frozen(kw_only=True)
class Way:
    """The way in which a service is asked. `speed`: it changes the pace; else the sound is stretched here.

    `most` is the length of text that it takes; 0: not learned.
    """

    format: str = _FORMATS[0]
    speed: bool = True
    most: int = 0


@frozen(kw_only=True)
class Spoken:
    """A sound at `rate` Hz. `paced`: it was spoken at the pace that was asked for."""

    samples: Samples
    rate: int
    paced: bool


@frozen
class _Refused:
    error: ServiceRefused
    reason: Reason


def speech_service(settings: SpeechSettings) -> Service:
    """Make the narrator's service from settings."""
    title, setting = "the speech service", "EVENTFLOW_SPEECH"
    return Service.of(settings, title=title, setting=setting, timeout_s=settings.timeout_s, most_bytes=MOST_BYTES)


def way_of(settings: SpeechSettings) -> Way:
    """Return the way that was learned, or the first one; the format that is set."""
    known = recall(settings.url, settings.model, SUBJECT, Way())
    return known if settings.format == "auto" else evolve(known, format=settings.format)


def learn(settings: SpeechSettings, way: Way) -> None:
    """Keep the way that works."""
    remember(settings.url, settings.model, SUBJECT, way)


@frozen(kw_only=True)
class SpeechClient:
    """Speaks texts over `session` with the service of `settings`."""

    settings: SpeechSettings
    session: aiohttp.ClientSession
    busy_waits: BusyWaits
    control: Control = field(factory=Control)

    @property
    def service(self) -> Service:
        return speech_service(self.settings)

    async def speak(self, text: str, voice: str, factor: float) -> Spoken:
        """Return the sound of `text`. Raises ServiceFailed, ServiceRefused, BadSound, LineTooLong, Stopped."""
        way, first = way_of(self.settings), None
        for _ in range(len(_FORMATS) + 1):
            ask = partial(self._ask, self._body(text, voice, factor, way), way)
            found = await waiting_while_busy(ask, self.busy_waits, self.control, self.service.title)
            if not isinstance(found, _Refused):
                learn(self.settings, way)
                samples, rate = found
                return Spoken(samples=samples, rate=rate, paced=way.speed or factor == 1.0)
            first = first or found.error
            following = self._next(way, found, text, factor)
            if following is None:
                break
            way = following
        raise first or ServiceRefused(f"{self.service.title} takes no format", 0)

    def _body(self, text: str, voice: str, factor: float, way: Way) -> dict[str, Any]:
        """Make a request; `speed` is left out where it changes nothing, since some services refuse it."""
        body = {"model": self.settings.model, "voice": voice, "input": text, "response_format": way.format}
        return {**body, "speed": factor} if way.speed and factor != 1.0 else body

    def _next(self, way: Way, refused: _Refused, text: str, factor: float) -> Way | None:
        """Return the way to ask after a refusal; None where the request's form isn't its cause. Raises LineTooLong."""
        error, reason = refused.error, refused.reason
        if error.cause in (Cause.INPUT, Cause.LENGTH) and (most := length_limit(reason, len(text))) is not None:
            learn(self.settings, evolve(way, most=most))
            raise LineTooLong(most)
        if error.cause is not Cause.INPUT or error.status not in _NOT_UNDERSTOOD:
            return None
        if way.speed and factor != 1.0 and _NAMES_SPEED.search(reason.text):
            return evolve(way, speed=False)
        if not self._may_be_format(reason) or way.format == _FORMATS[-1]:
            return None
        return evolve(way, format=_FORMATS[_FORMATS.index(way.format) + 1])

    async def _ask(self, body: Mapping[str, Any], way: Way) -> tuple[Samples, int] | _Refused:
        """Send one request. Raises ServiceFailed, BadSound."""
        service = self.service
        answer = await service.ask(self.session, "POST", _PATH, body)
        if not answer.good:
            return await self._refused(service.refusal(answer), answer.reason)
        try:
            data, media_type = sound_bytes(answer.body, answer.media_type)
        except ErrorInAnswer as told:
            found = service.error_in_answer(answer, {"error": told.told}) or service.refusal(answer)
            return await self._refused(found, reason_in(told.told))
        try:
            return read_sound(self._sound(data, media_type, answer, way))
        except BadSound:
            if not data[:1].isascii() or not answer.reason.page:
                raise
            return await self._refused(service.refusal(answer), answer.reason)

    def _sound(self, data: bytes, media_type: str, answer: Answer, way: Way) -> Sound:
        return Sound(
            data=data,
            media_type=media_type,
            told_rate=answer.headers.get("X-Sample-Rate", ""),
            asked=way.format,
            usual_rate=self.settings.pcm_rate,
        )

    async def _refused(self, error: ServiceFailed | ServiceRefused, reason: Reason) -> _Refused:
        error = await self.service.trouble(self.session, error)
        if isinstance(error, ServiceRefused):
            return _Refused(error, reason)
        if error.cause is Cause.BROKEN and self._may_be_format(reason):
            return _Refused(_Unsure(error), reason)
        raise error

    def _may_be_format(self, reason: Reason) -> bool:
        """Tell whether another format may help."""
        return self.settings.format == "auto" and (reason.vague or _NAMES_FORMAT.search(reason.text) is not None)


class _Unsure(ServiceRefused):
    """A status of 500 that may be meant for the format; where no format helps, it may pass."""

    retryable = True

    def __init__(self, error: ServiceFailed) -> None:
        super().__init__(str(error), 500)
        self.retry_after_s = error.retry_after_s
