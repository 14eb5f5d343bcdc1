"""The fields that say what a video is made from: a script, scenes or a topic, with a title and merge fields."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson
from attrs import field, frozen

from eventflow.domain.values import MergeField
from eventflow.requests.json_reader import Cursor
from eventflow.requests.json_types import Array, Described, JsonType, Object, Schema, Text
from eventflow.requests.limits import (
    MAX_MERGE_FIELDS,
    MAX_REPLACEMENT_CHARS,
    MAX_SCENES,
    MAX_TITLE_CHARS,
    MAX_TOPIC_CHARS,
    MERGE_NAME,
    RequestLimits,
)

#: A request has exactly one of them, or none if its pipeline needs no script.
SOURCES: Final = ("script", "scenes", "topic")
#: Version of the scene document that requests hold and plans answer.
DOCUMENT_VERSION: Final = 1


def input_fields(limits: RequestLimits) -> dict[str, JsonType]:
    """The fields by name."""
    return {
        "script": Described(
            Text(limits.max_script_chars),
            "Markdown or plain text. No control characters but line feed, carriage return and tab.",
        ),
        "scenes": SceneList(),
        "title": Described(
            Text(MAX_TITLE_CHARS, blank=False), "Of a video from scenes; that of the first scene if left out."
        ),
        "topic": Described(
            Text(MAX_TOPIC_CHARS, blank=False),
            "What a model is to plan a video about; needs EVENTFLOW_PLANNER_URL and _MODEL.",
        ),
        "merge": Described(
            MergeFields(), "Every {{find}} in the texts stands for its replacement, which is text, never markup."
        ),
    }


def document_json(scenes: list[Any], title: str | None, at: Cursor) -> str:
    """The scene document that holds these scenes, as JSON text; empty after a fault."""
    named = {} if title is None else {"title": title}
    return json_text({"version": DOCUMENT_VERSION, **named, "scenes": scenes}, at)


def json_text(value: Any, at: Cursor) -> str:
    """The JSON of a JSON value; empty after a fault. orjson reads deeper nesting than it writes."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        at.fail("too_deep", "is nested too deeply")
        return ""


@frozen
class SceneList(JsonType):
    """An array of scenes, of which only the number is checked: the planner reads the scenes themselves."""

    def read(self, at: Cursor) -> list[Any]:
        if not isinstance(at.value, list):
            at.wrong_type("an array")
            return []
        if not 1 <= len(at.value) <= MAX_SCENES:
            at.fail("out_of_range", f"has {len(at.value)} scenes; 1 to {MAX_SCENES} are allowed")
        return at.value

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": MAX_SCENES}


def _merge_field(at: Cursor, values: dict[str, Any]) -> MergeField:
    if not re.fullmatch(MERGE_NAME, values["find"]):
        form = "the name without braces: a letter, then letters, digits, dots, dashes and underscores, at most 64"
        at.fail_at("find", "malformed", f"must be {form}")
    return MergeField(values["find"], values["replace"])


@frozen
class _MergeName(Text):
    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{MERGE_NAME}$"}


@frozen
class MergeFields(JsonType):
    """The merge fields of a template, each name once."""

    _list: Array = field(
        default=Array(
            Object(
                {"find": _MergeName(64), "replace": Text(MAX_REPLACEMENT_CHARS)},
                required=("find", "replace"),
                make=_merge_field,
            ),
            MAX_MERGE_FIELDS,
            too_many="too_long",
        ),
        init=False,
    )

    def read(self, at: Cursor) -> tuple[MergeField, ...]:
        fields: tuple[MergeField, ...] = self._list.read(at)
        seen: set[str] = set()
        given = at.value if isinstance(at.value, list) and len(at.value) <= MAX_MERGE_FIELDS else []
        for index, item in enumerate(given):
            name = item.get("find") if isinstance(item, dict) else None
            if isinstance(name, str) and name in seen:
                at.at(index).fail_at("find", "repeated", f"{name} is given more than once")
            elif isinstance(name, str):
                seen.add(name)
        return fields

    def write(self, value: Any) -> Any:
        return [{"find": each.find, "replace": each.replace} for each in value]

    def schema(self) -> Schema:
        return self._list.schema()
