"""Finds the sound in a good answer of a speech service: as it stands, in JSON as base64, or in events. Pure."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from handlers.generation.http_services.reasons import error_in
from handlers.generation.narration.narrators.wav_files import BadSound

#: Where services put the sound in an object, in order.
_PLACES: Final = (
    "audio",
    "audio_content",
    "audioContent",
    "audio_base64",
    "b64_json",
    "data",
    "delta",
    "output",
    "result",
)
_MOST_DEPTH: Final = 4


class ErrorInAnswer(Exception):
    """A good answer tells of an error; `told` is its JSON object."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__("an error in a good answer")
        self.told = told


def sound_bytes(body: bytes, media_type: str) -> tuple[bytes, str]:
    """Return the bytes of the sound and their media type, "" where it isn't told. Raises BadSound, ErrorInAnswer."""
    begin = body[:200].lstrip()
    if begin.startswith((b"data:", b"event:")) or "event-stream" in media_type.lower():
        return b"".join(_of_events(body)), ""
    if begin.startswith(b"{"):
        try:
            value = orjson.loads(body)
        except ValueError:
            return body, media_type
        return _of_value(value), ""
    return body, media_type


def _of_events(body: bytes) -> Iterator[bytes]:
    for line in body.split(b"\n"):
        data = line.strip().removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        if not data.startswith(b"{"):
            continue
        try:
            value = orjson.loads(data)
        except ValueError:
            raise BadSound("an event of the answer is not JSON") from None
        _raise_error_in(value)
        if (sound := _found(value, 0)) is not None:
            yield sound


def _of_value(value: Any) -> bytes:
    _raise_error_in(value)
    sound = _found(value, 0)
    if sound is None:
        raise BadSound(f"JSON without sound ({', '.join(list(value)[:8])})"[:200])
    return sound


def _raise_error_in(value: Any) -> None:
    if isinstance(value, dict) and (error_in(value) is not None or (value.get("detail") and not value.get("audio"))):
        raise ErrorInAnswer(value)


def _found(value: Any, depth: int) -> bytes | None:
    """Return the sound in a value: base64, perhaps as a data URL, perhaps deeper in the object."""
    if isinstance(value, str):
        try:
            return b64decode(value.rpartition(",")[2] if value.startswith("data:") else value, validate=True)
        except (binascii.Error, ValueError):
            raise BadSound("the sound in the answer is no base64") from None
    if isinstance(value, dict) and depth < _MOST_DEPTH:
        for name in _PLACES:
            inner = value.get(name)
            if isinstance(inner, str | dict) and inner and (sound := _found(inner, depth + 1)) is not None:
                return sound
    return None
