"""Decades: "1990s", "80s", German "1990er"."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.rules import Rule

_TENS: Final = {
    "20": "twenties", "30": "thirties", "40": "forties", "50": "fifties", "60": "sixties", "70": "seventies",
    "80": "eighties", "90": "nineties",
}  # fmt: skip
_ENGLISH: Final = re.compile(r"(?<![\w.,])['’]?(?P<century>1[1-9]|20)?(?P<tens>\d0)['’]?s(?!\w)")
_GERMAN: Final = re.compile(r"(?<![\w.,])(?P<year>1[1-9]\d0)(?P<end>ern?)(?!\w)")


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    if language.startswith("en"):
        yield Rule(_ENGLISH, lambda match: _english(match["century"], match["tens"], language))
    if language.startswith("de"):
        yield Rule(_GERMAN, lambda match: _german(match, language))


def _english(century: str | None, tens: str, language: str) -> str | None:
    name = _TENS.get(tens)
    if century is None:
        return name
    words = locales.spelled(int(century), "spellout-cardinal", language)
    if tens == "00":
        return f"{words} hundreds" if century != "20" else "two thousands"
    return f"{words} {name or 'tens'}"


def _german(match: re.Match[str], language: str) -> str | None:
    words = locales.spelled(int(match["year"]), "spellout-numbering-year", language)
    return f"{words}{match['end']}" if words else None
