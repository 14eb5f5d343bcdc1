"""Roman numerals, where what stands beside them makes them sure."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule

_NUMERAL: Final = r"(?:(?=[IVXL])(?:X[LC]|L?X{0,3})(?:IX|IV|V?I{0,3}))"
_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_POLISH_CENTURIES: Final = (
    "pierwszy drugi trzeci czwarty piąty szósty siódmy ósmy dziewiąty dziesiąty jedenasty dwunasty trzynasty "
    "czternasty piętnasty szesnasty siedemnasty osiemnasty dziewiętnasty dwudziesty dwudziesty-pierwszy"
)


def value(numeral: str) -> int:
    """Return the value of a Roman numeral."""
    numbers = [_VALUES[letter] for letter in numeral]
    return sum(-one if one < other else one for one, other in zip(numbers, [*numbers[1:], 0], strict=True))


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    for before, how in words.roman_after.items():
        # German ends such an ordinal with a point.
        point = r"(?:\.(?= \w))?" if how.startswith("der ") else ""
        pattern = rf"(?<!\w)(?:{before})\s(?P<said>{_NUMERAL}{point})(?!\w)"
        yield Rule(re.compile(pattern), lambda match, how=how: _said(match["said"], how, language), "IVXL")  # type: ignore[misc]
    for behind, how in words.roman_before.items():
        # An ending of the numeral itself ("XIXe") belongs to what is said.
        pattern = rf"(?<![\w.])(?P<said>{_NUMERAL}{words.roman_ending})(?={behind})"
        yield Rule(re.compile(pattern), lambda match, how=how: _said(match["said"], how, language), "IVXL")  # type: ignore[misc]


def _said(numeral: str, how: str, language: str) -> str | None:
    number = value("".join(letter for letter in numeral if letter in _VALUES))
    if how == "=pl":
        names = _POLISH_CENTURIES.split()
        return names[number - 1].replace("-", " ") if number <= len(names) else None
    if how == "*10":  # Spanish kings: ordinals up to ten
        return locales.spelled(number, "spellout-ordinal-masculine", language) if number <= 10 else str(number)
    if not how:
        return str(number)
    article, _, ruleset = how.rpartition(" ")
    if article == "der":
        return f"der {(locales.spelled(number, ruleset, language) or '').capitalize()}"
    word = locales.spelled(number, ruleset, language)
    return f"{article} {word}".strip() if word else None
