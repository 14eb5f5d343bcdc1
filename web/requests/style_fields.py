"""How a video is to look and sound, as a request says it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from eventflow.domain.values import CaptionMode, OnSceneFailure, is_asset_id
from web.requests.json_reader import Checks, kind_of

#: Those of `handlers/generation/aspects.py`; a test compares.
ASPECTS: Final = ("16:9", "9:16", "1:1")


def parse_theme(value: Any, checks: Checks, themes: Collection[str]) -> str | None:
    """None, like null: the pipeline's own choice."""
    if value is None:
        return None
    return _one_of(value, "/theme", sorted(themes), "theme", checks)


def parse_aspect(value: Any, checks: Checks, *_: Any) -> str | None:
    return _one_of(value, "/aspect", ASPECTS, "aspect ratio", checks)


def parse_captions(value: Any, checks: Checks, *_: Any) -> CaptionMode | None:
    if isinstance(value, bool):
        return CaptionMode.TRACK if value else CaptionMode.NONE
    if value == "burned":
        return CaptionMode.BURNED
    given = f"{value[:64]!r}" if isinstance(value, str) else kind_of(value)
    code = "unknown_value" if isinstance(value, str) else "wrong_type"
    checks.add("/captions", code, f'must be true, false or "burned", not {given}')
    return None


def parse_music(value: Any, checks: Checks, *_: Any) -> str | None:
    if value is None or not checks.typed(value, str, "/music", "a string"):
        return None
    if not is_asset_id(value):
        checks.add("/music", "malformed", "must be the id of an audio asset: as_ and 32 hex digits")
        return None
    return str(value)


def parse_on_scene_failure(value: Any, checks: Checks, *_: Any) -> OnSceneFailure | None:
    found = _one_of(value, "/on_scene_failure", tuple(OnSceneFailure), "way", checks)
    return None if found is None else OnSceneFailure(found)


def _one_of(value: Any, pointer: str, choices: Collection[str], what: str, checks: Checks) -> str | None:
    if not checks.typed(value, str, pointer, "a string"):
        return None
    if value not in choices:
        checks.add(pointer, "unknown_value", f"there is no such {what}; there is: {', '.join(choices)}")
        return None
    return str(value)
