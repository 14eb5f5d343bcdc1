"""The one strict reader of JSON: types that read, write and describe a value, and a cursor that knows its place.

A field of a request or of a scene document is declared once, as a type; the reader, the API description and the body of
a fork follow from it. Reading continues after a fault with the other values, up to MAX_FAULTS faults, so that one
answer lists everything wrong with a body in time linear in its size. `read` returns a usable value only if it adds
no fault; types that hold others keep just the values that were read without one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import field, frozen

from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.limits import MAX_ALL_TEXT_CHARS, MAX_FAULTS, MAX_TEXTS

T = TypeVar("T")

#: Characters of a user's text that a message or pointer repeats.
_SHOWN_CHARS: Final = 64
#: Choices that a message lists.
_LISTED: Final = 20
#: Control characters but tab and line ends, halves of surrogate pairs (no UTF-8 has them), and non-characters.
_UNREADABLE: Final = re.compile(r"[\x00\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_KINDS: Final[dict[type, str]] = {
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class Faults:
    """The faults of one body so far, and how much text has been read from it."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._chars = self._texts = 0

    def add(self, pointer: str, code: str, reason: str) -> None:
        """Raises RequestInvalid at fault number MAX_FAULTS."""
        self.found.append(Fault(pointer, code, reason))
        if len(self.found) >= MAX_FAULTS:
            raise RequestInvalid(self.found)

    def raise_if_any(self) -> None:
        """Raises RequestInvalid with all faults."""
        if self.found:
            raise RequestInvalid(self.found)

    def count_text(self, at: Cursor, chars: int) -> None:
        """Count one more text. Raises RequestInvalid at once when there are too many, or too long ones together."""
        self._chars += chars
        self._texts += 1
        if self._texts > MAX_TEXTS:
            reason = f"more than {MAX_TEXTS:,} texts (items, cells, lines and others) up to here; that is the limit"
            raise RequestInvalid([*self.found, Fault(at.pointer, "too_many", reason)])
        if self._chars > MAX_ALL_TEXT_CHARS:
            reason = f"more than {MAX_ALL_TEXT_CHARS:,} characters in all texts up to here; that is the limit"
            raise RequestInvalid([*self.found, Fault(at.pointer, "too_long", reason)])


class Cursor:
    """A value of a JSON document and its place. The pointer is built only for a fault."""

    __slots__ = ("_parent", "_step", "faults", "value")

    def __init__(self, value: Any, faults: Faults, parent: Cursor | None = None, step: str | int = "") -> None:
        self.value, self.faults, self._parent, self._step = value, faults, parent, step

    @property
    def pointer(self) -> str:
        """The JSON pointer (RFC 6901) of the value; long names are cut."""
        steps: list[str] = []
        at = self
        while at._parent is not None:
            steps.append("/" + shown(str(at._step)).replace("~", "~0").replace("/", "~1"))
            at = at._parent
        return "".join(reversed(steps))

    def at(self, step: str | int) -> Cursor:
        """The member or item of this name or index, which must exist."""
        return Cursor(self.value[step], self.faults, self, step)

    def fail(self, code: str, reason: str) -> None:
        """Add a fault at this place. Raises RequestInvalid at fault number MAX_FAULTS."""
        self.faults.add(self.pointer, code, reason)

    def fail_at(self, name: str, code: str, reason: str) -> None:
        """Add a fault at a member, which may be missing."""
        Cursor(None, self.faults, self, name).fail(code, reason)

    def wrong_type(self, wanted: str) -> None:
        """Add the fault that the value isn't `wanted`, such as "a string"."""
        self.fail("wrong_type", f"must be {wanted}, not {_KINDS[type(self.value)]}")


def read_value(value: Any, read: Callable[[Cursor], T]) -> T:
    """The result of `read` for a JSON value. Raises RequestInvalid with all faults."""
    faults = Faults()
    found = read(Cursor(value, faults))
    faults.raise_if_any()
    return found


def forbidden(text: str) -> re.Match[str] | None:
    """The first character that no text may have: control characters, half a surrogate pair, non-characters."""
    return _FORBIDDEN.search(text)


def without_forbidden(text: str) -> str:
    """A text without the characters that no text may have; two halves of a surrogate pair become its character."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return _FORBIDDEN.sub("", text)


def unknown(noun: str, given: str, known: Collection[str]) -> str:
    """The reason for a name that isn't `known`: a near name as a hint, else the names there are."""
    near = difflib.get_close_matches(given[:_SHOWN_CHARS], known, n=1)
    if near:
        return f"unknown {noun} {shown(given)!r}; did you mean {near[0]!r}?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"unknown {noun} {shown(given)!r}; available: {', '.join([*known][:_LISTED]) or 'none'}{more}"


def shown(text: str) -> str:
    """A user's text as messages repeat it: short, and possible to write as UTF-8."""
    text = text[: _SHOWN_CHARS + 1].encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


Schema = dict[str, Any]

_NOTHING: Final = object()


class JsonType:
    """A type of JSON values."""

    def read(self, at: Cursor) -> Any:
        """The value at `at`, as Python has it; adds a fault to `at` for each thing wrong with it."""
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """The JSON that reads as `value`."""
        return value

    def schema(self) -> Schema:
        """The JSON schema; it may allow more than `read` does, never less."""
        raise NotImplementedError


@frozen
class Text(JsonType):
    """A string without control characters, of at most `most` characters.

    `blank`: whether it may be white space alone. `lenient`: whether control characters other than NUL are allowed.
    """

    most: int
    blank: bool = field(default=True, kw_only=True)
    lenient: bool = field(default=False, kw_only=True)

    def read(self, at: Cursor) -> str:
        value = at.value
        if not isinstance(value, str):
            at.wrong_type("a string")
            return ""
        if len(value) > self.most:
            at.fail("too_long", f"has {len(value):,} characters; at most {self.most:,} are allowed")
            return ""
        at.faults.count_text(at, len(value))
        if found := _UNREADABLE.search(value) if self.lenient else forbidden(value):
            place = f"at character {found.start()} (line {value.count(chr(10), 0, found.start()) + 1})"
            at.fail("control_character", f"the control character U+{ord(found[0]):04X} {place} isn't allowed")
        elif not self.blank and not value.strip():
            at.fail("empty", "is empty")
        return value

    def schema(self) -> Schema:
        return {"type": "string", **({} if self.blank else {"minLength": 1}), "maxLength": self.most}


@frozen
class Pattern(JsonType):
    """A string that matches a regular expression; `form` describes it after "must be"."""

    pattern: str
    form: str

    def read(self, at: Cursor) -> str:
        if not isinstance(at.value, str):
            at.wrong_type("a string")
        elif not re.fullmatch(self.pattern, at.value):
            at.fail("malformed", f"must be {self.form}")
        return str(at.value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{self.pattern}$"}


@frozen
class Choice(JsonType):
    """One of some strings. `noun` names the idea in messages; `make` turns the string into the value."""

    values: Sequence[str]
    noun: str = field(default="value", kw_only=True)
    code: str = field(default="unknown_value", kw_only=True)
    make: Callable[[str], Any] = field(default=str, kw_only=True)

    def read(self, at: Cursor) -> Any:
        if not isinstance(at.value, str):
            at.wrong_type(f"one of {', '.join(self.values)}" if len(self.values) < 10 else "a string")
        elif at.value not in self.values:
            at.fail(self.code, unknown(self.noun, at.value, self.values))
        else:
            return self.make(at.value)
        return None

    def write(self, value: Any) -> str:
        return str(value)

    def schema(self) -> Schema:
        return {"type": "string", "enum": [str(value) for value in self.values]}


@frozen
class Number(JsonType):
    """A number from `low` to `high`, read as a float."""

    low: float
    high: float

    def read(self, at: Cursor) -> float:
        value = at.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            at.wrong_type("a number")
        elif not self.low <= value <= self.high:
            at.fail("out_of_range", f"must be from {self.low:g} to {self.high:g}, not {value:g}")
        else:
            return float(value)
        return self.low

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@frozen
class Integer(JsonType):
    """A whole number from `low` to `high`; 3.0 is one, as JSON has no integers."""

    low: int
    high: int

    def read(self, at: Cursor) -> int:
        value = at.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            at.wrong_type("a number")
        elif not self.low <= value <= self.high:
            at.fail("out_of_range", f"must be from {self.low} to {self.high}, not {value:g}")
        elif value != int(value):
            at.fail("wrong_type", f"must be a whole number, not {value:g}")
        else:
            return int(value)
        return self.low

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@frozen
class Flag(JsonType):
    """true or false."""

    def read(self, at: Cursor) -> bool:
        if not isinstance(at.value, bool):
            at.wrong_type("true or false")
        return at.value is True

    def schema(self) -> Schema:
        return {"type": "boolean"}


@frozen
class Nullable(JsonType):
    """null (None), or a value of another type."""

    kind: JsonType
    null: str = field(default="null", kw_only=True)

    def read(self, at: Cursor) -> Any:
        return None if at.value is None else self.kind.read(at)

    def write(self, value: Any) -> Any:
        return None if value is None else self.kind.write(value)

    def schema(self) -> Schema:
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}


