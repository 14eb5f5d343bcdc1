"""Settings of narration: `EVENTFLOW_PIPER_VOICES` and `EVENTFLOW_SPEECH_*`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from eventflow.settings.declare import Group
from eventflow.settings.kinds import bearer_token, mapped, matching, number, optional_folder, service_url

NARRATION = Group("Narration: Piper's voices, a speech service")

_VOICE: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}(/[a-z]{2,3}(-[a-z0-9]+)*)?"
#: Those of gpt-4o-mini-tts.
_VOICES: Final = "alloy,ash,coral,echo,fable,nova,onyx,sage,shimmer"


def _voices(text: str) -> dict[str, str]:
    split = (voice.strip().partition("/") for voice in text.split(","))
    return {name: language for name, _, language in split}


@frozen(kw_only=True)
class SpeechSettings:
    """Narrators besides espeak; `piper_folder` is None where there is no Piper, `url` empty where there is no service.

    `voices` are those of the service with their languages (named as espeak's voices; empty: unknown). `fallback`:
    espeak narrates a scene whose narrator has failed.
    """

    piper_folder: Path | None = NARRATION.setting(
        "",
        optional_folder("/var/lib/piper"),
        "folder of Piper's voices (NAME.onnx with NAME.onnx.json), for voices piper:NAME; empty: no Piper",
        name="PIPER_VOICES",
    )
    url: str = NARRATION.setting(
        "",
        service_url(),
        "base URL of a service with OpenAI's POST /audio/speech, for voices openai:NAME; empty: no service",
        name="SPEECH_URL",
    )
    model: str = NARRATION.setting(
        "gpt-4o-mini-tts",
        matching(r"[^\s\0]{1,200}", "gpt-4o-mini-tts"),
        "model of the speech service",
        name="SPEECH_MODEL",
    )
    key: str = NARRATION.setting(
        "", bearer_token(), "bearer token of the speech service; empty: none is sent", name="SPEECH_KEY", secret=True
    )
    voices: Mapping[str, str] = NARRATION.setting(
        _VOICES,
        matching(rf"{_VOICE}( *, *{_VOICE})*", "alloy,nova/de").then(_voices),
        "voices of the speech service, NAME or NAME/LANGUAGE, the language named as espeak's voice",
        name="SPEECH_VOICES",
    )
    timeout_s: float = NARRATION.setting(
        "60",
        number(float, 0.1, 3_600),
        "seconds that the speech service may take for one line",
        name="SPEECH_TIMEOUT_SECONDS",
    )
    fallback: bool = NARRATION.setting(
        "espeak",
        mapped({"espeak": True, "none": False}),
        "narrator of a scene whose own narrator has failed for good; none: the scene fails",
        name="SPEECH_FALLBACK",
    )
