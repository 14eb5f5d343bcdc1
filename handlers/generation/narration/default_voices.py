"""Chooses espeak-ng's voice of a language by its BCP 47 tag."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from handlers.generation.narration.readable import MUTE

#: Voices of tags that are named otherwise, and of languages without a region: that of most who speak them.
_USUAL: Final = {
    "en": "en-us",
    "pt": "pt-br",
    **dict.fromkeys(("zh", "zh-cn", "zh-tw", "zh-sg", "zh-hans", "zh-hant"), "cmn"),
    **dict.fromkeys(("zh-hk", "zh-mo"), "yue"),
    **dict.fromkeys(("no", "nn"), "nb"),
    **dict.fromkeys(("sh", "hbs"), "hbs"),
    **dict.fromkeys(("en-au", "en-nz", "en-ie", "en-za", "en-in"), "en-gb"),
    "iw": "he",
    "in": "id",
}
#: Regions of the Spanish of Latin America.
_LATIN_AMERICA: Final = frozenset(
    ("ar", "bo", "cl", "co", "cr", "cu", "do", "ec", "gt", "hn", "ni", "pa", "pe", "pr", "py", "sv", "us", "uy", "ve")
)


def voice_of(language: str, names: Collection[str]) -> str | None:
    """Return the one of the voices `names` for a language, and if possible its region; None where there is none."""
    tag = language.lower().replace("_", "-")
    if tag.startswith("es-") and tag[3:] in _LATIN_AMERICA:
        tag = "es-419"
    while tag:
        for name in (_USUAL.get(tag), tag):
            if name in names and name not in MUTE:
                return name
        tag = tag.rpartition("-")[0]
    return None


def language_name(language: str) -> str:
    """Return the English name of a language by its BCP 47 tag, such as Czech; the tag where it has none."""
    from babel import Locale

    return str(Locale("en").languages.get(language.split("-")[0].lower(), language))
