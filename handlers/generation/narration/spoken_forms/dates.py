"""Dates in numbers are said with the name of the month; days before a month are ordinals where a language says so."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.numbers import said_year
from handlers.generation.narration.spoken_forms.ordinals import german_day
from handlers.generation.narration.spoken_forms.rules import Rule

_ISO: Final = re.compile(r"(?<![\w./-])(?P<y>[12]\d{3})-(?P<m>\d{2})-(?P<d>\d{2})(?![\d-]|[./]\d)(?:T(?=\d))?")
_YEAR_SIGN: Final = re.compile(r"\s[гр]\.$")
_POINT_BEHIND_DAY: Final = re.compile(r"\b(\d{1,2})\.(?= )")


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    if locales.locale_of(language) is None:
        return
    yield Rule(_ISO, lambda match: _iso(match, language))
    order, separator = locales.date_order(language)
    if order:
        yield Rule(_numeric(order, re.escape(separator)), lambda match: _date(match, language))
    for other in (".", "/"):
        if (other != separator and order != "mdy") or (other == "." and order == "ymd"):
            yield Rule(_numeric("dmy", re.escape(other)), lambda match: _date(match, language))
    yield from _written(language)


def _iso(match: re.Match[str], language: str) -> str | None:
    """Say a date of ISO 8601; a time may follow it."""
    said = _date(match, language)
    return f"{said} " if said and match[0].endswith("T") else said


def _numeric(order: str, separator: str) -> re.Pattern[str]:
    parts = {"d": r"(?P<d>\d{1,2})", "m": r"(?P<m>\d{1,2})", "y": r"(?P<y>[12]\d{3})"}
    return re.compile(rf"(?<![\w./-]){rf'{separator} ?'.join(parts[part] for part in order)}(?![\w/-]|[.]\d)")


def _date(match: re.Match[str], language: str) -> str | None:
    try:
        day = date(int(match["y"]), int(match["m"]), int(match["d"]))
    except ValueError:
        return None
    return _said(day, match.string[max(0, match.start() - 24) : match.start()], language)


def _said(day: date, before: str, language: str) -> str | None:
    words = lexicon_of(language)
    if words.date:
        return words.date.format(year=day.year, month=words.months[day.month - 1], day=words.days[day.day - 1])
    written = locales.long_date(day, language)
    if written is None:
        return None
    written = written.replace(str(day.year), said_year(day.year, language))
    if words.year_in_date and (year := locales.spelled(day.year, words.year_in_date, language)):
        written = re.sub(r"\s\d{4}\sг\.$", f" {year} года", written)
    if language.startswith("en"):
        ordinal = f"{day.day}{_ending(day.day)}"
        return re.sub(rf"\b{day.day}\b(?!\d)", ordinal, written, count=1)
    if language.startswith("fr") and day.day == 1:
        return re.sub(r"^1\b", "premier", written)
    if language.startswith(("it", "pt")) and day.day == 1:
        return re.sub(r"^1\b", "1º", written)
    if (ordinal_day := _day(day.day, before, language)) is not None:
        return re.sub(rf"(?<!\d){day.day}\.?(?= )", ordinal_day, written, count=1)
    # Voices end a sentence at a point behind a number.
    return _POINT_BEHIND_DAY.sub(r"\1", _YEAR_SIGN.sub("", written)).removesuffix(".")


def _day(day: int, before: str, language: str) -> str | None:
    """Return a day before a month in words, where the language has them."""
    if language.startswith("de"):
        return german_day(day, before, language)
    words = lexicon_of(language)
    if words.days:
        return words.days[day - 1]
    return locales.spelled(day, words.day_rules, language) if words.day_rules else None


def _ending(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _written(language: str) -> Iterable[Rule]:
    """Yield the rules for days beside the name of a month: "3. Oktober", "July 20", "Jan. 5"."""
    months, _ = locales.names_of_time(language)
    if not months:
        return
    names = "|".join(map(re.escape, sorted(months, key=len, reverse=True)))
    if language.startswith("en"):
        yield from _english(f"Sept|{names}", {**months, "Sept": 9}, language)
        return
    words = lexicon_of(language)
    if language.startswith("de"):
        yield _german(months, language)
    if words.date or not (words.days or words.day_rules or language.startswith("de")):
        return

    def day(match: re.Match[str]) -> str | None:
        number = int(match["day"])
        before = match.string[max(0, match.start() - 24) : match.start()]
        return _day(number, before, language) if 1 <= number <= 31 else None

    point = r"\." if language.startswith(("de", "da", "nb", "no", "fi", "cs")) else ""
    yield Rule(re.compile(rf"(?<![\w.,/])(?P<said>(?P<day>\d{{1,2}}){point})(?=\s(?:{names})(?!\w))"), day)


def _german(months: Mapping[str, int], language: str) -> Rule:
    """Make the rule for "am 24.12.": a day and a month behind a word that makes them one."""
    names = {number: name for name, number in sorted(months.items(), key=lambda item: len(item[0]))}

    def said(match: re.Match[str]) -> str | None:
        day, month = int(match["d"]), int(match["m"])
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return None
        before = match.string[max(0, match.start("said") - 24) : match.start("said")]
        return f"{german_day(day, before, language)} {names[month]}"

    words = r"am|vom|zum|bis|ab|seit"
    pattern = rf"(?<!\w)(?i:{words})\s(?P<said>(?P<d>\d{{1,2}})\.\s?(?P<m>\d{{1,2}})\.)(?!\s?\d)"
    return Rule(re.compile(pattern), said, ".")


def _english(names: str, months: Mapping[str, int], language: str) -> Iterable[Rule]:
    whole = {number: name for name, number in sorted(months.items(), key=lambda item: len(item[0]))}

    def month_first(match: re.Match[str]) -> str | None:
        day = int(match["day"])
        name = whole[months[match["month"]]]
        year = f", {said_year(int(match['year']), language)}" if match["year"] else ""
        return f"{name} {day}{_ending(day)}{year}" if 1 <= day <= 31 else None

    def day_first(match: re.Match[str]) -> str | None:
        day = int(match["day"])
        return f"{day}{_ending(day)} {whole[months[match['month']]]}" if 1 <= day <= 31 else None

    month = rf"(?P<month>{names})\.?"
    yield Rule(
        re.compile(rf"(?<!\w){month} (?P<day>\d{{1,2}})(?![\w%]|[.:]\d)(?:, (?P<year>[12]\d{{3}})(?!\d))?"), month_first
    )
    yield Rule(re.compile(rf"(?<![\w.,/])(?P<day>\d{{1,2}}) {month}(?= \d{{4}}|[,;)]|\s?$)"), day_first)
