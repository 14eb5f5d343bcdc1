"""Settings of narration: `EVENTFLOW_PIPER_VOICES` and `EVENTFLOW_SPEECH_*`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import field, frozen

from eventflow.light import environ
from eventflow.setting_checks import PREFIX, Checks

_VOICE: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}"
_LANGUAGE: Final = r"[a-z]{2,3}(-[a-z0-9]+)*"
_VOICES: Final = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")


@environ.config(prefix=PREFIX)
class RawSpeech:
    """The variables as text, with their defaults and what they mean."""

    piper_voices = environ.var("", help="folder of Piper's voices (NAME.onnx with NAME.onnx.json), for piper:NAME")
    speech_url = environ.var("", help="service with OpenAI's /audio/speech, for openai:NAME: https://HOST/v1")
    speech_model = environ.var("gpt-4o-mini-tts", help="model that the speech service is asked for")
    speech_key = environ.var("", help="bearer token of the speech service (secret, may come from a file)")
    speech_voices = environ.var(
        ",".join(_VOICES), help="voices of the speech service, NAME or NAME/LANGUAGE (an espeak voice): alloy,nova/de"
    )
    speech_timeout_seconds = environ.var("60", help="how long the speech service may take for a line")
    speech_fallback = environ.var("espeak", help="who speaks a scene when its narrator fails for good: espeak or none")


@frozen
class SpeechSettings:
    """`voices` are those of the service with their languages (as espeak's voices are named; empty: not known).

    `url` is empty where there is no service, `piper_folder` None where there is no Piper; `fallback` whether espeak
    steps in.
    """

    piper_folder: Path | None = None
    url: str = ""
    model: str = "gpt-4o-mini-tts"
    key: str = field(default="", repr=False)
    voices: Mapping[str, str] = field(factory=lambda: dict.fromkeys(_VOICES, ""))
    timeout_s: float = 60.0
    fallback: bool = True


def speech_settings(check: Checks) -> SpeechSettings:
    """Problems are noted in `check`."""
    folder = check.matches("piper_voices", r"[^\0]*", "/var/lib/piper")
    one = rf"{_VOICE}(/{_LANGUAGE})?"
    voices = check.matches("speech_voices", rf"{one}( *, *{one})*", "alloy,nova/de").split(",")
    pairs = [voice.strip().partition("/") for voice in voices]
    return SpeechSettings(
        piper_folder=Path(folder).absolute() if folder else None,
        url=check.matches("speech_url", r"(https?://[^\s?#@]+)?", "https://api.openai.com/v1").rstrip("/"),
        model=check.matches("speech_model", r"[^\s\0]{1,200}", "gpt-4o-mini-tts"),
        key=check.matches("speech_key", r"[!-~]{0,4096}", "a token of printable characters", secret=True),
        voices={name: language for name, _, language in pairs},
        timeout_s=check.number("speech_timeout_seconds", float, 0.1, 3_600),
        fallback=check.choice("speech_fallback", ("espeak", "none")) == "espeak",
    )
