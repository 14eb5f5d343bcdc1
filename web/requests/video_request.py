"""The bodies of generate and reprocess requests. Strict: whatever isn't understood is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import frozen

from eventflow.domain.commands import RequestReprocess
from eventflow.domain.values import LADDER, Lane, ReprocessFrom, VideoRequest, Voice
from web.requests.input_fields import (
    SOURCES,
    as_document,
    json_text,
    parse_merge,
    parse_scenes,
    parse_script,
    parse_title,
    parse_topic,
)
from web.requests.json_reader import Checks, JSONObject, as_object, pointer_to
from web.requests.style_fields import parse_aspect, parse_captions, parse_music, parse_on_scene_failure, parse_theme

MAX_PASSTHROUGH_BYTES = 1_024
QUALITIES = tuple(LADDER)
PIPELINE_VERSIONS = ("2.0",)
#: The pipeline that makes a test pattern, and so needs no script.
SCRIPTLESS = frozenset({"simulation"})
RATE = (0.5, 2.0)
RETRIES = (0, 3)
#: Highest number of a scene that a request may name.
MAX_SCENE = 10_000

_LATER_FIELDS = frozenset({"webhook_url"})
_SWITCHES = ("thumbnail_generation", "s3_upload_enabled", "cleanup_local_files", "enable_streaming")
_BLANK = " \t\r\n\ufeff"
#: What a script that has front matter may begin with, where comments may stand above it.
_FRONT_MATTER = ("---", "+++", ";;;", "{", "% ", "<!--")
_VOICE_NAME = re.compile(r"[A-Za-z0-9:_.-]{1,64}")


@frozen
class Limits:
    """What a request may ask for. `voices` None: any well-formed name."""

    max_script_chars: int
    default_pipeline: str
    pipelines: frozenset[str]
    voices: frozenset[str] | None = None
    themes: frozenset[str] = frozenset({"midnight"})


def parse_request(body: Any, limits: Limits) -> VideoRequest:
    """The request in `body`, with defaults filled in. Raises Problem 422 that lists everything that is wrong."""
    fields = as_object(body)
    checks = Checks()
    checks.fields(fields, _PARSERS, _LATER_FIELDS)
    values: dict[str, Any] = {"pipeline": limits.default_pipeline}
    for name, parse in _PARSERS.items():
        if name in fields:
            value = parse(fields[name], checks, limits)
            if value is not None:
                values[name] = value
    _settle_source(fields, values, checks)
    if "voice" in fields and fields["voice"] is None:
        values["narrated"] = False
    values["insisted"] = _insisted(fields, values)
    checks.raise_if_any()
    return VideoRequest(**values)


def _settle_source(fields: JSONObject, values: dict[str, Any], checks: Checks) -> None:
    """What the video is made from: one of script, scenes and topic, with a title for scenes."""
    needed = values["pipeline"] not in SCRIPTLESS
    given = [name for name in SOURCES if name in fields]
    for name in given[1:]:
        checks.add(f"/{name}", "conflict", f"there is {given[0]} already; give one of {', '.join(SOURCES)}")
    if not given and needed:
        checks.add("/script", "required", f"one of {', '.join(SOURCES)} is needed")
    title = values.pop("title", None)
    if "title" in fields and "scenes" not in fields:
        way_out = "a script says its own, by `title:` in its front matter or its first heading"
        checks.add("/title", "not_here", f"a title goes with scenes; {way_out}")
    if "script" in values and not values["script"].strip() and needed:
        checks.add("/script", "empty", "the script is empty")
    if "scenes" in values:
        values["scenes"] = as_document(values["scenes"], title, checks)
    values.setdefault("script", "")


def _insisted(fields: JSONObject, values: dict[str, Any]) -> tuple[str, ...]:
    """The fields of which the default is meant, where front matter might say otherwise."""
    if not values["script"].lstrip(_BLANK).startswith(_FRONT_MATTER):
        return ()
    usual = VideoRequest(script="")
    names = [name for name in ("theme", "aspect", "captions", "music") if name in fields]
    said = {name for name in names if values.get(name, getattr(usual, name)) == getattr(usual, name)}
    given, voice = fields.get("voice"), values.get("voice")
    if isinstance(given, dict) and given and voice is not None:
        said |= {"voice", *(f"voice.{n}" for n in given if getattr(voice, n) == getattr(usual.voice, n))}
    return tuple(sorted(said))


def parse_reprocess(body: JSONObject) -> RequestReprocess:
    """The command in the body of a reprocess request. Raises Problem 422 that lists everything that is wrong."""
    checks = Checks()
    checks.fields(body, ("from", "scenes"))
    stage, scenes = ReprocessFrom.PLANNING, None
    if "from" in body and checks.typed(body["from"], str, "/from", "a string"):
        if body["from"] in tuple(ReprocessFrom):
            stage = ReprocessFrom(body["from"])
        else:
            checks.add("/from", "unknown_value", f"there is no such stage; there is: {', '.join(ReprocessFrom)}")
    if "scenes" in body and checks.typed(body["scenes"], list, "/scenes", "an array"):
        scenes = _scene_numbers(body["scenes"], checks)
    checks.raise_if_any()
    return RequestReprocess(stage, scenes)


def _scene_numbers(given: list[Any], checks: Checks) -> tuple[int, ...]:
    """The first scene is 0, as in events. A number that no scene has is for the job to refuse."""
    found: dict[int, None] = {}
    for index, value in enumerate(given[: MAX_SCENE + 1]):
        number = checks.integer(value, 0, MAX_SCENE, pointer_to("scenes", index))
        if number in found:
            checks.add(pointer_to("scenes", index), "repeated", f"{number} is given more than once")
        elif number is not None:
            found[number] = None
    return tuple(sorted(found))


def _pipeline(value: Any, checks: Checks, limits: Limits) -> str | None:
    if not checks.typed(value, str, "/pipeline", "a string"):
        return None
    if value not in limits.pipelines:
        there_is = ", ".join(sorted(limits.pipelines))
        checks.add("/pipeline", "unknown_value", f"there is no such pipeline; there is: {there_is}")
        return None
    return str(value)


def _pipeline_version(value: Any, checks: Checks, _: Limits) -> str | None:
    if not checks.typed(value, str, "/pipeline_version", "a string"):
        return None
    if value not in PIPELINE_VERSIONS:
        checks.add("/pipeline_version", "not_available", f"there is only {', '.join(PIPELINE_VERSIONS)}")
        return None
    return str(value)


def _qualities(value: Any, checks: Checks, _: Limits) -> tuple[str, ...] | None:
    if not checks.typed(value, list, "/quality_levels", "an array"):
        return None
    if not value:
        checks.add("/quality_levels", "empty", f"needs at least one of {', '.join(QUALITIES)}")
    seen: list[str] = []
    for index, quality in enumerate(value[: len(QUALITIES) + 10]):
        pointer = pointer_to("quality_levels", index)
        if not checks.typed(quality, str, pointer, "a string"):
            continue
        if quality in seen:
            checks.add(pointer, "repeated", f"{quality} is given more than once")
        elif quality not in QUALITIES:
            checks.add(pointer, "unknown_value", f"there is no such quality; there is: {', '.join(QUALITIES)}")
        else:
            seen.append(quality)
    return tuple(seen)


def _voice(value: Any, checks: Checks, limits: Limits) -> Voice | None:
    """None is no narration."""
    if value is None:
        return None
    if not checks.typed(value, dict, "/voice", "an object, or null for no narration"):
        return None
    fields: JSONObject = value
    checks.fields(fields, ("name", "rate"), at="/voice")
    voice = Voice()
    name, rate = voice.name, voice.rate
    if "name" in fields and checks.typed(fields["name"], str, "/voice/name", "a string"):
        name = fields["name"]
        if not _VOICE_NAME.fullmatch(name):
            checks.add("/voice/name", "malformed", "must be 1 to 64 letters, digits or any of - _ . :")
        elif limits.voices is not None and name not in limits.voices:
            checks.add("/voice/name", "unknown_value", "there is no such voice")
    if "rate" in fields:
        rate = checks.number(fields["rate"], *RATE, "/voice/rate") or rate
    return Voice(name, rate)


def _switch(name: str) -> Callable[[Any, Checks, Limits], bool | None]:
    def parse(value: Any, checks: Checks, _: Limits) -> bool | None:
        return value if checks.typed(value, bool, f"/{name}", "true or false") else None

    return parse


def _retry_attempts(value: Any, checks: Checks, _: Limits) -> int | None:
    return checks.integer(value, *RETRIES, "/retry_attempts")


def _priority(value: Any, checks: Checks, _: Limits) -> Lane | None:
    if not checks.typed(value, str, "/priority", "a string"):
        return None
    if value not in list(Lane):
        checks.add("/priority", "unknown_value", f"there is no such priority; there is: {', '.join(Lane)}")
        return None
    return Lane(value)


def _passthrough(value: Any, checks: Checks, _: Limits) -> str | None:
    if not checks.typed(value, dict, "/passthrough", "an object"):
        return None
    text = json_text(value, "/passthrough", checks)
    if text is None:
        return None
    if len(text) > MAX_PASSTHROUGH_BYTES:
        reason = f"takes {len(text)} bytes as JSON; at most {MAX_PASSTHROUGH_BYTES} are allowed"
        checks.add("/passthrough", "too_long", reason)
        return None
    return text.decode()


_PARSERS: dict[str, Callable[[Any, Checks, Limits], Any]] = {
    "script": lambda value, checks, limits: parse_script(value, checks, limits.max_script_chars),
    "scenes": parse_scenes,
    "title": parse_title,
    "topic": parse_topic,
    "merge": parse_merge,
    "pipeline": _pipeline,
    "pipeline_version": _pipeline_version,
    "quality_levels": _qualities,
    "voice": _voice,
    **{name: _switch(name) for name in _SWITCHES},
    "retry_attempts": _retry_attempts,
    "priority": _priority,
    "passthrough": _passthrough,
    "theme": lambda value, checks, limits: parse_theme(value, checks, limits.themes),
    "aspect": parse_aspect,
    "captions": parse_captions,
    "music": parse_music,
    "on_scene_failure": parse_on_scene_failure,
}
