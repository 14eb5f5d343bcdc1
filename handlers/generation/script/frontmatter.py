"""Reads front matter: settings of the whole video at the top of a script, mostly YAML between two `---`.

::

    ---
    title: Event streams
    theme: midnight
    voice: en-us        (none: no narration)
    rate: 1.1
    aspect: 9:16
    captions: burned    (yes, no or burned)
    music: as_...       (the id of an audio asset, or none)
    lang: de            (of the text; `language`, `languageCode` and `locale` are the same)
    ---

Keys of other tools are ignored with a warning. `preamble` reads the notations of front matter.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from attrs import field, frozen

from eventflow.domain.values import is_asset_id
from eventflow.requests.json_reader import forbidden
from eventflow.requests.limits import (
    ASPECT_NAMES,
    FASTEST_RATE,
    FORMATS,
    KEEPABLE,
    MAX_SPEAKER_CHARS,
    MAX_SPEAKERS,
    MAX_TITLE_CHARS,
    SLOWEST_RATE,
    VOICE_NAME,
)
from handlers.generation.control import Warned
from handlers.generation.errors import ScriptError
from handlers.generation.script.comments import without_inline_comments
from handlers.generation.script.deck_tools import Deck, deck_of, is_foreign
from handlers.generation.script.declared_languages import FRONT_MATTER_KEYS, tag_of
from handlers.generation.script.nfc import nfc
from handlers.generation.script.preamble import Entry, Preamble, split
from handlers.generation.script.shapes.characters import visible

Captions = Literal["none", "track", "burned"]

#: From this likeness to a known key on, an unknown key counts as a misspelling: "voise" does, "date" (rate) and
#: "subtitle" don't (decision 181).
_LIKENESS: Final = 0.8
#: Most keys or faults that a message names.
_MOST_NAMED: Final = 20
_NONE: Final = ("none", "null", "no", "off", "false", "~")


@frozen(kw_only=True)
class FrontMatter:
    """The settings in a script's front matter; None where it has none. `music` is empty for no music."""

    title: str | None = None
    theme: str | None = None
    voice: str | None = None
    narrated: bool | None = None
    rate: float | None = None
    aspect: str | None = None
    captions: Captions | None = None
    music: str | None = None
    format: str | None = None
    voices: Mapping[str, str] = field(factory=dict)
    keep: tuple[str, ...] = ()
    #: The tag of the text's language, and the key that has it.
    language: str = ""
    language_key: str = ""


@frozen
class Manuscript:
    """A script split into its front matter and the Markdown `body`, with warnings for its author.

    In the body, blank lines replace removed text, so that lines keep their numbers. `embedded` are the `data:`
    addresses of pictures by the short forms that stand for them in the body. `deck` is the deck of another tool that it
    is; `foreign` tells whether its front matter belongs to another tool, which has themes of its own.
    """

    front: FrontMatter
    body: str
    warnings: tuple[Warned, ...] = ()
    embedded: Mapping[str, str] = MappingProxyType({})
    deck: Deck | None = None
    foreign: bool = False


def split_front_matter(text: str) -> Manuscript:
    """Split a script into front matter and body. Raises ScriptError, which names all faults."""
    preamble = split(text, _KEYS)
    deck, other = _tool(text, preamble)
    found: dict[str, Any] = {}
    seen: set[str] = set()
    faults: list[str] = []
    foreign: list[str] = []
    for entry in preamble.entries:
        if entry.key in FRONT_MATTER_KEYS and (tag := tag_of(entry.value)):
            found.setdefault("language", tag)
            found.setdefault("language_key", entry.key)
        elif entry.key not in _KEYS:
            near = difflib.get_close_matches(entry.key[:64], _KEYS, n=1, cutoff=_LIKENESS)
            named = f"{entry.key[:40]!r}"
            if near and not other:
                faults.append(f"line {entry.line}: unknown key {named}; did you mean {near[0]}?")
            else:
                meant = f"; {near[0]}?" if near else ""
                foreign.append(f"{named} (line {entry.line}{meant})")
        elif entry.key in seen:
            faults.append(f"line {entry.line}: {entry.key} is given more than once")
        else:
            seen.add(entry.key)
            wrong: list[str] = []
            found |= _read(entry, wrong)
            if other and entry.key in _SHARED and (wrong or _is_structure(entry.value)):
                found.pop(entry.key, None)
                foreign.append(f"{entry.key!r} (line {entry.line})")
            else:
                faults += wrong
    if faults:
        raise ScriptError("; ".join(f"front matter, {fault}" for fault in faults[:_MOST_NAMED]))
    warnings = (*_unknown(foreign), *map(_doubt, preamble.doubts))
    return Manuscript(FrontMatter(**found), preamble.body, warnings, deck=deck, foreign=other)


def _is_structure(value: str | None) -> bool:
    """Tell whether a value is a list or mapping on one line."""
    return value is not None and (value[:1] + value[-1:]) in ("{}", "[]")


def _tool(text: str, preamble: Preamble) -> tuple[Deck | None, bool]:
    """Return the deck of another tool that a document is, and whether its front matter belongs to another tool."""
    entries = {entry.key: entry.value for entry in preamble.entries}
    deck = deck_of(entries, text[: max(0, len(text) - len(preamble.body.lstrip("\n")))], preamble.body)
    return deck, deck is not None or is_foreign(frozenset(entries))


