"""Addresses are said as their host, names of programs without their underscores."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule

#: Closing marks at the end of an address belong to the sentence.
_URL: Final = re.compile(
    r"(?<![\w@])(?:(?:https?|ftp|git|ssh|wss?)://(?:[\w.~+-]{1,80}+(?::[^\s@/]{0,80}+)?@)?+(?:www\.)?+|www\.(?=[\w-]))"
    r"(?P<host>[\w-]++(?:\.[\w-]++)*+)(?::\d++)?+"
    r"(?:[/?#](?:[^\s<>\"'“”‘’«»„(){}\[\]`|。，、！？；：」』）】》,;:!?.…؟।]++|[(\[][^\s()\[\]]{0,200}+[)\]]|[,;:!?.'…](?=[\w/#?&=%~+-]))*+)?+"
)
_MAIL: Final = re.compile(r"\bmailto:(?=[\w.+-])")
#: A name with an underscore, or one whose parts are joined by points: `object.__dict__`, `foo_bar.py`.
_NAME: Final = re.compile(r"(?<![\w/@.-])(?=[\w.]{0,200}?_)[\w.]++(?:\(\))?(?!@)")
_LETTERS: Final = re.compile(r"[^\W_]")
_BACKTICKS: Final = re.compile(r"`+")


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    dot = lexicon_of(language).dot

    def named(match: re.Match[str]) -> str | None:
        name = match[0].removesuffix("()")
        ending = ""
        while name.endswith("."):
            name, ending = name[:-1], "."
        if not _LETTERS.search(name):
            return None
        parts = [" ".join(part.replace("_", " ").split()) for part in name.split(".")]
        return (f" {dot} " if dot else " ").join(filter(None, parts)) + ending

    yield Rule(_URL, lambda match: match["host"], "/w")
    yield Rule(_MAIL, lambda _: "", ":")
    yield Rule(_NAME, named, "_")
    yield Rule(_BACKTICKS, lambda _: " ", "`")
