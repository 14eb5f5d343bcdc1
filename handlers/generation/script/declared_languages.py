"""Reads what a text itself says of its language, in the notations of other tools. Tags are BCP 47."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from eventflow.requests.limits import LANGUAGE_TAG
from handlers.generation.model import TextLanguage

#: Keys of front matter: of pandoc, Quarto, Jekyll, Marp and VitePress; of others; of Hugo.
FRONT_MATTER_KEYS: Final = ("lang", "language", "languagecode", "locale")
#: The characters at the beginning of a text that are read.
_MOST_CHARS: Final = 10_000
_TAG: Final = r"(?P<tag>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,4})"
_BARE: Final = _TAG.replace("tag", "bare")
_KEY: Final = r"(?:lang|language|languageCode|locale)"
#: What names the language, and where it does, by the shape of the text.
_NOTATIONS: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = {
    "subtitles": ("`Language:`", re.compile(rf"^Language:[ \t]*+{_TAG}[ \t]*+$", re.MULTILINE)),
    "html": ("`lang` of its page", re.compile(rf"<html\b[^<>]{{0,500}}?\blang\s?=\s?[\"']?{_TAG}[\"'\s>]", re.I)),
    "ssml": ("`xml:lang`", re.compile(rf"<speak\b[^<>]{{0,500}}?\bxml:lang\s?=\s?[\"']{_TAG}[\"']")),
    "org": ("`#+LANGUAGE:`", re.compile(rf"^#\+LANGUAGE:[ \t]*+{_TAG}[ \t]*+$", re.MULTILINE | re.I)),
    "asciidoc": ("`:lang:`", re.compile(rf"^:lang:[ \t]*+{_TAG}[ \t]*+$", re.MULTILINE)),
    "scene_list": (
        "a key of its scenes",
        re.compile(
            rf"[\"']{_KEY}[\"'][ \t]?:[ \t]?[\"']{_TAG}[\"']"
            rf"|^[ \t-]*+{_KEY}[ \t]?:[ \t]*+[\"']?{_BARE}[\"']?[ \t]*+(?:#[^\n]*+)?$",
            re.MULTILINE,
        ),
    ),
}


def tag_of(value: str | None) -> str:
    """Return the tag that a value is, such as `pt_BR`; empty where it is none."""
    tag = (value or "").strip().replace("_", "-")
    return tag if re.fullmatch(LANGUAGE_TAG, tag) else ""


def declared(shape: str, body: str) -> TextLanguage | None:
    """Return the language that a text of this shape names; None where it names none, or several."""
    notation = _NOTATIONS.get(shape)
    if notation is None:
        return None
    where, pattern = notation
    found = [match["tag"] or match.groupdict().get("bare") for match in pattern.finditer(body[:_MOST_CHARS])]
    tags = {tag_of(tag) for tag in found}
    if len(tags) != 1:
        return None
    return TextLanguage(tag=tags.pop(), sure=True, because=f"{where} says so")