def _unknown(foreign: list[str]) -> tuple[Warned, ...]:
    if not foreign:
        return ()
    more = f" and {len(foreign) - _MOST_NAMED} more" if len(foreign) > _MOST_NAMED else ""
    names = ", ".join(foreign[:_MOST_NAMED])
    message = f"unknown keys in the front matter are ignored: {names}{more}; available: {', '.join((*_KEYS, 'lang'))}"
    return (Warned("front_matter_keys", message),)


def _doubt(doubt: tuple[int, str]) -> Warned:
    line, what = doubt
    return Warned("front_matter_unread", f"line {line}: {what}")


def _read(entry: Entry, faults: list[str]) -> dict[str, Any]:
    value = None if entry.value is None else " ".join(entry.value.split())
    try:
        if entry.key in _MEMBERS:
            return _MEMBERS[entry.key](entry)
        if value is None:
            raise ValueError("must be a single text")
        return _KEYS[entry.key](value)
    except ValueError as error:
        shown = "a list or a mapping" if value is None else repr(value[:60])
        faults.append(f"line {entry.line}: {entry.key} {error}, not {shown}")
        return {}


def _title(value: str) -> dict[str, Any]:
    title = " ".join(nfc(without_inline_comments(value)).split())
    if not 0 < len(title) <= MAX_TITLE_CHARS:
        raise ValueError(f"must have 1 to {MAX_TITLE_CHARS} characters")
    if found := forbidden(title):
        raise ValueError(f"must have no control characters such as U+{ord(found[0]):04X}")
    return {"title": visible(title)[0]}


def _theme(value: str) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", value):
        raise ValueError("must be the name of a theme, such as midnight")
    return {"theme": value}


def _voice(value: str) -> dict[str, Any]:
    if value.lower() in _NONE:
        return {"narrated": False}
    if not re.fullmatch(r"[A-Za-z0-9_.:+-]{1,64}", value):
        raise ValueError("must be the name of a voice, such as en-us, or none")
    return {"voice": value, "narrated": True}


def _rate(value: str) -> dict[str, Any]:
    if re.fullmatch(r"\d(\.\d{1,6})?", value) and SLOWEST_RATE <= float(value) <= FASTEST_RATE:
        return {"rate": float(value)}
    raise ValueError(f"must be a number from {SLOWEST_RATE} to {FASTEST_RATE}")


def _aspect(value: str) -> dict[str, Any]:
    if value not in ASPECT_NAMES:
        raise ValueError(f"must be one of {', '.join(ASPECT_NAMES)}")
    return {"aspect": value}


_CAPTIONS: dict[str, Captions] = {
    **dict.fromkeys(("yes", "true", "on", "track"), "track"),
    **dict.fromkeys(("no", "false", "off", "none"), "none"),
    "burned": "burned",
}


def _captions(value: str) -> dict[str, Any]:
    if value.lower() not in _CAPTIONS:
        raise ValueError("must be yes, no or burned")
    return {"captions": _CAPTIONS[value.lower()]}


def _music(value: str) -> dict[str, Any]:
    asset = value.removeprefix("asset:")
    if value.lower() in _NONE:
        return {"music": ""}
    if not is_asset_id(asset):
        raise ValueError("must be the id of an audio asset (as_ and 32 hex digits, from POST /api/v1/assets) or none")
    return {"music": asset}


def _format(value: str) -> dict[str, Any]:
    if value not in FORMATS:
        raise ValueError(f"must be one of {', '.join(FORMATS)}")
    return {"format": value}


def _voices(entry: Entry) -> dict[str, Any]:
    if not entry.members or len(entry.members) > MAX_SPEAKERS:
        raise ValueError(f"must have a line `Name: voice` for each of at most {MAX_SPEAKERS} speakers")
    for speaker, voice in entry.members:
        if not 0 < len(speaker) <= MAX_SPEAKER_CHARS or not re.fullmatch(VOICE_NAME, voice):
            raise ValueError(f"must give each speaker the name of a voice, such as en-gb; {speaker[:40]!r} has none")
        if found := forbidden(speaker):
            raise ValueError(f"must have no control characters such as U+{ord(found[0]):04X}")
    return {"voices": dict(entry.members)}


def _keep(entry: Entry) -> dict[str, Any]:
    names = [name for name, _ in entry.members] or [part.strip(" []") for part in (entry.value or "").split(",")]
    if not set(names) <= set(KEEPABLE):
        raise ValueError(f"must be some of {', '.join(KEEPABLE)}")
    return {"keep": tuple(names)}


#: Keys with several values.
_MEMBERS: dict[str, Callable[[Entry], dict[str, Any]]] = {"voices": _voices, "keep": _keep}

#: Keys of ours that other tools have with other meanings.
_SHARED: Final = ("title", "theme", "format")
_KEYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "title": _title,
    "theme": _theme,
    "voice": _voice,
    "rate": _rate,
    "aspect": _aspect,
    "captions": _captions,
    "music": _music,
    "format": _format,
    **dict.fromkeys(_MEMBERS, lambda _: {}),
}
