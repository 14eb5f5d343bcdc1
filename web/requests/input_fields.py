"""What a video is made from, as a request says it: a script, scenes or a topic, and the values of merge fields."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from eventflow.domain.values import MergeField
from web.requests.json_reader import Checks, JSONObject, pointer_to

#: One of them is in a request.
SOURCES: Final = ("script", "scenes", "topic")
#: The version of the scene document that the API takes and gives.
DOCUMENT_VERSION: Final = 1
MAX_SCENES: Final = 300
MAX_TITLE_CHARS: Final = 200
MAX_TOPIC_CHARS: Final = 2_000
MAX_MERGE_FIELDS: Final = 100
MAX_REPLACEMENT_CHARS: Final = 2_000
MERGE_NAME: Final = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"

#: Control characters but line feed, tab and carriage return; halves of surrogate pairs.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def parse_script(value: Any, checks: Checks, max_chars: int) -> str | None:
    return _text(value, "/script", max_chars, checks)


def parse_topic(value: Any, checks: Checks, *_: Any) -> str | None:
    topic = _text(value, "/topic", MAX_TOPIC_CHARS, checks)
    if topic is not None and not topic.strip():
        checks.add("/topic", "empty", "the topic is empty")
    return topic


def parse_title(value: Any, checks: Checks, *_: Any) -> str | None:
    title = _text(value, "/title", MAX_TITLE_CHARS, checks)
    if title is not None and not title.strip():
        checks.add("/title", "empty", "the title is empty; leave it out to have it from the first scene")
    return title


def parse_scenes(value: Any, checks: Checks, *_: Any) -> list[Any] | None:
    """Only their number; what is in them is for those to check who know scenes."""
    if not checks.typed(value, list, "/scenes", "an array"):
        return None
    if not 1 <= len(value) <= MAX_SCENES:
        checks.add("/scenes", "out_of_range", f"has {len(value)} scenes; 1 to {MAX_SCENES} are possible")
        return None
    return list(value)


def as_document(scenes: list[Any], title: str | None, checks: Checks) -> str | None:
    """The scene document that holds these scenes, as JSON text."""
    named = {} if title is None else {"title": title}
    text = json_text({"version": DOCUMENT_VERSION, **named, "scenes": scenes}, "/scenes", checks)
    return None if text is None else text.decode()


def json_text(value: Any, pointer: str, checks: Checks) -> bytes | None:
    """The JSON of a value that came as JSON. What is nested too deeply can be read, but not written."""
    try:
        return orjson.dumps(value)
    except TypeError:
        checks.add(pointer, "too_deep", "is nested too deeply")
        return None


def parse_merge(value: Any, checks: Checks, *_: Any) -> tuple[MergeField, ...] | None:
    if not checks.typed(value, list, "/merge", "an array"):
        return None
    if len(value) > MAX_MERGE_FIELDS:
        checks.add("/merge", "too_long", f"has {len(value)} fields; at most {MAX_MERGE_FIELDS} are possible")
        return None
    found: dict[str, MergeField] = {}
    for index, item in enumerate(value):
        pointer = pointer_to("merge", index)
        if not checks.typed(item, dict, pointer, 'an object such as {"find": "name", "replace": "Ada"}'):
            continue
        field = _merge_field(item, pointer, checks)
        if field is not None and field.find in found:
            checks.add(f"{pointer}/find", "repeated", f"{field.find} is given more than once")
        elif field is not None:
            found[field.find] = field
    return tuple(found.values())


def _merge_field(item: JSONObject, pointer: str, checks: Checks) -> MergeField | None:
    checks.fields(item, ("find", "replace"), at=pointer)
    for name in ("find", "replace"):
        if name not in item:
            checks.add(pointer, "required", f"{name!r} is missing")
            return None
    find = _text(item["find"], f"{pointer}/find", 64, checks)
    replace = _text(item["replace"], f"{pointer}/replace", MAX_REPLACEMENT_CHARS, checks)
    if find is not None and not re.fullmatch(MERGE_NAME, find):
        way_out = "the name without braces: a letter, then letters, digits, dots, dashes and underscores, at most 64"
        checks.add(f"{pointer}/find", "malformed", f"must be {way_out}")
        return None
    return None if find is None or replace is None else MergeField(find, replace)


def _text(value: Any, pointer: str, most: int, checks: Checks) -> str | None:
    if not checks.typed(value, str, pointer, "a string"):
        return None
    text: str = value
    if len(text) > most:
        checks.add(pointer, "too_long", f"has {len(text)} characters; at most {most} are allowed")
        return None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        reason = f"the control character U+{ord(found[0]):04X} at character {found.start()} (line {line}) isn't allowed"
        checks.add(pointer, "control_character", reason)
        return None
    return text
