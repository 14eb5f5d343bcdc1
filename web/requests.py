"""The bodies of generate and reprocess requests. Strict: whatever isn't understood is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
from attrs import frozen

from eventflow.domain.commands import RequestReprocess
from eventflow.domain.values import Lane, ReprocessFrom, VideoRequest, Voice
from web.checks import Checks, JSONObject, as_object, pointer_to

MAX_PASSTHROUGH_BYTES = 1_024
QUALITIES = ("720p", "1080p")
PIPELINE_VERSIONS = ("2.0",)
#: The pipeline that makes a test pattern, and so needs no script.
SCRIPTLESS = frozenset({"simulation"})
RATE = (0.5, 2.0)
RETRIES = (0, 3)
#: Highest number of a scene that a request may name.
MAX_SCENE = 10_000

_LATER_QUALITIES = frozenset({"144p", "240p", "360p", "480p", "540p", "1440p", "2160p", "4k"})
_LATER_FIELDS = frozenset(
    {
        "scenes",
        "topic",
        "theme",
        "aspect",
        "captions",
        "music",
        "on_scene_failure",
        "enable_streaming",
        "webhook_url",
    }
)
_SWITCHES = ("thumbnail_generation", "s3_upload_enabled", "cleanup_local_files")
#: Control characters but line feed, tab and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_VOICE_NAME = re.compile(r"[A-Za-z0-9:_.-]{1,64}")


@frozen
class Limits:
    """What a request may ask for. `voices` None: any well-formed name."""

    max_script_chars: int
    default_pipeline: str
    pipelines: frozenset[str]
    voices: frozenset[str] | None = None


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
    if "script" not in fields:
        values["script"] = ""
        if values["pipeline"] not in SCRIPTLESS and not {"scenes", "topic"} & fields.keys():
            checks.add("/script", "required", "a script is needed")
    elif values.get("script") is not None and not values["script"].strip() and values["pipeline"] not in SCRIPTLESS:
        checks.add("/script", "empty", "the script is empty")
    checks.raise_if_any()
    return VideoRequest(**values)


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


def _script(value: Any, checks: Checks, limits: Limits) -> str | None:
    if not checks.typed(value, str, "/script", "a string"):
        return None
    text: str = value
    if len(text) > limits.max_script_chars:
        reason = f"has {len(text)} characters; at most {limits.max_script_chars} are allowed"
        checks.add("/script", "too_long", reason)
        return None
    if found := _CONTROL.search(text) or _SURROGATE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        reason = f"the control character U+{ord(found[0]):04X} at character {found.start()} (line {line}) isn't allowed"
        checks.add("/script", "control_character", reason)
        return None
    return text


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
        elif quality in _LATER_QUALITIES:
            checks.add(pointer, "not_available", f"{quality} isn't available yet; there is: {', '.join(QUALITIES)}")
        elif quality not in QUALITIES:
            checks.add(pointer, "unknown_value", f"there is no such quality; there is: {', '.join(QUALITIES)}")
        else:
            seen.append(quality)
    return tuple(seen)


def _voice(value: Any, checks: Checks, limits: Limits) -> Voice | None:
    if not checks.typed(value, dict, "/voice", "an object"):
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
    text = orjson.dumps(value)
    if len(text) > MAX_PASSTHROUGH_BYTES:
        reason = f"takes {len(text)} bytes as JSON; at most {MAX_PASSTHROUGH_BYTES} are allowed"
        checks.add("/passthrough", "too_long", reason)
        return None
    return text.decode()


_PARSERS: dict[str, Callable[[Any, Checks, Limits], Any]] = {
    "script": _script,
    "pipeline": _pipeline,
    "pipeline_version": _pipeline_version,
    "quality_levels": _qualities,
    "voice": _voice,
    **{name: _switch(name) for name in _SWITCHES},
    "retry_attempts": _retry_attempts,
    "priority": _priority,
    "passthrough": _passthrough,
}
