"""Payloads change only by a new version: the gate, and what was written by every version so far."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson
import pytest
from attrs import field, frozen

from eventflow.domain import events as ev
from eventflow.domain.events import EVENT_TYPES, Event
from eventflow.domain.evolve import fold
from eventflow.domain.transitions import TRANSITIONS
from eventflow.log.codec import Codec, Upcaster
from tests.support import stories
from tests.unit.golden import shapes

GOLDEN = [
    pytest.param(line, id=f"{path.stem}-{number}")
    for path in sorted((Path(__file__).parents[1] / "golden").glob("*.jsonl"))
    for number, line in enumerate(path.read_bytes().splitlines(), 1)
]


def kind_of(line: bytes) -> tuple[str, str]:
    body = orjson.loads(line)
    return body["type"], str(body["dataversion"])


@pytest.mark.parametrize("line", GOLDEN)
def test_every_line_ever_written_is_read_and_folds(line: bytes) -> None:
    event = Codec().decode(line).event
    histories: list[list[Event]]
    if isinstance(event, ev.VideoRequested):
        histories = [[event]]
    elif isinstance(event, ev.ScenePlanned | ev.SceneReused):
        histories = [[*stories.planned(event.scene), event]]
    elif isinstance(event, ev.ArtefactLost) and event.scene is not None:
        histories = [[*stories.planned(event.scene + 1), event]]
    else:
        histories = [[*stories.upto(phase), event] for phase, moves in TRANSITIONS.items() if type(event) in moves]
    assert histories
    assert all(fold(history) for history in histories)


def test_every_version_ever_written_has_its_golden_lines() -> None:
    recorded = {(name, version) for name, versions in shapes.read().items() for version in versions}
    assert recorded <= {kind_of(param.values[0]) for param in GOLDEN}  # type: ignore[arg-type]


def test_every_type_and_version_of_this_code_is_recorded() -> None:
    """Where this fails: python -m tests.unit.golden.shapes, after the golden lines."""
    assert shapes.check(shapes.read(), EVENT_TYPES) == []


def test_no_type_and_no_version_is_forgotten() -> None:
    """That each can still be read is shown by its golden lines."""
    types = {cls.__name__: cls for cls in EVENT_TYPES}
    for name, versions in shapes.read().items():
        assert name in types, f"{name} was written once, and can't be read any more"
        assert sorted(map(int, versions)) == list(range(1, types[name].SCHEMA_VERSION + 1))


class Colour(StrEnum):
    RED = "red"


class MoreColours(StrEnum):
    RED = "red"
    BLUE = "blue"


@frozen
class Topping:
    name: str
    grams: int = 10


@frozen
class HeavierTopping:
    name: str
    grams: int = 20


def baked(**annotations: Any) -> type[Event]:
    """An event class CakeBaked with these fields, in its first version."""
    body = {"__annotations__": annotations, "__module__": __name__}
    made: type[Event] = frozen(type("CakeBaked", (Event,), body))
    return made


RECORDED = {
    "CakeBaked": {"1": shapes.shape(baked(colour=Colour, toppings=tuple[Topping, ...], size=Literal["s", "l"]))}
}


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": Colour, "toppings": tuple[Topping, ...]},
        {"colour": Colour, "toppings": tuple[Topping, ...], "size": Literal["s", "l"], "note": str},
        {"colour": str, "toppings": tuple[Topping, ...], "size": Literal["s", "l"]},
        {"colour": Colour, "toppings": tuple[HeavierTopping, ...], "size": Literal["s", "l"]},
        {"colour": Colour, "toppings": list[Topping], "size": Literal["s", "l"]},
        {"colour": Colour, "toppings": tuple[Topping, ...], "size": Literal["s"]},
        {"color": Colour, "toppings": tuple[Topping, ...], "size": Literal["s", "l"]},
        {"colour": Colour | None, "toppings": tuple[Topping, ...], "size": Literal["s", "l"]},
    ],
    ids=["lost", "added", "type", "default of a value", "container", "value lost", "renamed", "optional"],
)
def test_a_changed_payload_of_the_same_version_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(shapes.ShapeChanged, match="CakeBaked has changed, and its version is still 1"):
        shapes.check(RECORDED, [baked(**fields)])


def test_values_that_are_added_to_an_enumeration_are_fine() -> None:
    fields = {"colour": MoreColours, "toppings": tuple[Topping, ...], "size": Literal["s", "l", "xl"]}
    assert shapes.check(RECORDED, [baked(**fields)]) == []


def test_a_default_that_changes_is_a_change() -> None:
    """It is left out of what is stored, so what is stored would mean something else."""

    @frozen
    class CakeBaked(Event):
        layers: int = field(default=2)

    recorded = {"CakeBaked": {"1": shapes.shape(CakeBaked)}}

    @frozen
    class Changed(Event):
        layers: int = field(default=3)

    Changed.__name__ = "CakeBaked"
    with pytest.raises(shapes.ShapeChanged):
        shapes.check(recorded, [Changed])


def test_a_new_version_is_to_be_recorded() -> None:
    changed = baked(colour=str)
    changed.SCHEMA_VERSION = 2
    assert shapes.check(RECORDED, [changed]) == [("CakeBaked", "2")]


@frozen
class OvenHeated(Event):
    """Version 1 had Fahrenheit, version 2 Celsius as text, version 3 has a number."""

    SCHEMA_VERSION: ClassVar[int] = 3
    celsius: int


LIFTED: list[str] = []


def _lift(step: str, upcast: Upcaster) -> Upcaster:
    def lift(data: dict[str, Any]) -> dict[str, Any]:
        LIFTED.append(step)
        return upcast(data)

    return lift


def test_a_chain_of_two_steps_is_walked_in_order() -> None:
    upcasters = {
        ("OvenHeated", 1): _lift("1 to 2", lambda data: {"celsius": str((data["fahrenheit"] - 32) * 5 // 9)}),
        ("OvenHeated", 2): _lift("2 to 3", lambda data: {"celsius": int(data["celsius"])}),
    }
    body = orjson.loads(GOLDEN[0].values[0])  # type: ignore[arg-type]
    stored = orjson.dumps({**body, "type": "OvenHeated", "dataversion": 1, "data": {"fahrenheit": 392}})
    LIFTED.clear()
    assert Codec([OvenHeated], upcasters).decode(stored).event == OvenHeated(200)
    assert LIFTED == ["1 to 2", "2 to 3"]
