"""Signs between words: about, or, arrows, dashes of programs; those of tags, gaps and options."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule

_ARROW: Final = re.compile(r"(?<!\s)\s*+(?:<?[-=]{1,2}>|[→⇒➔➜➝➞⟶⟹↦]|<(?:--?|==)(?!\d)|[←⇐⟵])\s*+")
#: Between words, as in "and/or"; paths begin with a slash or have points.
_SLASH: Final = re.compile(r"(?<![\w/.~\\@#-])[^\W\d_]{1,40}(?:/[^\W\d_]{1,40}){1,4}(?![\w/@]|[.-]\w)")
#: Pairs of single letters that are no path.
_SHORT: Final = frozenset({"y/o", "e/o", "o/y", "I/O", "A/B", "a/o"})
_PAIR: Final = re.compile(r"(?<![\w/.,])24/7(?![\w/]|[.,]\d)")
_PER: Final = re.compile(r"(?<=\ufffc)/(?=[^\W\d_]{3})")
_ABOUT: Final = re.compile(r"(?<![\w~/])~\s?(?=[\d$€£¥₹\ufffc])")
_NUMBER: Final = re.compile(r"(?<![\w&#])#(?=\d)")

#: The sign of a tag before a word.
_TAG: Final = re.compile(r"(?<![\w&#/.])#(?=[^\W\d_])")
#: A gap to be filled in.
_GAP: Final = re.compile(r" ?(?<!\w)_{2,}+(?!\w)")
#: The letter of an option.
_OPTION: Final = re.compile(r"^\(?(?P<letter>[A-Z])\)(?=\s)")


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    yield Rule(_ARROW, _arrow, "<>=→⇒➔➜➝➞⟶⟹↦←⇐⟵")
    yield Rule(_PAIR, lambda _: "24 7", "/")
    yield Rule(_TAG, lambda _: "", "#")
    yield Rule(_GAP, lambda _: "", "_")
    yield Rule(_OPTION, lambda match: f"{match['letter']},", ")")
    yield Rule(_SLASH, lambda match: _apart(match[0]), "/")
    if words.per:
        yield Rule(_PER, lambda _: f" {words.per} ", "/")
    if words.about:
        yield Rule(_ABOUT, lambda _: words.about + ("" if language.startswith(("zh", "cmn", "ja", "ko")) else " "), "~")
    if words.number:
        yield Rule(_NUMBER, lambda _: f"{words.number} ", "#")


def _apart(words: str) -> str | None:
    """Part words at their slashes; not letters, which may be a path or a quotient."""
    parts = words.split("/")
    return " ".join(parts) if min(map(len, parts)) > 1 or words in _SHORT else None


def _arrow(match: re.Match[str]) -> str:
    """Say nothing, with a short pause between words: arrows of all forms are alike."""
    start, end = match.span()
    before = match.string[start - 1] if start else ","
    return " " if before in ",;:." or end == len(match.string) else ", "
