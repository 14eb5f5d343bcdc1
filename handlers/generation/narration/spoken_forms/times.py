"""Times of day and durations."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule

_TIME: Final = r"(?<![\w.,:/])(?<![^\d\ufffc]-)(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![\w:]|[.,/]\d)"
#: "8m30s", "1h 20min"; a number with a single "m" or "h" alone may be another thing.
_DURATION: Final = re.compile(
    r"(?<![\w.,/:-])(?:(?P<hour>\d{1,4})h ?(?:(?P<minute>\d{1,3})(?:min|m))?(?: ?(?P<second>\d{1,3})s)?"
    r"|(?P<minute2>\d{1,4})(?:min|m) ?(?P<second2>\d{1,3})s)(?![\w/])"
)


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    english = language.startswith("en")

    def clock(match: re.Match[str]) -> str | None:
        hour, minute = int(match["hour"]), int(match["minute"])
        if english:
            return _english(hour, minute, match.string[match.end() : match.end() + 6])
        behind = match.groupdict().get("word")
        if minute == 0 and words.full_hour:
            return words.full_hour.format(hour)
        if not words.clock or (minute == 0 and not behind):
            return None
        return words.clock.format(hour, minute)

    if words.clock_word:
        yield Rule(re.compile(_TIME.replace(r"(?![\w:]|[.,/]\d)", rf"\s?(?P<word>{words.clock_word})(?!\w)")), clock)
        if words.clock:
            yield Rule(
                re.compile(
                    rf"(?<![\w.,:/-])(?P<hour>[01]?\d|2[0-4])[.h](?P<minute>[0-5]\d)(?P<word>\s?(?:{words.clock_word}))(?!\w)"
                ),
                clock,
            )
    if language.startswith("fr"):
        yield Rule(re.compile(r"(?<![\w.,:/-])(?P<hour>[01]?\d|2[0-4])\s?h\s?(?P<minute>[0-5]\d)(?!\w)"), clock)
    if english or words.clock or words.full_hour:
        yield Rule(re.compile(_TIME), clock)
    if words.ratio:
        yield Rule(
            re.compile(r"(?<![\w.,:/-])(\d{1,3}):(\d{1,3})(?![\w:]|[.,]\d)"),
            lambda match: f"{match[1]} {words.ratio} {match[2]}" if len(match[2]) != 2 or int(match[2]) > 59 else None,
        )
    yield Rule(_DURATION, lambda match: _duration(match, language), "hm")


def _english(hour: int, minute: int, behind: str) -> str | None:
    half = re.match(r"\s?(?:[ap]\.?m\b|[AP]\.?M\b)", behind)
    if minute == 0:
        if half:
            return str(hour)
        return f"{hour} o'clock" if 1 <= hour <= 12 else f"{hour} hundred" if hour > 12 else None
    return f"{hour} oh {minute}" if minute < 10 and hour else None


def _duration(match: re.Match[str], language: str) -> str | None:
    parts = []
    for name in ("hour", "minute", "second"):
        number = match[name] or (match[f"{name}2"] if name != "hour" else None)
        if number is not None:
            parts.append(locales.unit_of(str(int(number)), f"duration-{name}", language))
    return " ".join(parts) if None not in parts else None  # type: ignore[arg-type]
