"""Range requests and conditions (RFC 9110, sections 13 and 14) as a pure function of the headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

_SPEC = re.compile(r"(\d*)-(\d*)", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
#: Longer numbers than any file's size are cut, so that a hostile header costs nothing.
_MAX_DIGITS = 19


@frozen
class Whole:
    """Send everything: 200."""


@frozen
class Part:
    """Send bytes `start` to `end` inclusive: 206."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start + 1


@frozen
class NotModified:
    """The client has it already: 304."""


@frozen
class Unsatisfiable:
    """The range starts behind the last byte: 416."""


Selection: TypeAlias = Whole | Part | NotModified | Unsatisfiable


def select(method: str, headers: Mapping[str, str], *, size_bytes: int, etag: str) -> Selection:
    """What a GET or HEAD asks for of a file of `size_bytes` with the strong, quoted `etag`.

    Several ranges, other units and malformed ranges are ignored, as the RFC allows; so is a range with an If-Range
    that isn't exactly `etag` (a date never is: we send no Last-Modified), and any range on HEAD.
    """
    if matches_any(headers.get("If-None-Match"), etag):
        return NotModified()
    wanted = headers.get("Range")
    if wanted is None or method != "GET":
        return Whole()
    if_range = headers.get("If-Range")
    if if_range is not None and if_range.strip() != etag:
        return Whole()
    return parse_range(wanted, size_bytes)


def parse_range(header: str, size_bytes: int) -> Whole | Part | Unsatisfiable:
    """The one range in `header`, cut at the end of the file; Whole where it isn't one that we honour."""
    unit, equals, spec = header.partition("=")
    match = _SPEC.fullmatch(spec.strip())
    if unit.strip().lower() != "bytes" or not equals or match is None:
        return Whole()
    first, last = match.groups()
    if not first and not last:
        return Whole()
    if not first:
        length = _number(last)
        if length == 0 or size_bytes == 0:
            return Unsatisfiable()
        return Part(max(0, size_bytes - length), size_bytes - 1)
    start = _number(first)
    if last and _number(last) < start:
        return Whole()
    if start >= size_bytes:
        return Unsatisfiable()
    return Part(start, min(_number(last), size_bytes - 1) if last else size_bytes - 1)


def matches_any(header: str | None, etag: str) -> bool:
    """Whether If-None-Match `header` names `etag`, by weak comparison."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in _ETAG.findall(header))


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS
