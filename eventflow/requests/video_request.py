"""The bodies of generate, plan and reprocess requests: read strictly, written back for forks, and described.

To add a field, add an attribute to `VideoRequest` and declare it here, in `input_fields` or in `style_fields`. What
isn't understood is refused by name.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from attrs import Factory, field, frozen

from eventflow.domain.commands import RequestReprocess
from eventflow.domain.values import LADDER, Lane, ReprocessFrom, VideoRequest, Voice
from eventflow.requests.input_fields import SOURCES, document_json, input_fields, json_text
from eventflow.requests.json_reader import Cursor, read_value
from eventflow.requests.json_types import Array, Choice, Described, Flag, Integer, JsonType, Object, Schema
from eventflow.requests.limits import MAX_PASSTHROUGH_BYTES, MAX_RETRIES, MAX_SCENE_NUMBER, RequestLimits
from eventflow.requests.style_fields import FRONT_MATTER_FIELDS, style_fields

PIPELINE_VERSIONS: Final = ("2.0",)

_LATER_FIELDS: Final = frozenset({"webhook_url"})
_USUAL: Final = VideoRequest(script="")
_BLANK: Final = " \t\r\n\ufeff"
#: Beginnings of scripts that may have front matter; comments may stand above it.
_FRONT_MATTER: Final = ("---", "+++", ";;;", "{", "% ", "<!--")


@frozen
class Passthrough(JsonType):
    """The requester's own JSON object, kept as text."""

    def read(self, at: Cursor) -> str:
        if not isinstance(at.value, dict):
            at.wrong_type("an object")
            return ""
        text = json_text(at.value, at)
        if (size := len(text.encode())) > MAX_PASSTHROUGH_BYTES:
            at.fail("too_long", f"takes {size:,} bytes as JSON; at most {MAX_PASSTHROUGH_BYTES:,} are allowed")
        return text

    def write(self, value: Any) -> Any:
        return orjson.loads(value)

    def schema(self) -> Schema:
        about = f"Your own JSON, at most {MAX_PASSTHROUGH_BYTES} bytes, given back with the status."
        return {"type": "object", "description": about}


def _option_fields(limits: RequestLimits) -> dict[str, JsonType]:
    capped = "Where all pictures are smaller than a quality, it is left out (warning `quality_capped`)."
    return {
        "pipeline": Choice(sorted(limits.pipelines), noun="pipeline"),
        "pipeline_version": Choice(PIPELINE_VERSIONS, noun="pipeline version", code="not_available"),
        "quality_levels": Described(Array(Choice(tuple(LADDER), noun="quality"), empty=False, unique=True), capped),
        "thumbnail_generation": Flag(),
        "s3_upload_enabled": Flag(),
        "cleanup_local_files": Flag(),
        "enable_streaming": Described(Flag(), "false: there is no HLS, and nothing to watch before the end."),
        "retry_attempts": Integer(0, MAX_RETRIES),
        "priority": Choice(tuple(Lane), noun="priority", make=Lane),
        "passthrough": Passthrough(),
    }


def _fields(reader: RequestReader) -> dict[str, JsonType]:
    limits = reader.limits
    return {**input_fields(limits), **_option_fields(limits), **style_fields(limits)}


