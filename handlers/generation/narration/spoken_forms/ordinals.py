"""Ordinals: "3. Oktober", "3e", "3-й". English writes its own in a way that voices read."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule

#: German: what stands before an ordinal decides its ending.
_GERMAN: Final = {
    "spellout-ordinal-n": (
        "dem|den|des|im|am|zum|vom|beim|ins|ans|zur|einem|einen|eines|einer|seinem|ihrem|diesem|diesen|jedem|jeden|bis|seit"
        "|ab|der ersten und"
    ),
    "spellout-ordinal": "der|die|das|Der|Die|Das|jede|diese|eine|seine|ihre|dieses|jedes",
}
#: Nouns before which an ordinal stands without an article -> its ending, after their gender.
_ALONE: Final = {
    "spellout-ordinal-s": "Jahrhundert|Kapitel|Mal|Semester|Quartal|Gebot",
    "spellout-ordinal-r": "Weltkrieg|Platz|Tag|Teil|Schritt|Akt|Stock",
    "spellout-ordinal": "Auflage|Klasse|Etage|Liga|Ausgabe",
}
#: "in der 3. Klasse": behind these, "der" is the dative.
_DATIVE: Final = r"(?:in|auf|an|mit|von|nach|bei|seit|aus|zu|vor|hinter|neben|unter|über|zwischen)"


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
    if re.search(rf"(?<!\w){_DATIVE} der\s$", before):
        ruleset = "spellout-ordinal-n"
    else:
        found = (
            name
            for name, those in _GERMAN.items()
            if re.search(rf"(?<!\w)(?:{those})\s(?:\d{{1,2}}\. (?:und|bis) )?$", before, re.IGNORECASE)
        )
        ruleset = next(found, "spellout-ordinal-r")
    return locales.spelled(day, ruleset, language) or f"{day}."


def _german(language: str) -> Iterable[Rule]:
    def ordinal(match: re.Match[str]) -> str:
        return german_day(
            int(match["number"]), match.string[max(0, match.start("said") - 24) : match.start("said")], language
        )

    known = "|".join(those for those in _GERMAN.values())
    # Before a noun or an adjective, behind an article or a preposition.
    noun = r"(?= [A-ZÄÖÜ][a-zäöüß]{2,}| [A-Z]{2,}\b| [a-zäöüß]{2,30}(?:en|e|er|es) [A-ZÄÖÜ]| und [\d\ufffc])"
    yield Rule(re.compile(rf"(?<!\w)(?i:{known})\s(?P<said>(?P<number>[1-9]\d{{0,2}})\.){noun}"), ordinal, ".")
    for ruleset, nouns in _ALONE.items():
        pattern = rf"(?<![\w.,])(?P<said>(?P<number>[1-9]\d?)\.)(?= (?:{nouns})\b)"
        yield Rule(re.compile(pattern), _alone(ruleset, language), ".")


def _alone(ruleset: str, language: str) -> Callable[[re.Match[str]], str | None]:
    return lambda match: locales.spelled(int(match["number"]), ruleset, language)
