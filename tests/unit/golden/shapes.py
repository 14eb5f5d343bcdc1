"""What each event's payload looks like, version by version, and the gate that keeps it.

`shapes.json` holds the shape of every version that was ever written. A payload whose shape changes needs a new
`SCHEMA_VERSION`, an upcaster and new golden lines; then `python -m tests.unit.golden.shapes` adds its shape. It adds
only: a shape that is there is never changed by it.

A shape is what decides about reading: names of fields in order, their types down to the last value class, and defaults,
because a default is left out of what is stored. Values that are added to an enumeration change nothing that is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import attrs
import orjson

from eventflow.domain.events import EVENT_TYPES, Event

PATH = Path(__file__).parent / "shapes.json"
#: Type name -> version -> shape.
Shapes = dict[str, dict[str, Any]]


class ShapeChanged(Exception):
    """A payload isn't what its version was; the message says what to do."""


def shape(kind: Any) -> Any:
    """The shape of a class or of a field's type, as JSON."""
    if attrs.has(kind):
        hints = get_type_hints(kind)
        return {a.name: _field(hints[a.name], a.default) for a in attrs.fields(kind)}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"one of": sorted(kind)}
    if get_origin(kind) is Literal:
        return {"one of": sorted(get_args(kind))}
    if args := get_args(kind):
        return {get_origin(kind).__name__: [shape(arg) for arg in args]}
    return "..." if kind is ... else kind.__name__


def _field(kind: Any, default: Any) -> Any:
    return shape(kind) if default is attrs.NOTHING else {"type": shape(kind), "default": _value(default)}


def _value(default: Any) -> Any:
    """The value of a default as JSON: a module or class may be renamed without a change of what is stored."""
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        assert not default.takes_self
        default = default.factory()
    return orjson.loads(orjson.dumps(attrs.asdict(default) if attrs.has(type(default)) else default))


def fits(recorded: Any, present: Any) -> bool:
    """Whether `present` reads what was written as `recorded`: the same, but for values that enumerations gained."""
    if isinstance(recorded, dict) and isinstance(present, dict):
        if recorded.keys() == present.keys() == {"one of"}:
            return set(recorded["one of"]) <= set(present["one of"])
        return list(recorded) == list(present) and all(fits(recorded[name], present[name]) for name in recorded)
    if isinstance(recorded, list) and isinstance(present, list):
        return len(recorded) == len(present) and all(map(fits, recorded, present))
    return bool(recorded == present)


def check(recorded: Shapes, types: Iterable[type[Event]]) -> list[tuple[str, str]]:
    """The (type, version) pairs that aren't recorded yet. Raises ShapeChanged."""
    new = []
    for cls in types:
        name, version = cls.__name__, str(cls.SCHEMA_VERSION)
        known = recorded.get(name, {}).get(version)
        if known is None:
            new.append((name, version))
        elif not fits(known, shape(cls)):
            raise ShapeChanged(
                f"the payload of {name} has changed, and its version is still {version}: raise SCHEMA_VERSION, add an "
                f"upcaster from {version} and golden lines, then run python -m tests.unit.golden.shapes"
            )
    return new


def read() -> Shapes:
    found: Shapes = orjson.loads(PATH.read_bytes()) if PATH.exists() else {}
    return found


def main() -> None:
    """Add the shapes of new types and versions."""
    shapes = read()
    types = {cls.__name__: cls for cls in EVENT_TYPES}
    for name, version in check(shapes, EVENT_TYPES):
        shapes.setdefault(name, {})[version] = shape(types[name])
    PATH.write_bytes(orjson.dumps(shapes, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
