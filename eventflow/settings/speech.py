"""Settings of narration: `EVENTFLOW_PIPER_VOICES` and `EVENTFLOW_SPEECH_*`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from eventflow.settings.kinds import choice, form, mapped, number, optional_folder
from eventflow.settings.service_access import ServiceGroup

NARRATION = ServiceGroup("Narration: Piper's voices, a speech service", "SPEECH")

#: NAME, NAME/LANGUAGE, or NAME=WHAT THE SERVICE CALLS IT, with or without /LANGUAGE.
_LANGUAGE: Final = r"[a-z]{2,3}(?:-[a-z0-9]+)*"
_VOICE: Final = re.compile(rf"([A-Za-z0-9][A-Za-z0-9_.-]{{0,39}})(?:=([^,=]{{1,200}}?))?(?:/({_LANGUAGE}))?", re.ASCII)
#: Those of gpt-4o-mini-tts.
_VOICES: Final = "alloy,ash,coral,echo,fable,nova,onyx,sage,shimmer"


class Fallback(StrEnum):
    """What espeak narrates when another narrator has failed for good: the whole video, that scene alone, nothing."""

    VIDEO = "espeak"
    SCENE = "espeak-scene"
    NONE = "none"


@frozen
class ServiceVoice:
    """A voice of a speech service: its language, named as espeak's voice ("" if unknown), and the service's name."""

    language: str = ""
    known_as: str = ""


def _voices(text: str) -> dict[str, ServiceVoice]:
    found = {}
    for entry in text.split(","):
        match = _VOICE.fullmatch(entry.strip())
        if match is None:
            raise ValueError(entry)
        found[match[1]] = ServiceVoice(match[3] or "", (match[2] or match[1]).strip())
    return found


@frozen(kw_only=True)
class SpeechSettings:
    """Narrators besides espeak; `piper_folder` is None where there is no Piper, `url` empty where there is no service.

    `voices` are those of the service by the names that requests use.
    """

    piper_folder: Path | None = NARRATION.setting(
        "",
        optional_folder("/var/lib/piper"),
        "folder of Piper's voices (NAME.onnx with NAME.onnx.json), for voices piper:NAME; empty: no Piper",
        name="PIPER_VOICES",
    )
    url: str = NARRATION.url(
        "base URL of a service with OpenAI's POST /audio/speech, for voices openai:NAME; empty: no service"
    )
    model: str = NARRATION.model("gpt-4o-mini-tts", "model of the speech service", example="gpt-4o-mini-tts")
    key: str = NARRATION.key()
    voices: Mapping[str, ServiceVoice] = NARRATION.setting(
        _VOICES,
        form(_voices, "alloy,nova/de,anna=af_bella(2)+af_sky(1)/en-us"),
        "voices of the speech service, NAME or NAME=ITS NAME THERE, and /LANGUAGE, named as espeak's voice",
        name="SPEECH_VOICES",
    )
    timeout_s: float = NARRATION.timeout_s("60", "seconds that the speech service may take for one line")
    fallback: Fallback = NARRATION.setting(
        "espeak",
        mapped({each.value: each for each in Fallback}),
        "what speaks when a narrator has failed for good; espeak: espeak, the whole video; espeak-scene: espeak, that "
        "scene alone; none: the job fails",
        name="SPEECH_FALLBACK",
    )
    patience_s: float = NARRATION.busy_wait_s("a worker")
    format: str = NARRATION.setting(
        "auto",
        choice("auto", "wav", "pcm", "flac", "mp3"),
        "format of sound that the speech service is asked for; auto: wav, and the next one where it is refused",
        name="SPEECH_FORMAT",
    )
    pcm_rate: int = NARRATION.setting(
        "24000",
        number(int, 8_000, 192_000),
        "sample rate in Hz of pcm whose rate the speech service doesn't tell",
        name="SPEECH_PCM_RATE",
    )
    max_characters: int = NARRATION.setting(
        "4096",
        number(int, 20, 100_000),
        "characters that the speech service takes at once; longer lines are spoken in parts",
        name="SPEECH_MAX_CHARACTERS",
    )
    headers: Mapping[str, str | None] = NARRATION.headers()
    params: Mapping[str, Any] = NARRATION.params()
