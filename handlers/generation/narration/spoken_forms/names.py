"""Names with digits, signs and capitals: acronyms, versions, languages and sizes of pictures."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms.lexicon import Lexicon, lexicon_of
from handlers.generation.narration.spoken_forms.ranges import pairs
from handlers.generation.narration.spoken_forms.rules import Rule

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
        # Words in capitals between others in capitals are a heading, not acronyms.
        return f"{spelled_out(match['letters'])}{match['end']}"

    listed = "|".join(sorted(spelled, key=len, reverse=True))
    yield Rule(re.compile(rf"(?<![\w.@#/&-])(?P<letters>{listed})(?P<end>s|['’]s)?(?![\w@&]|['’]\w)"), lambda match: acronym(match) if match["end"] else f"{spelled_out(match['letters'])}", "A-Z")  # noqa: E501

    def with_digits(match: re.Match[str]) -> str | None:
        letters = match["letters"]
        if letters not in spelled and not (len(letters) == 2 and _VOWELS & set(letters)):
            return None
        return f"{spelled_out(letters)} {match['digits']}"

    yield Rule(re.compile(r"(?<![\w.@#/-])(?P<letters>[A-Z]{2,3})(?P<digits>\d{1,3})(?![\w@])"), with_digits, "A-Z")
    yield Rule(re.compile(r"(?<!\w)IPv(?P<digits>[46])(?!\d)"), lambda match: f"I-P v {match['digits']}", "I")


def _english() -> Iterable[Rule]:
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<size>480|720|1080|1440|2160|4320)(?P<end>[pi])(?P<rate>\d{2})?(?!\w)"),
        lambda match: f"{pairs(match['size'])} {match['end']}" + (f" {match['rate']}" if match["rate"] else ""),
    )
    # Of a version each part is a number: "3.10" is "three point ten".
    yield Rule(
        re.compile(r"(?<!\w)(?:[Vv]ersion|[Rr]elease|Python|Node|Java|Go|Ruby|Django|Ubuntu|Debian|iOS|Android|PHP) (?P<said>\d{1,3}(?:\.\d{1,3}){1,3})(?![\w%]|\.\d)"),
        lambda match: " point ".join(str(int(part)) for part in match["said"].split(".")), ".",
    )  # fmt: skip
    yield Rule(
        re.compile(r"(?<![\w.])[vV](?P<number>\d{1,4}(?:\.\d{1,4}){0,3})(?![\w]|\.\d)"),
        lambda match: "version " + " point ".join(str(int(part)) for part in match["number"].split(".")),
        "vV",
    )
    yield Rule(re.compile(r"(?<![\w.,])(?P<said>\d{1,4}x)(?= (?:faster|slower|more|less|as|larger|smaller|bigger))"),
               lambda match: f"{match['said'][:-1]} times", "x")  # fmt: skip
    yield Rule(re.compile(r"(?<![\w.,$€£])(?P<number>\d{1,4})(?P<end>[kK])(?= [a-z]{3,})"), lambda match: f"{match['number']} thousand", "kK")
