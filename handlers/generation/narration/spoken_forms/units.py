"""Units behind numbers in words; quotients and powers of them."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from handlers.generation.narration.spoken_forms import locales, unit_names
from handlers.generation.narration.spoken_forms.lexicon import in_readings, lexicon_of
from handlers.generation.narration.spoken_forms.numbers import number_pattern, said_number
from handlers.generation.narration.spoken_forms.ranges import between
from handlers.generation.narration.spoken_forms.rules import Rule
from handlers.generation.narration.spoken_forms.words import Lexicon

#: English plurals of numbers: "the 1s", "100s of".
_PLURAL: Final = re.compile(r"\bthe \d+s\b|\b\d+s of\b|\b1s and 0s|\band 0s")


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    if locales.locale_of(language) is None:
        return
    names: dict[str, str] = {**locales.unit_symbols(language), **unit_names.SYMBOLS, **unit_names.LETTERS}
    names = {sign: name for sign, name in names.items() if sign not in words.not_units}
    quotients: dict[str, tuple[str, str]] = {
        symbol + second: (name, "duration-second")
        for symbol, name in names.items()
        if name.startswith("digital-")
        for second in ("/s", "/с")
    }
    quotients |= unit_names.QUOTIENTS
    number = number_pattern(language)
    symbols = sorted([*names, *quotients, *words.units], key=len, reverse=True)
    close = [s for s in symbols if s not in ("m", "V", "min.")]
    spaced = "|".join(map(re.escape, symbols))
    joined = "|".join(map(re.escape, close))
    sizes = rf"(?P<number>{number})(?:(?P<mark>\s?[–-]\s?|\s?[×x]\s?)(?P<upper>{number}))?"
    # A unit ends before what is no letter, digit or another sign of a unit.
    end = r"(?![\w²³^%°]|/(?![^\W\d_]{3}))"

    known: dict[str, str | tuple[str, str]] = {**names, **quotients}

    def said(match: re.Match[str]) -> str | None:
        return in_readings(_measure(match, known, words, language), words)

    yield Rule(re.compile(rf"(?<![\w.,/]){sizes}(?:[ \u00a0\u202f-](?P<unit>{spaced})|(?P<close>{joined})){end}"), said)


def _measure(
    match: re.Match[str], names: Mapping[str, str | tuple[str, str]], words: Lexicon, language: str
) -> str | None:
    symbol = match["unit"] or match["close"]
    if match["unit"] and match.string[match.start("unit") - 1] == "-" and symbol in unit_names.LETTERS:
        return None
    if match["close"] == "s" and _PLURAL.search(match.string[max(0, match.start() - 8) : match.end() + 4]):
        return None
    number = said_number(match["upper"] or match["number"], language, decimal=True)
    said = _with_unit(number, symbol, names, words, language)
    if said is None:
        return None
    if not match["upper"]:
        return said
    word = words.to if match["mark"].strip() in ("–", "-") else words.by
    first = said_number(match["number"], language, decimal=True)
    return f"{first}{between(word or match['mark'].strip(), language)}{said}"


def _with_unit(
    number: str, symbol: str, names: Mapping[str, str | tuple[str, str]], words: Lexicon, language: str
) -> str | None:
    if symbol in words.units:
        return f"{number} {words.units[symbol]}"
    name = names[symbol]
    if isinstance(name, tuple):
        unit, per = name
        if words.per_second:
            plain = locales.unit_of(number, unit, language)
            return words.per_second.format(plain) if plain else None
        return locales.unit_of(number, unit, language, per)
    if name == "concentr-percent" and words.percent:
        return words.percent.format(number)
    return locales.unit_of(number, name, language)
