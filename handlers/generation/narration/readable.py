"""Which scripts a voice can read, and the lines of a video that hold others: these it spells, skips or misreads.

espeak-ng's voices hand words of some scripts to another voice ("(hi)" within English); of others they say what sort of
letters these are, for each letter ("Chinese letter"). The table is measured by espeak's phonemes for every voice (a
test does so again). Piper's voices get their phonemes from espeak. Of other narrators nothing is known.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Final

from attrs import field, frozen

from handlers.generation.script.content import Scene

#: Voices without a dictionary, which say nothing at all.
MUTE: Final = frozenset(("fo", "kaa", "xex"))


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT_LATIN: Final = _names("ba cv hak hy-arevmda hyw ja kok ky mto my nog shn ti")
_NOT_GREEK: Final = _names(
    "af bs en en-029 en-gb en-gb-scotland en-gb-x-gbclan en-gb-x-gbcwmd en-gb-x-rp en-shaw en-us en-us-nyc hbs hr lt "
    "mk sr vi vi-vn-x-central vi-vn-x-south"
)
_NONE: Final = frozenset[str]()
#: Scripts (ISO 15924) that all voices read but those named here and the mute ones.
_ALL_BUT: Final[Mapping[str, frozenset[str]]] = {
    "Latn": _NOT_LATIN,
    "Grek": _NOT_GREEK,
    **dict.fromkeys(("Deva", "Beng", "Guru", "Gujr", "Taml", "Knda", "Mlym", "Sinh", "Geor", "Armn", "Hang"), _NONE),
}
#: Scripts that these voices alone read; scripts in neither table are read by none.
_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "Cyrl": _names("ba be bg bs cv hbs hr ka kk ky lfn ltg lv mk nog ru ru-cl ru-lv sr tt uk uz"),
    "Arab": _names("ar fa fa-latn sd ug ur"),
    "Hebr": _names("he"),
    "Orya": _names("or"),
    "Telu": _names("te"),
    "Thai": _names("th"),
    "Mymr": _names("my"),
    "Ethi": _names("am ti"),
    "Hira": _names("ja"),
    "Kana": _names("ja"),
    "Hani": _names("cmn cmn-latn-pinyin yue zh zh-cmn zh-yue"),
    "Bopo": _names("cmn cmn-latn-pinyin zh zh-cmn"),
    "Shaw": _names("en en-029 en-gb en-gb-scotland en-gb-x-gbclan en-gb-x-gbcwmd en-gb-x-rp en-shaw en-us en-us-nyc"),
}
#: A voice that reads the script, to be named.
_INSTEAD: Final = {
    "Latn": "en-us", "Grek": "el", "Cyrl": "ru", "Arab": "ar", "Hebr": "he", "Orya": "or", "Telu": "te", "Thai": "th",
    "Mymr": "my", "Ethi": "am", "Hira": "ja", "Kana": "ja", "Hani": "cmn", "Bopo": "cmn", "Shaw": "en-us",
}  # fmt: skip
#: Scripts that belong to no letters of their own.
_SHARED: Final = ("Zyyy", "Zinh", "Zzzz")
#: Of these a single letter is a word; of others it is a sign (π, Ω), which is said by its name.
_LETTERS_ARE_WORDS: Final = ("Hani", "Hira", "Kana", "Bopo")
#: Abbreviations are said by letters by every voice.
_ABBREVIATION: Final = re.compile(r"\b[A-Z]{1,6}\b")
_LATIN: Final = re.compile(r"[A-Za-z]{2}")
_MOST_LETTERS: Final = 6
_MOST_SCENES: Final = 10


@frozen(kw_only=True)
class Unread:
    """Letters of one script that a voice can't read: some of them, and the numbers of the scenes that say them.

    `line` is the first line with one.
    """

    script: str
    letters: tuple[str, ...]
    scenes: tuple[int, ...]
    line: str


@frozen
class Reader:
    """What a voice reads, by its name and the BCP 47 tag of its language."""

    voice: str
    language: str = "und"
    _known: tuple[str, ...] = field(init=False)

    @_known.default
    def _find(self) -> tuple[str, ...]:
        narrator, _, name = self.voice.rpartition(":")
        if narrator == "piper":
            return (self.language.lower(), self.language.split("-")[0].lower())
        return () if narrator else (name,)

    def reads(self, script: str) -> bool:
        """Tell whether the voice reads a script, by its ISO 15924 code; yes where nothing is known."""
        if not self._known or script in _SHARED:
            return True
        if not MUTE.isdisjoint(self._known):
            return False
        if script in _ALL_BUT:
            return _ALL_BUT[script].isdisjoint(self._known[:1])
        return not _ONLY.get(script, _NONE).isdisjoint(self._known)

    def limits(self) -> str:
        """Describe what texts in the voice's own language it can't read; empty where it reads them all."""
        return "reads kana only, no Chinese characters" if self._known == ("ja",) else ""


def unread(scenes: Iterable[Scene], reader: Reader) -> tuple[Unread, ...]:
    """Find the letters of the scenes' lines that a voice can't read, by script, those of most letters first."""
    letters: dict[str, dict[str, None]] = defaultdict(dict)
    places: dict[str, dict[int, str]] = defaultdict(dict)
    counts: dict[str, int] = defaultdict(int)
    for scene in scenes:
        for line in scene.lines:
            for script, run in _runs(line.text, reader):
                letters[script] |= dict.fromkeys(run)
                places[script].setdefault(scene.index + 1, line.text)
                counts[script] += len(run)
    return tuple(
        Unread(
            script=script,
            letters=tuple(letters[script]),
            scenes=tuple(places[script]),
            line=next(iter(places[script].values())),
        )
        for script in sorted(counts, key=lambda script: -counts[script])
    )


def _runs(text: str, reader: Reader) -> Iterable[tuple[str, str]]:
    """Yield (script, letters) of the runs of letters that the voice can't read."""
    if text.isascii():
        if not reader.reads("Latn") and _LATIN.search(text):
            yield from (("Latn", word) for word in re.findall(r"[A-Za-z]{2,}", _ABBREVIATION.sub("", text)))
        return
    unreadable = {c for c in set(text) if c.isalpha() and not reader.reads(_script(c))}
    if not unreadable:
        return
    seen = _ABBREVIATION.sub(" ", text)
    seen = "".join(c for c in seen if not unicodedata.category(c).startswith("M"))  # signs of letters
    for script, group in groupby(seen, key=lambda c: _script(c) if c in unreadable else ""):
        run = "".join(group) if script else ""
        if len(run) > 1 or script in _LETTERS_ARE_WORDS:
            yield script, run


@lru_cache(20_000)
def _script(letter: str) -> str:
    from fontTools.unicodedata import script

    return str(script(letter))


def describe_unread(found: Unread, voice: str) -> str:
    """Explain to the requester which letters the voice can't read, where they are, and what to do."""
    from fontTools.unicodedata import script_name

    letters = "".join(found.letters[:_MOST_LETTERS]) + ("…" if len(found.letters) > _MOST_LETTERS else "")
    where = ", ".join(map(str, found.scenes[:_MOST_SCENES])) + (" and more" if len(found.scenes) > _MOST_SCENES else "")
    line = found.line if len(found.line) <= 40 else found.line[:40] + "…"
    name = str(script_name(found.script, "unknown")).replace("_", " ")
    instead = _INSTEAD.get(found.script)
    way_out = f"choose a voice that does, such as {instead}" if instead else "no voice of espeak-ng does"
    if (voice, found.script) == ("ja", "Hani"):
        way_out = "choose a voice of another narrator"
    scenes = "scene" if len(found.scenes) == 1 else "scenes"
    return (
        f"the voice {voice} can't read letters of the script {name} ({letters}): it spells or skips them in {scenes} "
        f'{where} ("{line}"); {way_out}, or write these words in letters that it reads'
    )
