"""What the CLDR says of a language: by babel (dates, units, currencies) and unicode-rbnf (numbers in words).

Both libraries are loaded when a function here is first called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.unit_names import NAMES, SYMBOLS

if TYPE_CHECKING:
    from babel import Locale
    from unicode_rbnf import RbnfEngine

#: Languages by the names of voices -> of the CLDR.
_NAMES: Final = {"cmn": "zh", "zh": "zh", "no": "nb", "hbs": "hr", "iw": "he"}
#: Languages whose rules for numbers have another name than their locale.
_NUMBERS: Final = {"nb": "no"}
#: A month without a name, and endings in brackets.
_UNREADABLE_DATE: Final = re.compile(r"\bM\d|\d-\d|\(")
_LARGEST: Final = 1e12
_LETTER: Final = re.compile(r"[^\W\d_]")


@cache
def locale_of(language: str) -> Locale | None:
    """Return the locale of a BCP 47 tag; None where the CLDR has none, or where the tag names another script."""
    from babel import Locale, UnknownLocaleError

    parts = language.split("-")
    if parts[0] in ("und", "root") or any(len(part) == 4 for part in parts[1:]):
        return None
    name = _NAMES.get(parts[0], parts[0])
    for tag in ("_".join([name, *parts[1:2]]), name):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return None


@cache
def _engine(language: str) -> RbnfEngine | None:
    from unicode_rbnf import RbnfEngine

    locale = locale_of(language)
    if locale is None:
        return None
    try:
        return RbnfEngine.for_language(_NUMBERS.get(locale.language, locale.language))
    except (ValueError, OSError):
        return None


def spelled(number: int | Decimal, ruleset: str, language: str) -> str | None:
    """Write out a number by a rule set of the CLDR, such as "spellout-ordinal"; None where the language has none."""
    engine = _engine(language)
    if engine is None or ruleset not in engine.rulesets:
        return None
    from unicode_rbnf.engine import NoRuleForNumberError, RulesetNotFoundError

    try:
        words = "".join(engine.iter_format_number(number, ruleset))
    except (NoRuleForNumberError, RulesetNotFoundError):
        return None
    return words.replace("\xad", "")


@cache
def minus(language: str) -> str | None:
    """Return the word before a negative number."""
    if own := lexicon_of(language).minus:
        return own
    engine = _engine(language)
    if engine is None:
        return None
    rulesets = [
        name for name in engine.rulesets if name.startswith("spellout-cardinal") or name == "spellout-numbering"
    ]
    for ruleset in sorted(rulesets, key=lambda name: (name != "spellout-numbering", len(name))):
        below, above = spelled(-5, ruleset, language), spelled(5, ruleset, language)
        if below and above and below.endswith(above) and (word := below.removesuffix(above).strip()):
            return word if _LETTER.search(word) else None
    return None


@cache
def separators(language: str) -> tuple[str, str]:
    """Return the decimal sign and the separator of groups of digits."""
    locale = locale_of(language)
    symbols = locale.number_symbols.get("latn", {}) if locale else {}
    return str(symbols.get("decimal", ".")), str(symbols.get("group", ","))


def value_of(number: str, language: str) -> float:
    """Return the value of a number as it is written in the language, for its plural: larger ones are all alike."""
    decimal, _ = separators(language)
    other = "," if decimal == "." else "."
    if number.count(decimal) <= 1 and not re.search(rf"\{other}\d{{1,2}}$", number):
        number = number.replace(other, "").replace(decimal, ".")
    else:
        number = number.replace(",", ".")
    try:
        return min(float(re.sub(r"[^\d.]", "", number)), _LARGEST)
    except ValueError:
        return 2.0


def unit_of(number: str, unit: str, language: str, per: str | None = None) -> str | None:
    """Return a number (as it is written) with its unit, named as in the CLDR, in words; None where it has none."""
    from babel.numbers import format_decimal
    from babel.units import UnknownUnitError, format_compound_unit, format_unit

    locale = locale_of(language)
    if locale is None:
        return None
    value = value_of(number, language)
    whole: float | int = int(value) if value.is_integer() else value
    try:
        if per:
            said = format_compound_unit(whole, unit, denominator_unit=per, length="long", locale=locale) or ""
        else:
            said = format_unit(whole, unit, length="long", locale=locale)
    except (UnknownUnitError, ValueError, KeyError, AttributeError):
        return None
    shown = str(format_decimal(whole, locale=locale))
    words = said.replace(shown, "", 1).replace("/", " ").split()
    # Where the CLDR has no words, it has the symbols, or babel gives the unit's own name.
    if not words or unit in words or any(word in SYMBOLS or (len(word) < 3 and "/" in said) for word in words):
        return None
    return said.replace(shown, number, 1).replace(" / ", " ").replace("/", " ").strip()


def currency_of(number: str, code: str, language: str) -> str | None:
    """Return the name of a currency in the number that goes with `number`."""
    from babel.numbers import get_currency_name

    locale = locale_of(language)
    if locale is None:
        return None
    value = value_of(number, language)
    name = str(get_currency_name(code, int(value) if value.is_integer() else value, locale))
    return name if name != code else None


@cache
def unit_symbols(language: str) -> Mapping[str, str]:
    """Map the symbols that the language writes for units (Russian "кг") to their names in the CLDR."""
    locale = locale_of(language)
    found: dict[str, str] = {}
    patterns = dict(locale._data["unit_patterns"]) if locale else {}
    for name in NAMES:
        for length in ("short", "narrow"):
            for pattern in patterns.get(name, {}).get(length, {}).values():
                symbol = (
                    str(pattern).replace("{0}", "").strip(" \u00a0\u202f\u200f") if isinstance(pattern, str) else ""
                )
                if len(symbol) > 1 and symbol[0] != "/" and _LETTER.search(symbol):
                    found.setdefault(symbol, name)
    return found


@cache
def names_of_time(language: str) -> tuple[Mapping[str, int], frozenset[str]]:
    """Return the names of months, whole and short, with their numbers, and the names of days."""
    locale = locale_of(language)
    months: dict[str, int] = {}
    days: set[str] = set()
    if locale:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                months |= {str(name): int(n) for n, name in locale.months[context][width].items()}
                days |= {str(name) for name in locale.days[context][width].values()}
    # Names that are numbers ("7月") are no names.
    return {n: at for n, at in months.items() if n.strip(".").isalpha()}, frozenset(d for d in days if d[:1].isalpha())


def long_date(day: date, language: str) -> str | None:
    """Write a date as the language writes it with the name of its month; None where the CLDR has none."""
    from babel.dates import format_date

    locale = locale_of(language)
    if locale is None:
        return None
    written = str(format_date(day, "long", locale))
    return written if not _UNREADABLE_DATE.search(written) else None


@cache
def date_order(language: str) -> tuple[str, str]:
    """Return the order of a date in numbers, such as "dmy", and its separator; "" where it is unknown."""
    locale = locale_of(language)
    pattern = re.sub(r"'[^']*'|[^dMyL./-]", "", str(locale.date_formats["short"].pattern)) if locale else ""
    order = "".join(dict.fromkeys(letter for letter in pattern.lower() if letter in "dmy"))
    separator = re.search(r"[./-]", pattern)
    return (order, separator[0]) if len(order) == 3 and separator else ("", "")
