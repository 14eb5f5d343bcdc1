"""Splits a line for a service that takes only so many characters at once: at sentences, clauses, words. Pure."""

from __future__ import annotations

import re
from typing import Final

from handlers.generation.http_services.reasons import Reason

#: Ends of sentences and clauses, and gaps between words, in the order of worth.
_BREAKS: Final = (re.compile(r"[.!?…。！？]+[\"'”’)]?\s*"), re.compile(r"[,;:–—、，；：]\s*"), re.compile(r"\s+"))
#: A part takes at least this share of what is allowed before a clause's or a sentence's end is taken.
_LEAST_SHARE: Final = 0.4
_LEAST_CHARS: Final = 20
_NAMES_LENGTH: Final = re.compile(
    r"character|too long|max(imum)?[_ ]?(input[_ ]?)?(length|chars)|longer than|length limit|input length"
    r"|exceeds?\b.{0,40}\blimit",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d])|(?<![\d.])\d{2,6}(?!\d)")


def parts_of(text: str, most: int) -> list[str]:
    """Return `text` in parts of at most `most` characters, without the white space between them."""
    parts, rest = [], text.strip()
    while len(rest) > most:
        end = _break(rest, most)
        parts.append(rest[:end].strip())
        rest = rest[end:].strip()
    return [part for part in (*parts, rest) if part]


def _break(text: str, most: int) -> int:
    """Return where the first part of `text` ends."""
    head = text[: most + 1]
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(head) if len(head[: match.end()].rstrip()) <= most]
        if ends and (ends[-1] >= most * _LEAST_SHARE or pattern is _BREAKS[-1]):
            return ends[-1]
    return most


def length_limit(reason: Reason, length: int) -> int | None:
    """Return how many characters a service takes by its refusal of `length`; None where it speaks of something else."""
    if not _NAMES_LENGTH.search(reason.text):
        return None
    numbers = [int(match[0].replace(",", "")) for match in _NUMBER.finditer(reason.message)]
    told = [number for number in numbers if _LEAST_CHARS <= number < length]
    if told:
        return min(told)
    return length // 2 if length // 2 >= _LEAST_CHARS else None
