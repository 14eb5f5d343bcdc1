"""Numbers: groups of digits, decimals, signs, powers, fractions and years."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule
from handlers.generation.narration.spoken_forms.words import Lexicon

_BLANKS: Final = "\u00a0\u202f\u2009"
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789-+0123456789aehijklmnoprstuvx")


@cache
def number_pattern(language: str) -> str:
    """Return the pattern of a number as the language writes it, without a sign; to be put behind `(?<![\\w.,])`."""
    decimal, group = locales.separators(language)
    least = 1 if group.strip() != group else 2
    decimals = rf"(?:{re.escape(decimal)}\d++)?+"
    groups = re.escape(group) if group.strip() else ""
    return (
        rf"(?:\d{{1,3}}(?:[{groups}{_BLANKS}]\d{{3}})++(?!\d){decimals}"
        rf"|\d{{1,3}}(?: \d{{3}}){{{least},9}}+(?! ?\d){decimals}"
        r"|\d++(?:[.,]\d++)?+)"
    )


def said_number(number: str, language: str, *, decimal: bool = False) -> str:
    """Return a number as voices read it: groups joined by blanks become one number, a foreign decimal sign the own one.

    `decimal`: what stands behind tells that the number is an amount, so that "10,5" in English is a decimal.
    """
    own, _ = locales.separators(language)
    joined = re.sub(rf"[\s{_BLANKS}]", "", number)
    if decimal and own == "." and re.fullmatch(r"\d+,(?:\d{1,2}|\d{4,})", joined):
        joined = joined.replace(",", ".")
    point = lexicon_of(language).point
    if point and (match := re.fullmatch(rf"(\d+){re.escape(own)}(\d+)", joined)):
        return f"{match[1]}{' ' if point.isascii() or language.startswith('uk') else ''}{point} {match[2]}"
    return joined


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    yield from _powers(language, words)
    if words.fractions:
        yield Rule(
            re.compile(r"(?<![\w/.,])\d/\d{1,2}(?![\w/]|[.,]\d)"), lambda match: words.fractions.get(match[0]), "/"
        )
    if language.startswith("en"):
        yield from _english(language)
    elif words.year_words:
        yield _years(language, words.year_words)
    if language.startswith("de"):
        yield from _german(language)
    if minus := locales.minus(language):
        yield Rule(
            re.compile(r"(?:(?<=^)|(?<=[\s(=:\[≈~<>≤≥±×·/]))(?<!\d )[-−](?=[\d\ufffc])"), lambda _: f"{minus} ", "−-"
        )
        yield Rule(re.compile(r"−(?=[\d\ufffc])"), lambda _: f" {minus} ", "−")
    pattern = re.compile(rf"(?<![\w.,]){number_pattern(language)}(?!\w|[.,]\d)")
    yield Rule(pattern, lambda match: said_number(match[0], language))


def _powers(language: str, words: Lexicon) -> Iterable[Rule]:
    minus = locales.minus(language) or "minus"

    def power(match: re.Match[str]) -> str | None:
        exponent = match["raised"].translate(_RAISED).lstrip("^").strip("{}+").replace("−", "-")
        name = {"2": words.squared, "3": words.cubed}.get(exponent, "")
        if name:
            return f"{match['base']} {name}"
        if not words.power or not exponent.lstrip("-").isdigit():
            return None
        return f"{match['base']} {words.power} {exponent.replace('-', f'{minus} ')}"

    base = r"(?<!\w)(?P<base>\d{1,12}(?:[.,]\d{1,12})?|[^\W\d_]{1,3})"
    if words.squared or words.power:
        yield Rule(
            re.compile(base + r"(?P<raised>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6}|\^[-−]?\d{1,6}|\^\{[-−]?\d{1,6}\})(?![\w^])"),
            power,
            "⁰¹²³⁴⁵⁶⁷⁸⁹^",
        )
    yield Rule(
        re.compile(r"[₀-₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ]++(?P<more>(?=\w))?"),
        lambda match: f" {match[0].translate(_RAISED)}{' ' if match['more'] is not None else ''}",
        "₀-₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ",
    )  # fmt: skip


def said_year(year: int, language: str) -> str:
    """Say a year from 1100 to 1999 where a language says years otherwise than numbers: "eighteen thirty-two"."""
    rules = lexicon_of(language).year_rules
    return (locales.spelled(year, rules, language) if rules and 1100 <= year < 2000 else None) or str(year)


def _year(pattern: str, language: str) -> Rule:
    """Return the rule that says the group "said" as a year."""
    return Rule(re.compile(pattern), lambda match: said_year(int(match["said"]), language))


def _english(language: str) -> Iterable[Rule]:
    number = r"(?P<said>1[1-9]\d\d)(?![\w%°]|[.,:/-]\d)"
    yield _year(rf"(?<!\w)(?:{lexicon_of(language).year_words}) {number}", language)
    yield _year(rf"(?<=\(){number}(?=\))", language)
    yield _year(rf"(?<![\w.,]){number}(?= (?:BC|AD|BCE|CE)\b)", language)
    # "1832 was a cold year": a year that begins a sentence is followed by a verb.
    yield _year(rf"(?:^|(?<=[.!?] )){number}(?= (?:was|saw|is|marked|brought|began|ended|had|and)\b)", language)


def _years(language: str, before: str) -> Rule:
    pattern = rf"(?<!\w)(?i:{before})\s(?P<said>1[1-9]\d\d)(?![\w%°]|[.,:/-]\d| [A-ZÄÖÜ][a-zäöüß]{{2,}}(?:en|er|e|n)\b)"
    return _year(pattern, language)


def _german(language: str) -> Iterable[Rule]:
    verbs = r"wurden?|war|waren|kam|kamen|begann|gab|entstand|starb|ist|erschien|folgte|lebten?|zog|ging|bis"
    yield _year(rf"(?<![\w.,])(?P<said>1[1-9]\d\d)(?= (?:{verbs})\b)", language)
    # No noun follows that it could be the number of.
    yield _year(r"(?<=[a-zäöüß] )(?P<said>1[1-9]\d\d)(?=[.;!?](?: [A-ZÄÖÜ]|\W{0,9}$)|$)", language)
    yield _year(r"(?<=\()(?P<said>1[1-9]\d\d)(?=\))", language)
