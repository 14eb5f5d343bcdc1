"""Reading JSON strictly: a cursor knows where it is, collects what is wrong, and goes on with something harmless."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from handlers.generation.errors import DocumentError, Fault
from handlers.generation.script.characters import forbidden
from handlers.generation.script.nfc import nfc

#: After so many faults nobody reads on.
MAX_FAULTS: Final = 50
#: Of all texts of a document: those of the longest script, and what is said about them.
MAX_CHARS: Final = 500_000
#: Of the texts themselves: 300 pages can't show more.
MAX_TEXTS: Final = 30_000
_SHOWN: Final = 64


class Faults:
    """What is wrong with a document so far, and how much text it has."""

    def __init__(self) -> None:
        self._found: list[Fault] = []
        self._chars = self._texts = 0

    def __len__(self) -> int:
        return len(self._found)

    def add(self, pointer: str, code: str, reason: str) -> None:
        """Raises DocumentError when there are too many."""
        self._found.append(Fault(pointer, code, reason))
        if len(self._found) >= MAX_FAULTS:
            raise DocumentError(self._found)

    def count(self, pointer: str, chars: int) -> None:
        """One text more. Raises DocumentError when all together are too long, or too many."""
        self._chars += chars
        self._texts += 1
        if self._texts > MAX_TEXTS:
            reason = f"there are more than {MAX_TEXTS:,} texts (items, cells, lines and others) up to here"
            raise DocumentError([*self._found, Fault(pointer, "too_many", reason)])
        if self._chars > MAX_CHARS:
            reason = f"all texts up to here have more than {MAX_CHARS:,} characters together; that is the limit"
            raise DocumentError([*self._found, Fault(pointer, "too_long", reason)])

    def raise_if_any(self) -> None:
        """Raises DocumentError with all that was found."""
        if self._found:
            raise DocumentError(self._found)


class Cursor:
    """A place in a JSON document."""

    def __init__(self, value: Any, faults: Faults, pointer: str = "") -> None:
        self.value, self._faults, self.pointer = value, faults, pointer

    def fail(self, code: str, reason: str) -> None:
        self._faults.add(self.pointer, code, reason)

    @property
    def faults(self) -> int:
        """How many there are so far, anywhere."""
        return len(self._faults)

    def at(self, name: str | int) -> Cursor:
        """A member or an item, which must be there."""
        step = _shown(str(name)).replace("~", "~0").replace("/", "~1")
        return Cursor(self.value[name], self._faults, f"{self.pointer}/{step}")

    def members(self, known: Collection[str], required: Collection[str] = ()) -> Mapping[str, Cursor]:
        """The members of an object; unknown ones are refused by name."""
        if not isinstance(self.value, dict):
            self._wrong_type("an object")
            return {}
        for name in self.value:
            if name not in known:
                near = difflib.get_close_matches(name[:_SHOWN], known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(known)}"
                self.at(name).fail("unknown_field", f"there is no field {_shown(name)!r} here; {hint}")
        for name in required:
            if name not in self.value:
                self.fail("required", f"{name!r} is missing")
        return {name: self.at(name) for name in known if name in self.value}

    def items(self, most: int, least: int = 0) -> Iterator[Cursor]:
        """The items of an array."""
        if not isinstance(self.value, list):
            self._wrong_type("an array")
            return
        if not least <= len(self.value) <= most:
            code = "empty" if not self.value else "out_of_range"
            self.fail(code, f"has {len(self.value):,} items; {least:,} to {most:,} are possible")
        for index in range(min(len(self.value), most)):
            yield self.at(index)

    def text(self, most: int, *, empty: bool = True) -> str:
        """A string in NFC without control characters, of at most `most` characters."""
        if not isinstance(self.value, str):
            self._wrong_type("a string")
            return ""
        if len(self.value) > most:
            self.fail("too_long", f"has {len(self.value):,} characters; at most {most:,} are possible")
            return ""
        self._faults.count(self.pointer, len(self.value))
        text = self.value.replace("\r\n", "\n").replace("\r", "\n")
        if found := forbidden(text):
            self.fail("control_character", f"has the control character U+{ord(found[0]):04X} at {found.start()}")
            return ""
        if not empty and not text.strip():
            self.fail("empty", "is empty")
        return nfc(text)

    def choice(self, options: Sequence[str]) -> str:
        """One of `options`; the first where it is none of them."""
        if isinstance(self.value, str) and self.value in options:
            return self.value
        if isinstance(self.value, str):
            self.fail("unknown_value", f"there is no {_shown(self.value)!r}; there is: {', '.join(options)}")
        else:
            self._wrong_type(f"one of {', '.join(options)}")
        return options[0]

    def integer(self, low: int, high: int) -> int:
        """A whole number; `low` where it isn't any."""
        number = self.number(low, high)
        if not float(number).is_integer():
            self.fail("wrong_type", "must be a whole number")
        return int(number)

    def number(self, low: float, high: float) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self._wrong_type("a number")
        elif not low <= self.value <= high:
            self.fail("out_of_range", f"must be from {low:g} to {high:g}")
        else:
            return self.value
        return low

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            self._wrong_type("true or false")
        return self.value is True

    def _wrong_type(self, wanted: str) -> None:
        self.fail("wrong_type", f"must be {wanted}, not {_kind(self.value)}")


def _shown(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names: dict[type, str] = {str: "a string", int: "a number", float: "a number", list: "an array", dict: "an object"}
    return names[type(value)]