@frozen
class RequestReader:
    """Reads, writes and describes requests for videos within the limits of this installation."""

    limits: RequestLimits
    _body: Object = field(init=False, default=Factory(lambda self: Object(_fields(self), later=_LATER_FIELDS), True))

    def read(self, body: Any) -> VideoRequest:
        """The request in a body, with every default filled in. Raises RequestInvalid with all faults."""
        return read_value(body, self._request)

    def _request(self, at: Cursor) -> VideoRequest:
        values = {"pipeline": self.limits.default_pipeline, **self._body.values(at)}
        if not isinstance(at.value, dict):
            return _USUAL
        self._settle_source(at, values)
        if "voice" in values and values["voice"] is None:
            del values["voice"]
            values["narrated"] = False
        return VideoRequest(**values, insisted=_explicit_defaults(at.value, values))

    def _settle_source(self, at: Cursor, values: dict[str, Any]) -> None:
        """One of script, scenes and topic, with a title for scenes: `values` get a script and a scene document."""
        pipeline = self.limits.pipelines.get(values["pipeline"])
        needed = pipeline is None or pipeline.needs_script
        given = [name for name in SOURCES if name in at.value]
        for name in given[1:]:
            at.fail_at(name, "conflict", f"{given[0]} is given already; give one of {', '.join(SOURCES)}")
        if not given and needed:
            at.fail_at("script", "required", f"one of {', '.join(SOURCES)} is needed")
        title = values.pop("title", None)
        if "title" in at.value and "scenes" not in at.value:
            way_out = "a script has it as `title:` in its front matter or as its first heading"
            at.fail_at("title", "not_here", f"a title goes with scenes; {way_out}")
        if "script" in values and needed and not values["script"].strip():
            at.fail_at("script", "empty", "the script is empty")
        if "scenes" in values:
            values["scenes"] = document_json(values["scenes"], title, at.at("scenes"))
        values.setdefault("script", "")

    def body_of(self, request: VideoRequest) -> dict[str, Any]:
        """The body that `read` turns into `request`.

        Defaults that front matter may change are in it only if the request had them explicitly.
        """
        body: dict[str, Any] = {"voice": _voice_body(request), **_source_body(request)}
        for name, kind in self._body.fields.items():
            if name in body or name == "title" or name in SOURCES:
                continue
            value = getattr(request, name)
            unsaid = value == getattr(_USUAL, name) and (name in FRONT_MATTER_FIELDS or value in (None, ()))
            if not unsaid or name in request.explicit_defaults:
                body[name] = kind.write(value)
        return body

    def schema(self, scenes: Schema) -> Schema:
        """The JSON schema of a generate or plan body; `scenes` is that of the scenes."""
        schema = self._body.schema()
        properties: dict[str, Schema] = schema["properties"]
        for name, kind in self._body.fields.items():
            usual = getattr(_USUAL, name, None)
            if name not in ("script", "voice") and usual not in (None, ()):
                properties[name]["default"] = kind.write(usual)
        properties["pipeline"]["default"] = self.limits.default_pipeline
        properties["scenes"] = scenes
        return schema


def _explicit_defaults(given: dict[str, Any], values: dict[str, Any]) -> tuple[str, ...]:
    """The fields given with their default values where front matter could say otherwise, such as `voice.rate`."""
    script = values.get("script", "")
    if not script.lstrip(_BLANK).startswith(_FRONT_MATTER):
        return ()
    names: list[str] = [name for name in FRONT_MATTER_FIELDS if name in given]
    found = {name for name in names if values.get(name, getattr(_USUAL, name)) == getattr(_USUAL, name)}
    voice = values.get("voice")
    if voice is not None and given.get("voice"):
        found |= {"voice", *(f"voice.{n}" for n in given["voice"] if getattr(voice, n) == getattr(_USUAL.voice, n))}
    return tuple(sorted(found))


def _voice_body(request: VideoRequest) -> dict[str, Any] | None:
    if not request.narrated:
        return None
    usual, explicit = Voice(), request.explicit_defaults
    given = {name: getattr(request.voice, name) for name in ("name", "rate")}
    return {n: value for n, value in given.items() if value != getattr(usual, n) or f"voice.{n}" in explicit}


def _source_body(request: VideoRequest) -> dict[str, Any]:
    if request.scenes is not None:
        document = orjson.loads(request.scenes)
        return {name: document[name] for name in ("title", "scenes") if name in document}
    return {"script": request.script} if request.topic is None else {"topic": request.topic}


_REPROCESS: Final = Object(
    {
        "from": Described(
            Choice(tuple(ReprocessFrom), noun="stage", make=ReprocessFrom), default=ReprocessFrom.PLANNING.value
        ),
        "scenes": Described(
            Array(Integer(0, MAX_SCENE_NUMBER), unique=True),
            "Do only these again (0 is the first); the others are reused. All if left out; not with metadata.",
        ),
    }
)


def read_reprocess(body: Any) -> RequestReprocess:
    """The command in the body of a reprocess request. Raises RequestInvalid with all faults."""
    values = read_value(body, _REPROCESS.values)
    scenes = values.get("scenes")
    return RequestReprocess(
        values.get("from", ReprocessFrom.PLANNING), None if scenes is None else tuple(sorted(scenes))
    )


def reprocess_schema() -> Schema:
    """The JSON schema of a reprocess body."""
    return _REPROCESS.schema()
