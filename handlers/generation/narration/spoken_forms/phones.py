"""Telephone numbers are said digit by digit, group by group."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms.rules import Rule

#: With a country's prefix, or as North America writes them; and what follows a word for a telephone.
_PHONE: Final = re.compile(
    r"(?<![\w.,+])(?:\+[1-9]\d{0,2}(?:[ /.-]?\(?\d{1,5}\)?){2,5}|\(\d{3}\) ?\d{3}[-. ]\d{4}|\d{3}-\d{3}-\d{4}"
    r"|1-[28]\d\d-\d{3}-\d{4})(?![\w-]|[.,]\d)"
)
_NAMED: Final = re.compile(
    r"(?:[Tt]el(?:\.|efon|éfono|efono|ephone)?|[Pp]hone|[Ff]ax|[Cc]all|тел\.|☎)[.:]? ?"
    r"(?P<said>0\d{1,5}(?:[ /-]{1,3}\d{2,8}){1,4})(?![\w-])"
)
_GROUP: Final = re.compile(r"\d+")
#: A number with fewer digits is no telephone number.
_LEAST: Final = 7


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules, which are those of every language."""
    for pattern in (_PHONE, _NAMED):
        yield Rule(pattern, _digits)


def _digits(match: re.Match[str]) -> str | None:
    number = match["said"] if "said" in match.re.groupindex else match[0]
    groups = [group[0] for group in _GROUP.finditer(number)]
    if sum(map(len, groups)) < _LEAST:
        return None
    return ("+" if number.startswith("+") else "") + ", ".join(" ".join(group) for group in groups)
