"""Ordinals: "3. Oktober", "3e", "3-й". English writes its own in a way that voices read."""

import re
from collections.abc import Callable, Iterable

from handlers.generation.narration.spoken_forms import lexicon_de, locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    if language.startswith("de"):
        yield from _german(language)
    if words.ordinal:
        yield Rule(re.compile(rf"(?<![\w.,]){words.ordinal}"), lambda match: _said(match, language))


def _said(match: re.Match[str], language: str) -> str | None:
    ruleset = lexicon_of(language).ordinal_rules.get(match["end"], "")
    if ruleset.startswith("="):
        return ruleset[1:] if match["number"] == "2" else None
    number = int(match["number"])
    if number == 1 and match["end"] in ("er", "e") and language.startswith("fr"):
        return "premier" if match["end"] == "er" else None
    return locales.spelled(number, ruleset, language) if ruleset else None


def german_day(day: int, before: str, language: str) -> str:
    """Return the ordinal of a day with the ending that the words before it ask for."""
    if re.search(rf"(?<!\w){lexicon_de.DATIVE} der\s$", before):
        ruleset = "spellout-ordinal-n"
    else:
        found = (
            name
            for name, those in lexicon_de.ORDINALS_BEHIND.items()
            if re.search(rf"(?<!\w)(?:{those})\s(?:\d{{1,2}}\. (?:und|bis) )?$", before, re.IGNORECASE)
        )
        ruleset = next(found, "spellout-ordinal-r")
    return locales.spelled(day, ruleset, language) or f"{day}."


def _german(language: str) -> Iterable[Rule]:
    def ordinal(match: re.Match[str]) -> str:
        return german_day(
            int(match["number"]), match.string[max(0, match.start("said") - 24) : match.start("said")], language
        )

    known = "|".join(those for those in lexicon_de.ORDINALS_BEHIND.values())
    # Before a noun or an adjective, behind an article or a preposition.
    noun = r"(?= [A-ZÄÖÜ][a-zäöüß]{2,}| [A-Z]{2,}\b| [a-zäöüß]{2,30}(?:en|e|er|es) [A-ZÄÖÜ]| und [\d\ufffc])"
    yield Rule(re.compile(rf"(?<!\w)(?i:{known})\s(?P<said>(?P<number>[1-9]\d{{0,2}})\.){noun}"), ordinal, ".")
    for ruleset, nouns in lexicon_de.ORDINALS_BEFORE.items():
        pattern = rf"(?<![\w.,])(?P<said>(?P<number>[1-9]\d?)\.)(?= (?:{nouns})\b)"
        yield Rule(re.compile(pattern), _alone(ruleset, language), ".")


def _alone(ruleset: str, language: str) -> Callable[[re.Match[str]], str | None]:
    return lambda match: locales.spelled(int(match["number"]), ruleset, language)
