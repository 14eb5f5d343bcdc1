"""Rules: a pattern, and what is said where it matches. Pure.

Every rule reads the written text. What an earlier rule has taken is hidden from later ones, so that no two of them
change the same characters.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from attrs import frozen

#: Stands in the text that rules read for each character that an earlier rule has taken: neither letter nor blank.
TAKEN: Final = "\ufffc"
#: The same for what is silent.
SILENT: Final = "\ufffb"


@frozen
class Edit:
    """`said` is spoken in place of the characters from `start` to `end` of a written text."""

    start: int
    end: int
    said: str


@frozen
class Rule:
    """`say` returns what is spoken instead of a match, None to leave it.

    A text without any of the characters of `signs` (a class of a regular expression) can't match. The group "said", if
    the pattern has it, is what is replaced; otherwise the whole match is.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]
    signs: str = r"\d"


@frozen
class RuleSet:
    """Rules in the order in which they take what they match."""

    rules: tuple[tuple[re.Pattern[str], Rule], ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "RuleSet":
        """Compile the signs of the rules."""
        return cls(tuple((re.compile(f"[{rule.signs}]"), rule) for rule in rules))

    def edits(self, text: str) -> Sequence[Edit]:
        """Return what the rules change in `text`, in its order."""
        found: list[Edit] = []
        present: dict[re.Pattern[str], bool] = {}
        for signs, rule in self.rules:
            if signs not in present:
                present[signs] = signs.search(text) is not None
            if not present[signs]:
                continue
            edits = list(_matches(rule, text))
            text = _hidden(text, edits)
            found += edits
        return sorted(found, key=lambda edit: (edit.start, edit.end))


def _matches(rule: Rule, text: str) -> Iterable[Edit]:
    group = "said" if "said" in rule.pattern.groupindex else 0
    for match in rule.pattern.finditer(text):
        if match.end() > match.start() and (said := rule.say(match)) is not None:
            start, end = match.span(group)
            if said != text[start:end]:
                yield Edit(start, end, said)


def _hidden(text: str, edits: Sequence[Edit]) -> str:
    if not edits:
        return text
    parts, at = [], 0
    for edit in edits:
        parts += [text[at : edit.start], (TAKEN if edit.said.strip() else SILENT) * (edit.end - edit.start)]
        at = edit.end
    return "".join([*parts, text[at:]])
