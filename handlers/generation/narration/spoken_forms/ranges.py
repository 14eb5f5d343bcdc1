"""Ranges: "5–10" is said with a word between its ends, where the language has one."""

import re
from collections.abc import Iterable

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.numbers import number_pattern, said_number, said_year
from handlers.generation.narration.spoken_forms.rules import Rule


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    if words.by:
        number = r"\d{1,6}"
        yield Rule(
            re.compile(rf"(?<![\w.,/×]){number}\s?[×x]\s?{number}(?![\w×/]|[.,]\d)"),
            lambda match: _sizes(match[0], words.by, language), "×x",
        )  # fmt: skip
    if not words.to:
        return
    to = between(words.to, language)
    number = number_pattern(language)
    numbers = rf"(?<![\w.,/–-])(?P<first>{number})(?P<dash>\s?–\s?|-)(?P<last>{number})(?![\w/–-]|[.,:]\d)"
    yield Rule(re.compile(numbers), lambda match: _range(match, to, language), "–-")
    if words.by:
        yield Rule(re.compile(r"(?<=\ufffc)\s?[×x]\s?(?=\ufffc)"), lambda _: f" {words.by} ", "×x")
    yield Rule(re.compile(r"(?<=:\d\d)\s?[–-]\s?(?=\d{1,2}:\d\d|\ufffc)"), lambda _: to, "–-")
    # What earlier rules have taken ("10 kg – 20 kg", years) is joined by the same word.
    yield Rule(re.compile(r"(?<=\ufffc)(?:\s?–\s?|-)(?=\ufffc)"), lambda _: to, "–-")
    _, days = locales.names_of_time(language)
    months, _ = locales.names_of_time(language)
    names = "|".join(map(re.escape, sorted({*days, *months}, key=len, reverse=True)))
    if names:
        pattern = rf"(?<!\w)(?:{names})(?P<said>\s?[–-]\s?)(?=(?:{names})(?!\w))"
        yield Rule(re.compile(pattern), lambda _: to, "–-")
    yield Rule(re.compile(r"(?<![\w–])[A-Z](?P<said>[–-])(?=[A-Z](?![\w–]))"), lambda _: to, "–-")


def between(word: str, language: str) -> str:
    """Return a word with the blanks that stand around it between two numbers."""
    if language.startswith(("zh", "cmn", "yue", "ja")):
        return word
    return f"{word} " if language.startswith("ko") else f" {word} "


def _range(match: re.Match[str], to: str, language: str) -> str | None:
    first, last = (said_number(match[name], language) for name in ("first", "last"))
    if match["dash"] == "-" and not _rises(first, last, language):
        return None
    if len(first) == 4 == len(last) or language.startswith("en"):
        first, last = (_year(number, language) for number in (first, last))
    return f"{first}{to}{last}"


def _rises(first: str, last: str, language: str) -> bool:
    """Tell whether numbers with a hyphen between them are a range: 10-12, 1914-18; not 3-2 (a score), 555-0100."""
    if len(first) == 4 and len(last) == 2 and last.isdigit():
        return int(first[2:]) < int(last)
    return last[:1] != "0" and locales.value_of(first, language) < locales.value_of(last, language)


def _year(number: str, language: str) -> str:
    if not re.fullmatch(r"1[1-9]\d\d", number):
        return number
    return said_year(int(number), language)


def _sizes(text: str, by: str, language: str) -> str:
    """Say a size in pixels: in English in pairs of digits, "nineteen twenty by ten eighty"."""
    one, other = re.split(r"\s?[×x]\s?", text)
    if language.startswith("en"):
        one, other = (pairs(number) for number in (one, other))
    return f"{one} {by} {other}"


def pairs(number: str) -> str:
    """Return a number of three or four digits as it is said in pairs: "10 80", "7 20"."""
    if len(number) not in (3, 4) or number.endswith("00") or number[-2] == "0":
        return number
    return f"{number[:-2]} {number[-2:]}"