@frozen
class Array(JsonType):
    """An array of at most `most` items, read as a tuple. `unique`: no value may come twice.

    `too_many` is the code of the fault that there are more than `most`; nothing else is read then.
    """

    item: JsonType
    most: int | None = None
    empty: bool = field(default=True, kw_only=True)
    unique: bool = field(default=False, kw_only=True)
    too_many: str = field(default="out_of_range", kw_only=True)

    def read(self, at: Cursor) -> tuple[Any, ...]:
        return tuple(self.items(at))

    def items(self, at: Cursor) -> Iterator[Any]:
        """The items that are read without a fault, one by one."""
        values = at.value
        if not isinstance(values, list):
            at.wrong_type("an array")
            return
        if self.most is not None and len(values) > self.most:
            at.fail(self.too_many, f"has {len(values):,} items; at most {self.most:,} are allowed")
            return
        if not values and not self.empty:
            at.fail("empty", "is empty")
        seen: set[Any] = set()
        faults, found, read = at.faults, at.faults.found, self.item.read
        for index, given in enumerate(values):
            before = len(found)
            place = Cursor(given, faults, at, index)
            value = read(place)
            if len(found) > before:
                continue
            if self.unique and value in seen:
                place.fail("repeated", f"{value} is given more than once")
                continue
            if self.unique:
                seen.add(value)
            yield value

    def write(self, value: Any) -> list[Any]:
        return [self.item.write(each) for each in value]

    def schema(self) -> Schema:
        made: Schema = {"type": "array", "items": self.item.schema()}
        if not self.empty:
            made["minItems"] = 1
        if self.most is not None:
            made["maxItems"] = self.most
        return {**made, "uniqueItems": True} if self.unique else made


@frozen
class Object(JsonType):
    """An object with some of the fields; others are refused by name, with a near name as a hint.

    `make(at, values)` is called with the values by name once all of them are free of faults; without it they are
    the value. `later` are fields that a future version has.
    """

    fields: Mapping[str, JsonType]
    required: Collection[str] = field(default=(), kw_only=True)
    later: Collection[str] = field(default=(), kw_only=True)
    make: Callable[[Cursor, dict[str, Any]], Any] | None = field(default=None, kw_only=True)

    def read(self, at: Cursor) -> Any:
        before = len(at.faults.found)
        values = self.values(at)
        return values if self.make is None or len(at.faults.found) > before else self.make(at, values)

    def values(self, at: Cursor) -> dict[str, Any]:
        """The values of those fields that are read without a fault."""
        given, found = at.value, dict[str, Any]()
        if not isinstance(given, dict):
            at.wrong_type("an object")
            return found
        fields, faults = self.fields, at.faults.found
        for name, value in given.items():
            kind = fields.get(name)
            if kind is None:
                self._refuse(at, name)
                continue
            before = len(faults)
            read = kind.read(Cursor(value, at.faults, at, name))
            if len(faults) == before:
                found[name] = read
        for name in self.required:
            if name not in given:
                at.fail("required", f"{name!r} is missing")
        return found

    def _refuse(self, at: Cursor, name: str) -> None:
        if name in self.later:
            at.fail_at(name, "not_available", f"the field {name!r} isn't available yet")
        else:
            at.fail_at(name, "unknown_field", unknown("field", name, self.fields))

    def schema(self) -> Schema:
        made: Schema = {
            "type": "object",
            "properties": {name: kind.schema() for name, kind in self.fields.items()},
            "additionalProperties": False,
        }
        return {**made, "required": list(self.required)} if self.required else made


