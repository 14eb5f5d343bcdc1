"""Abbreviations in full; a point that ends a sentence as well stays."""

import re
from collections.abc import Callable, Iterable, Mapping

from handlers.generation.narration.spoken_forms.lexicon import lexicon_of
from handlers.generation.narration.spoken_forms.rules import Rule


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules."""
    words = lexicon_of(language)
    if words.before_number:
        yield _rule(
            words.before_number,
            r"(?=\s?[\d\ufffc])",
            lambda said, following: said if following.isspace() else f"{said} ",
        )
    if words.anywhere:
        yield _rule(words.anywhere, r"(?!\w)", _with_end)
    if words.before_word:
        yield _rule(words.before_word, r"(?=\s[^\W_]|\s[\"'“„«(\ufffc]|[,;:)])", lambda said, _: said)


def _rule(known: Mapping[str, str], behind: str, say: Callable[[str, str], str]) -> Rule:
    written = "|".join(re.escape(each).replace(r"\ ", r"\s") for each in sorted(known, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w.])(?P<short>{written}){behind}")

    def said(match: re.Match[str]) -> str:
        word = known[re.sub(r"\s", " ", match["short"])]
        return say(word, match.string[match.end() : match.end() + 1])

    return Rule(pattern, said, r".°º№/а-яa-z")


def _with_end(said: str, following: str) -> str:
    return f"{said}." if not following else said
