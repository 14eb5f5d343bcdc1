"""The words of a language for the rules.

What a language doesn't have here is not changed in its texts, or taken from the CLDR (`locales`).
"""

from collections.abc import Mapping
from typing import Final

from handlers.generation.narration.spoken_forms import (
    lexicon_asian,
    lexicon_de,
    lexicon_en,
    lexicon_germanic,
    lexicon_other,
    lexicon_romance,
    lexicon_slavic,
)
from handlers.generation.narration.spoken_forms.words import Lexicon

LEXICONS: Final[Mapping[str, Lexicon]] = {
    "en": lexicon_en.WORDS,
    "de": lexicon_de.WORDS,
    **lexicon_romance.LEXICONS,
    **lexicon_germanic.LEXICONS,
    **lexicon_slavic.LEXICONS,
    **lexicon_asian.LEXICONS,
    **lexicon_other.LEXICONS,
}

#: Languages by the names of voices -> of the table.
_SAME: Final = {"cmn": "zh", "no": "nb", "hbs": "hr"}
_NONE: Final = Lexicon()


def lexicon_of(language: str) -> Lexicon:
    """Return the words for a voice of a language (a BCP 47 tag); an empty lexicon where there are none."""
    name, *rest = language.split("-")
    if any(len(part) == 4 for part in rest):
        return _NONE
    return LEXICONS.get(_SAME.get(name, name), _NONE)


def in_readings(said: str | None, words: Lexicon) -> str | None:
    """Write what the CLDR gives as voices of the language read it."""
    if said is not None:
        for signs, reading in words.readings.items():
            said = said.replace(signs, reading)
    return said