@frozen
class Either(JsonType):
    """A value that may be of several JSON types: `kinds` maps each Python type of `json` to the type that reads it.

    `wanted` describes all of them, for messages.
    """

    kinds: Mapping[type, JsonType]
    wanted: str

    def read(self, at: Cursor) -> Any:
        kind = self.kinds.get(type(at.value))
        if kind is None:
            at.wrong_type(self.wanted)
            return None
        return kind.read(at)

    def schema(self) -> Schema:
        options = [kind.schema() for kind in self.kinds.values()]
        return {"anyOf": [inner for option in options for inner in _alternatives(option)]}


@frozen
class Tagged(JsonType):
    """An object whose member `kind` says which of several types it has.

    `misplaced` are kinds that exist, but not here; `here` names the place.
    """

    kinds: Mapping[str, Object]
    misplaced: Collection[str] = field(default=(), kw_only=True)
    here: str = field(default="here", kw_only=True)
    _readers: Mapping[str, Object] = field(init=False)

    def __attrs_post_init__(self) -> None:
        readers = {name: _with_kind(name, kind) for name, kind in self.kinds.items()}
        object.__setattr__(self, "_readers", readers)

    def read(self, at: Cursor) -> Any:
        kind = at.value.get("kind") if isinstance(at.value, dict) else None
        reader = self._readers.get(kind) if isinstance(kind, str) else None
        if reader is not None:
            return reader.read(at)
        if not isinstance(at.value, dict):
            at.wrong_type("an object with a kind")
        elif kind is None:
            at.fail("required", f"'kind' is missing; available: {', '.join(self.kinds)}")
        elif kind in self.misplaced:
            at.fail("not_here", f"{kind} can't stand {self.here}")
        elif isinstance(kind, str):
            at.fail_at("kind", "unknown_value", unknown("kind", kind, self.kinds))
        else:
            at.at("kind").wrong_type(f"one of {', '.join(self.kinds)}")
        return None

    def schema(self) -> Schema:
        return {"anyOf": [reader.schema() for reader in self._readers.values()]}


@frozen
class _Constant(JsonType):
    """The member that says the kind; its value was looked at before."""

    value: str

    def read(self, at: Cursor) -> Any:
        return at.value

    def schema(self) -> Schema:
        return {"const": self.value}


def _with_kind(name: str, kind: Object) -> Object:
    make = kind.make

    def made(at: Cursor, values: dict[str, Any]) -> Any:
        values.pop("kind")
        return values if make is None else make(at, values)

    fields = {"kind": _Constant(name), **kind.fields}
    return Object(fields, required=("kind", *kind.required), make=made)


@frozen
class Described(JsonType):
    """A type with the text and the default that its schema has in one place."""

    kind: JsonType
    description: str = ""
    default: Any = _NOTHING

    def read(self, at: Cursor) -> Any:
        return self.kind.read(at)

    def write(self, value: Any) -> Any:
        return self.kind.write(value)

    def schema(self) -> Schema:
        more: Schema = {} if self.default is _NOTHING else {"default": self.default}
        if self.description:
            more["description"] = self.description
        return {**self.kind.schema(), **more}


def _alternatives(schema: Schema) -> list[Schema]:
    """The schemas of which `schema` allows any, where that is all it says."""
    return list(schema["anyOf"]) if schema.keys() == {"anyOf"} else [schema]
