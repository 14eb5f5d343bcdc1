"""Names with digits, signs and capitals: acronyms, versions, languages and sizes of pictures."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.ranges import pairs
from handlers.generation.narration.spoken_forms.rules import Rule
from handlers.generation.narration.spoken_forms.words import Lexicon

#: Words before a version.
_VERSIONED: Final = (
    r"version|Version|release|Release|Python|Node|Java|Go|Ruby|Django|Ubuntu|Debian|iOS|Android|PHP|Rust|Kotlin|Swift"
    r"|Redis"
)
_SHOUTED: Final = re.compile(r" [A-Z]{4,}\b")
_SHOUTED_BEFORE: Final = re.compile(r"(?<!\w)[A-Z]{4,} $")
_VOWELS: Final = frozenset("AEIOUY")


def spelled_out(letters: str) -> str:
    """Return letters with hyphens between them: "A W S" would begin with the article."""
    return "-".join(letters)


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    if words.names:
        known = "|".join(map(re.escape, sorted(words.names, key=len, reverse=True)))
        yield Rule(re.compile(rf"(?<![\w.#@/])(?:{known})(?![\w#+])"), lambda match: words.names[match[0]], "A-Zg+aik")
    yield from _lettered(words)
    if language.startswith("en"):
        yield from _english()


def _lettered(words: Lexicon) -> Iterable[Rule]:
    spelled = frozenset(words.letters.split())
    if not spelled:
        return

    def acronym(match: re.Match[str]) -> str | None:
        start, end = match.span()
        # Beside a longer word in capitals it may be a word, too.
        if _SHOUTED_BEFORE.search(match.string[max(0, start - 24) : start]) or _SHOUTED.match(match.string, end):
            return None
        return spelled_out(match["letters"]) + (match["end"] or "")

    listed = "|".join(sorted(spelled, key=len, reverse=True))
    pattern = rf"(?<![\w.@#/&-])(?P<letters>{listed})(?P<end>s|['’]s)?(?![\w@&]|['’]\w)"
    yield Rule(re.compile(pattern), acronym, "A-Z")

    def with_digits(match: re.Match[str]) -> str | None:
        letters = match["letters"]
        if letters not in spelled and not (len(letters) == 2 and _VOWELS & set(letters)):
            return None
        return f"{spelled_out(letters)} {match['digits']}"

    yield Rule(re.compile(r"(?<![\w.@#/-])(?P<letters>[A-Z]{2,3})(?P<digits>\d{1,3})(?![\w@])"), with_digits, "A-Z")
    yield Rule(re.compile(r"(?<!\w)IPv(?P<digits>[46])(?!\d)"), lambda match: f"I-P v {match['digits']}", "I")


def _version(number: str) -> str:
    """Say the parts of a version as numbers, those that begin with a zero by digits."""
    return " point ".join(" ".join(part) if part[0] == "0" else part for part in number.split("."))


def _english() -> Iterable[Rule]:
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<size>480|720|1080|1440|2160|4320)(?P<end>[pi])(?P<rate>\d{2})?(?!\w)"),
        lambda match: f"{pairs(match['size'])} {match['end']}" + (f" {match['rate']}" if match["rate"] else ""),
    )
    # Of a version each part is a number: "3.10" is "three point ten".
    yield Rule(
        re.compile(rf"(?<!\w)(?:{_VERSIONED}) (?P<said>\d{{1,3}}(?:\.\d{{1,3}}){{1,3}})(?![\w%]|\.\d)"),
        lambda match: _version(match["said"]),
        ".",
    )
    yield Rule(
        re.compile(r"(?<![\w.])[vV](?P<number>\d{1,4}(?:\.\d{1,4}){0,3})(?![\w]|\.\d)"),
        lambda match: "version " + _version(match["number"]),
        "vV",
    )
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<number>\d{1,4})x(?= (?:faster|slower|more|less|as|larger|smaller|bigger)\b)"),
        lambda match: f"{match['number']} times",
        "x",
    )
    yield Rule(
        re.compile(r"(?<![\w.,$€£])(?P<number>\d{1,4})(?P<end>[kK])(?= [a-z]{3,})"),
        lambda match: f"{match['number']} thousand",
        "kK",
    )
