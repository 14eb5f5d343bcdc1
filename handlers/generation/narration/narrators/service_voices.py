"""Which voices of the settings the speech service has, where it tells: `GET /audio/voices`, which is free."""

from __future__ import annotations

from collections.abc import Collection

from eventflow.settings import SpeechSettings
from handlers.generation.http_services.name_lists import names_of
from handlers.generation.narration.narrators.speech_service import speech_service


async def listed_voices(settings: SpeechSettings) -> list[str]:
    """Return the service's names of its voices; none where there is no service, or none of them is told.

    Raises ServiceFailed, ServiceRefused.
    """
    if not settings.url:
        return []
    return await names_of(speech_service(settings), "/audio/voices", ("voices", "data")) or []


def lacking(settings: SpeechSettings, listed: Collection[str]) -> tuple[str, ...]:
    """Return the voices of the settings that aren't among the `listed` ones; none where none is listed.

    A mixture such as `af_bella(2)+af_sky(1)` needs all of its parts.
    """
    return tuple(
        name
        for name, voice in settings.voices.items()
        if listed and not all(part.partition("(")[0].strip() in listed for part in (voice.known_as or name).split("+"))
    )
