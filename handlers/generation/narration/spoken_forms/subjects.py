"""All rules of a language, in the order in which they take what they match."""

from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms import (
    abbreviations,
    addresses,
    dates,
    decades,
    emoji,
    money,
    names,
    numbers,
    ordinals,
    phones,
    ranges,
    roman,
    signs,
    times,
    units,
)
from handlers.generation.narration.spoken_forms.rules import Rule

_SUBJECTS: Final = (
    emoji, addresses, dates, phones, money, names, times, decades, units, abbreviations, roman, ordinals, ranges,
    numbers, signs,
)  # fmt: skip


def rules_for(language: str) -> Iterable[Rule]:
    """Yield the rules for a voice of a language (a BCP 47 tag)."""
    for subject in _SUBJECTS:
        yield from subject.rules(language)
