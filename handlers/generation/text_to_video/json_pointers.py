"""Reads answers by JSON pointers (RFC 6901), such as `/outputs/video_url`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def value_at(document: Any, pointer: str) -> Any:
    """Return the value that `pointer` names in `document`; None if there is none, or a null."""
    value = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return None
    return value


def values_at(document: Any, pointers: Iterable[str]) -> Iterator[Any]:
    """Yield what `pointers` name in `document`, in their order, without what isn't there."""
    return (value for value in (value_at(document, pointer) for pointer in pointers) if value is not None)


def text_at(document: Any, pointers: Iterable[str]) -> str:
    """Return the first text that isn't blank of those that `pointers` name, on one line; empty if there is none."""
    found = (" ".join(value.split()) for value in values_at(document, pointers) if isinstance(value, str))
    return next(filter(None, found), "")
