"""Front matter: a few `key: value` lines between two `---` at the very top of a script, about the video as a whole.

::

    ---
    title: Event streams
    theme: midnight
    voice: en-us        (none: no narration)
    rate: 1.1
    aspect: 9:16
    captions: burned    (yes, no or burned)
    music: as_...       (the id of an audio asset, or none)
    ---
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any, Final, Literal

from attrs import frozen

from eventflow.assets import is_asset_id
from handlers.generation.aspects import ASPECTS
from handlers.generation.errors import ScriptError
from handlers.generation.speech import FASTEST, SLOWEST

Captions = Literal["none", "track", "burned"]

MAX_TITLE_CHARS: Final = 200
_RULE = re.compile(r"-{3,}[ \t]*")
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+(.*))?")


@frozen
class FrontMatter:
    """What a script says about its video; None where it says nothing. `music` is empty where there is to be none."""

    title: str | None = None
    theme: str | None = None
    voice: str | None = None
    narrated: bool | None = None
    rate: float | None = None
    aspect: str | None = None
    captions: Captions | None = None
    music: str | None = None


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    """The front matter of a script and the rest of it, in which blank lines stand for what was taken away, so that
    lines keep their numbers.

    `---` at the top is front matter only if a `key:` follows it and another `---` ends it. Raises ScriptError.
    """
    lines = text.split("\n")
    if len(lines) < 3 or not _RULE.fullmatch(lines[0]) or not _PAIR.fullmatch(lines[1].rstrip()):
        return FrontMatter(), text
    end = next((n for n in range(1, len(lines)) if _RULE.fullmatch(lines[n])), None)
    if end is None:
        return FrontMatter(), text
    found: dict[str, Any] = {}
    seen: set[str] = set()
    for number, line in enumerate(lines[1:end], 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pair = _PAIR.fullmatch(line.rstrip())
        if pair is None:
            raise ScriptError(f"line {number} of the front matter isn't `key: value`: {line.strip()[:60]!r}")
        key = pair[1].lower()
        if key in seen:
            raise ScriptError(f"front matter, line {number}: {key} is given more than once")
        seen.add(key)
        found |= _read(key, _unquoted((pair[2] or "").strip()), number)
    return FrontMatter(**found), "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" else value


def _read(key: str, value: str, number: int) -> dict[str, Any]:
    if key not in _KEYS:
        near = difflib.get_close_matches(key, _KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is: {', '.join(_KEYS)}"
        raise ScriptError(f"front matter, line {number}: there is no key {key[:40]!r}; {hint}")
    try:
        return _KEYS[key](value)
    except ValueError as error:
        raise ScriptError(f"front matter, line {number}: {key} {error}, not {value[:60]!r}") from None


def _title(value: str) -> dict[str, Any]:
    if not 0 < len(value) <= MAX_TITLE_CHARS:
        raise ValueError(f"has 1 to {MAX_TITLE_CHARS} characters")
    return {"title": value}


def _theme(value: str) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", value):
        raise ValueError("is the name of a theme, such as midnight")
    return {"theme": value}


def _voice(value: str) -> dict[str, Any]:
    if value.lower() in ("none", "null", "no", "off"):
        return {"narrated": False}
    if not re.fullmatch(r"[A-Za-z0-9_.:+-]{1,64}", value):
        raise ValueError("is the name of a voice, such as en-us, or none")
    return {"voice": value, "narrated": True}


def _rate(value: str) -> dict[str, Any]:
    if re.fullmatch(r"\d(\.\d{1,6})?", value) and SLOWEST <= float(value) <= FASTEST:
        return {"rate": float(value)}
    raise ValueError(f"is a number from {SLOWEST} to {FASTEST}")


def _aspect(value: str) -> dict[str, Any]:
    if value not in ASPECTS:
        raise ValueError(f"is one of {', '.join(ASPECTS)}")
    return {"aspect": value}


_CAPTIONS: dict[str, Captions] = {
    **dict.fromkeys(("yes", "true", "on", "track"), "track"),
    **dict.fromkeys(("no", "false", "off", "none"), "none"),
    "burned": "burned",
}


def _captions(value: str) -> dict[str, Any]:
    if value.lower() not in _CAPTIONS:
        raise ValueError("is yes, no or burned")
    return {"captions": _CAPTIONS[value.lower()]}


def _music(value: str) -> dict[str, Any]:
    asset = value.removeprefix("asset:")
    if value.lower() in ("none", "null", "no", "off"):
        return {"music": ""}
    if not is_asset_id(asset):
        raise ValueError("is the id of an audio asset (as_ and 32 hex digits, from POST /api/v1/assets) or none")
    return {"music": asset}


_KEYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "title": _title,
    "theme": _theme,
    "voice": _voice,
    "rate": _rate,
    "aspect": _aspect,
    "captions": _captions,
    "music": _music,
}
