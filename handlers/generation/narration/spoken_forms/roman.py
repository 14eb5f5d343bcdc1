"""Roman numerals, where what stands beside them makes them sure."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule

_NUMERAL: Final = r"(?P<said>(?=[IVXL])(?:X[LC]|L?X{0,3})(?:IX|IV|V?I{0,3}))"
_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_POLISH_CENTURIES: Final = (
    "pierwszy drugi trzeci czwarty piąty szósty siódmy ósmy dziewiąty dziesiąty jedenasty dwunasty trzynasty czternasty "
    "piętnasty szesnasty siedemnasty osiemnasty dziewiętnasty dwudziesty dwudziesty-pierwszy"
).split()


def value(numeral: str) -> int:
    """Return the value of a Roman numeral."""
    numbers = [_VALUES[letter] for letter in numeral]
    return sum(-one if one < other else one for one, other in zip(numbers, [*numbers[1:], 0], strict=True))


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    for before, how in words.roman_after.items():
        point = r"\.?" if how.startswith("der ") else ""
        pattern = rf"(?<!\w)(?:{before})\s{_NUMERAL.replace('))', '))' + point, 1) if False else _NUMERAL}(?![\w'’])"
        yield Rule(re.compile(pattern), lambda match, how=how: _said(match["said"], how, language), "IVXL")  # type: ignore[misc]
    for behind, how in words.roman_before.items():
        pattern = rf"(?<![\w.]){_NUMERAL}(?P<end>{behind})"
        yield Rule(re.compile(pattern), lambda match, how=how: _before(match, how, language), "IVXL")  # type: ignore[misc]


def _before(match: re.Match[str], how: str, language: str) -> str | None:
    # The ending of "XIXe siècle" stays where it is; voices would read it: the numeral is written so that it ends right.
    return _said(match["said"], how, language)


def _said(numeral: str, how: str, language: str) -> str | None:
    number = value(numeral)
    if how == "=pl":
        return _POLISH_CENTURIES[number - 1].replace("-", " ") if number <= len(_POLISH_CENTURIES) else None
    if how == "*10":  # Spanish kings: ordinals up to ten
        return locales.spelled(number, "spellout-ordinal-masculine", language) if number <= 10 else str(number)
    if not how:
        return str(number)
    article, _, ruleset = how.rpartition(" ")
    if article == "der":
        return f"der {(locales.spelled(number, ruleset, language) or '').capitalize()}"
    word = locales.spelled(number, ruleset, language)
    return f"{article} {word}".strip() if word else None
