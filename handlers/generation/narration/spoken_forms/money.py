"""Amounts of money: the name of the currency stands behind the number."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import in_readings, lexicon_of
from handlers.generation.narration.spoken_forms.numbers import number_pattern, said_number
from handlers.generation.narration.spoken_forms.ranges import between
from handlers.generation.narration.spoken_forms.rules import Rule
from handlers.generation.narration.spoken_forms.words import Lexicon

_SIGNS: Final = {
    "US$": "USD", "R$": "BRL", "A$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD", "€": "EUR",
    "£": "GBP",
    "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND", "฿": "THB", "₱": "PHP",
    "₦": "NGN", "₸": "KZT", "₾": "GEL", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "$": "$", "¥": "¥", "￥": "¥",
    "円": "JPY",
}  # fmt: skip
_CODES: Final = (
    "USD EUR GBP JPY CNY CHF INR RUB PLN CZK HUF SEK NOK DKK AUD CAD NZD BRL MXN KRW TRY UAH ILS ZAR SGD HKD THB RON "
    "BGN ISK"
)
_SINGLE_SIGNS: Final = "€£₹₽₩₺₴₪₫฿₱₦₸₾$¥￥円"
#: "a $5 fee": an amount between an article (before "@") and a noun.
_ADJECTIVE: Final = re.compile(r"(?<!\w)(?:a|an|each|every|one) @ [a-z]")
#: What is written before or behind amounts in cents: two digits.
_CENTS: Final = re.compile(r"(\d+)[.,](\d\d)")


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    if locales.locale_of(language) is None:
        return
    words = lexicon_of(language)
    signs = dict(_SIGNS) | ({"kr.": words.crown, "kr": words.crown} if words.crown else {})
    sign = "|".join(re.escape(each) for each in sorted([*signs, *_CODES.split()], key=len, reverse=True))
    number = number_pattern(language)
    large = "|".join(each.replace(".", r"\.") for each in sorted(words.magnitudes, key=len, reverse=True)) or r"(?!)"
    short = "|".join(sorted(words.magnitude_signs, key=len, reverse=True)) or r"(?!)"
    amount = rf"(?P<number>{number})(?:\s?[–-]\s?(?:{sign})?\s?(?P<upper>{number}))?"
    scale = rf"(?:[\s-]?(?P<large>{large})|(?P<short>{short}))?(?!\w)"
    minus = r"(?:(?<![\w.])(?P<minus>[-−]))?"

    def said(match: re.Match[str]) -> str | None:
        return in_readings(_amount(match, signs.get(match["sign"], match["sign"]), words, language), words)

    asked = _SINGLE_SIGNS + "kzKFA-Z"
    yield Rule(re.compile(rf"{minus}(?<![\w.])(?P<sign>{sign})\s?(?P<minus2>[-−])?{amount}{scale}"), said, asked)
    behind = rf"{minus}(?<![\w.,]){amount}(?:\s?(?P<large>{large})|\s?(?P<short>{short}))?\s?(?P<sign>{sign})(?!\w)"
    yield Rule(re.compile(behind), said, asked)


def _amount(match: re.Match[str], code: str, words: Lexicon, language: str) -> str | None:
    number, upper = match["number"], match["upper"]
    large = match["large"] or words.magnitude_signs.get(match["short"] or "", "")
    if match["short"] and not large:
        return None
    large = {"Mio.": "Millionen", "Mrd.": "Milliarden", "Tsd.": "Tausend"}.get(large, large)
    name = _name(upper or number, code, words, language, large=bool(large))
    if name is None:
        return None
    first = said_number(number, language, decimal=True)
    if upper:
        first = f"{first}{between(words.to or '–', language)}{said_number(upper, language, decimal=True)}"
    has_minus = match["minus"] or match.groupdict().get("minus2")
    minus = f"{locales.minus(language) or '−'} " if has_minus else ""
    if large:
        if language.startswith(("zh", "cmn", "ja", "ko")):
            return f"{minus}{first}{large}{name}"
        of = words.magnitude_of if large not in ("mil",) else ""
        if of == "de " and language.startswith("fr") and name[0] in "aeiouéh":
            of = "d'"
        return f"{minus}{first} {large} {of}{name}"
    cents = _CENTS.fullmatch(first)
    if cents and not upper and (said := _with_cents(cents, name, code, language)):
        return minus + said
    if language.startswith("en"):
        name = _english_name(match, name)
    blank = "" if language.startswith(("zh", "cmn", "ja", "ko", "yue")) else " "
    return f"{minus}{first}{blank}{name}"


def _english_name(match: re.Match[str], name: str) -> str:
    """Return the name of a currency in the singular where the amount belongs to a noun: "a 5 dollar fee"."""
    start, end = match.span()
    around = f"{match.string[max(0, start - 8) : start]}@{match.string[end : end + 2]}"
    return name.removesuffix("s") if _ADJECTIVE.search(around) else name


def _name(number: str, code: str, words: Lexicon, language: str, *, large: bool) -> str | None:
    """Return the name of a currency for a number; of the sign "$" the dollar's alone."""
    if code == "$":
        if language.startswith("es-MX"):
            code = "MXN"
        elif words.dollars[1]:
            return words.dollars[0 if not large and locales.value_of(number, language) == 1 else 1]
        else:
            code = "USD"
    if code == "¥":
        code = words.yen
    if code == "GBP" and language.startswith("en"):
        return "pound" if not large and number == "1" else "pounds"
    if code == "GBP" and language.startswith("de"):
        return "Pfund"
    return locales.currency_of("1000000" if large else number, code, language)


def _with_cents(cents: re.Match[str], name: str, code: str, language: str) -> str | None:
    """Return "5 dollars and 50 cents", where the smaller unit is sure."""
    if language.startswith("en") and code in ("$", "USD", "EUR", "GBP", "AUD", "CAD"):
        small = ("penny", "pence") if code == "GBP" else ("cent", "cents")
        rest = int(cents[2])
        whole = f"{cents[1]} {name.removesuffix('s') if cents[1] == '1' else name}"
        part = f"{rest} {small[rest != 1]}"
        return part if int(cents[1]) == 0 else f"{whole} and {part}" if rest else whole
    if language.startswith("de") and code in ("EUR", "$", "USD", "GBP", "CHF"):
        return f"{cents[1]} {name}" + (f" {int(cents[2])}" if int(cents[2]) else "")
    return None
