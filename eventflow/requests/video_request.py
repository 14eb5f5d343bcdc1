"""The bodies of generate, plan and reprocess requests: read strictly, written back for forks, and described.

To add a field, add an attribute to `VideoRequest` and declare it here: `input_fields` say what a video is made from (a
script, scenes or a topic), `style_fields` how it looks and sounds, which front matter may say, too. Unknown fields are
refused by name.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import orjson
from attrs import Factory, field, frozen

from eventflow.domain.commands import RequestReprocess
from eventflow.domain.values import (
    LADDER,
    CaptionMode,
    Lane,
    MergeField,
    OnSceneFailure,
    PictureAsset,
    ReprocessFrom,
    SpeakerVoice,
    VideoRequest,
    Voice,
)
from eventflow.requests.json_reader import (
    Array,
    Choice,
    Cursor,
    Described,
    Flag,
    Integer,
    JsonType,
    Nullable,
    Number,
    Object,
    Pattern,
    Schema,
    Text,
    read_value,
    shown,
    unknown,
)
from eventflow.requests.limits import (
    ASPECT_NAMES,
    FASTEST_RATE,
    FORMATS,
    KEEPABLE,
    LANGUAGE_TAG,
    MAX_ADDRESS_CHARS,
    MAX_MERGE_FIELDS,
    MAX_PASSTHROUGH_BYTES,
    MAX_PICTURES,
    MAX_REPLACEMENT_CHARS,
    MAX_RETRIES,
    MAX_SCENE_NUMBER,
    MAX_SCENES,
    MAX_SPEAKER_CHARS,
    MAX_SPEAKERS,
    MAX_TITLE_CHARS,
    MAX_TOPIC_CHARS,
    MERGE_NAME,
    SLOWEST_RATE,
    VOICE_NAME,
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
            Text(limits.max_script_chars, lenient=True),
            "Markdown, plain text, or what people paste: video scripts, dialogues, subtitles, scene lists and others.",
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
        "pictures": Described(
            PictureAssets(),
            "The assets of the script's pictures by their addresses, as they stand in it: ![...](img/a.png) shows the "
            "asset that is named for img/a.png. kind: left out, .mp4 and the like, <video> and the option clip are "
            "clips.",
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


@frozen
class PictureAssets(JsonType):
    """The assets of a script's pictures, each address once."""

    _list: Array = field(
        default=Array(
            Object(
                {
                    "address": Text(MAX_ADDRESS_CHARS, blank=False),
                    "asset": Pattern("as_[0-9a-f]{32}", "the id of an asset: as_ and 32 hex digits"),
                    "kind": Choice(("image", "clip"), noun="kind"),
                },
                required=("address", "asset"),
                make=lambda _, values: PictureAsset(**values),
            ),
            MAX_PICTURES,
            too_many="too_long",
        ),
        init=False,
    )

    def read(self, at: Cursor) -> tuple[PictureAsset, ...]:
        pictures: tuple[PictureAsset, ...] = self._list.read(at)
        addresses = Counter(picture.address for picture in pictures)
        for address in [address for address, times in addresses.items() if times > 1]:
            at.fail("repeated", f"{shown(address)!r} is given more than once")
        return pictures

    def write(self, value: Any) -> Any:
        kind = {"image": {"kind": "image"}, "clip": {"kind": "clip"}, None: {}}
        return [{"address": each.address, "asset": each.asset, **kind[each.kind]} for each in value]

    def schema(self) -> Schema:
        return self._list.schema()


#: Fields that front matter says where a request doesn't. So does it for `voice`, member by member.
FRONT_MATTER_FIELDS: Final = ("theme", "aspect", "captions", "music")
_FROM_FRONT_MATTER: Final = "Front matter of the script counts where this is left out."


def style_fields(limits: RequestLimits) -> dict[str, JsonType]:
    """The fields by name."""
    asset = Pattern("as_[0-9a-f]{32}", "the id of an audio asset: as_ and 32 hex digits")
    usual = Voice()
    voice = Object(
        {
            "name": Described(VoiceName(limits.voices), default=usual.name),
            "rate": Described(Number(SLOWEST_RATE, FASTEST_RATE), default=usual.rate),
            "language": Described(
                Pattern(LANGUAGE_TAG, "the tag of a language, such as de or pt-BR"),
                "That of the voice where `name` is left out; that of the text if this is left out, too.",
            ),
        },
        make=lambda _, values: Voice(**values),
    )
    return {
        "voice": Described(Nullable(voice), "null: no narration; pages are shown as long as reading takes."),
        "theme": Described(Nullable(Choice(sorted(limits.themes), noun="theme")), _FROM_FRONT_MATTER),
        "aspect": Described(Choice(ASPECT_NAMES, noun="aspect ratio"), _FROM_FRONT_MATTER),
        "captions": Described(Captions(), _FROM_FRONT_MATTER),
        "music": Described(Nullable(asset), f"The id of an audio asset. {_FROM_FRONT_MATTER}"),
        "on_scene_failure": Choice(tuple(OnSceneFailure), noun="choice", make=OnSceneFailure),
    }


@frozen
class VoiceName(Pattern):
    """A well-formed name of a voice, and one of `known` where the voices are known."""

    pattern: str = field(default=VOICE_NAME, init=False)
    form: str = field(default="1 to 64 letters, digits or any of - _ . :", init=False)
    known: frozenset[str] | None

    def read(self, at: Cursor) -> str:
        before, name = len(at.faults.found), super().read(at)
        if len(at.faults.found) == before and self.known is not None and name not in self.known:
            at.fail("unknown_value", unknown("voice", name, sorted(self.known)))
        return name


@frozen
class Captions(JsonType):
    """true: files beside the video; "burned": drawn into its pictures as well; false: none."""

    def read(self, at: Cursor) -> CaptionMode:
        if isinstance(at.value, bool):
            return CaptionMode.TRACK if at.value else CaptionMode.NONE
        if isinstance(at.value, str) and at.value != "burned":
            at.fail("unknown_value", f'must be true, false or "burned", not {shown(at.value)!r}')
        elif at.value != "burned":
            at.wrong_type('true, false or "burned"')
        return CaptionMode.BURNED

    def write(self, value: Any) -> bool | str:
        return "burned" if value is CaptionMode.BURNED else value is CaptionMode.TRACK

    def schema(self) -> Schema:
        return {"enum": [True, False, "burned"]}


@frozen
class SpeakerVoices(JsonType):
    """An object of voices by the names of speakers."""

    known: frozenset[str] | None

    def read(self, at: Cursor) -> tuple[SpeakerVoice, ...]:
        if not isinstance(at.value, dict):
            at.wrong_type("an object")
            return ()
        if len(at.value) > MAX_SPEAKERS:
            at.fail("too_long", f"has {len(at.value)} speakers; at most {MAX_SPEAKERS} are allowed")
            return ()
        name = VoiceName(self.known)
        for speaker in at.value:
            if not 0 < len(speaker) <= MAX_SPEAKER_CHARS:
                at.fail("malformed", f"the name of a speaker has 1 to {MAX_SPEAKER_CHARS} characters")
        return tuple(SpeakerVoice(speaker, name.read(at.at(speaker))) for speaker in at.value)

    def write(self, value: Any) -> Any:
        return {each.speaker: each.voice for each in value}

    def schema(self) -> Schema:
        return {
            "type": "object",
            "additionalProperties": VoiceName(self.known).schema(),
            "maxProperties": MAX_SPEAKERS,
        }


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
        "format": Described(
            Choice(FORMATS, noun="format"),
            "What the script is read as; auto decides by the text. Front matter counts where this is auto.",
        ),
        "voices": Described(SpeakerVoices(limits.voices), "The voices of a script's speakers, by name."),
        "keep": Described(
            Array(Choice(KEEPABLE, noun="part"), unique=True),
            "Parts of a script that would be left out, and aren't to be.",
        ),
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
    """The fields given with their default values where the script could say otherwise, such as `voice.rate`.

    Without front matter that is the name of the voice alone: the language of the text chooses one that nobody names.
    """
    voice, script = values.get("voice"), values.get("script", "")
    if not script.lstrip(_BLANK).startswith(_FRONT_MATTER):
        named = voice is not None and "name" in (given.get("voice") or ()) and voice.name == _USUAL.voice.name
        return ("voice.name",) if named else ()
    names: list[str] = [name for name in FRONT_MATTER_FIELDS if name in given]
    found = {name for name in names if values.get(name, getattr(_USUAL, name)) == getattr(_USUAL, name)}
    if voice is not None and given.get("voice"):
        found |= {"voice", *(f"voice.{n}" for n in given["voice"] if getattr(voice, n) == getattr(_USUAL.voice, n))}
    return tuple(sorted(found))


def _voice_body(request: VideoRequest) -> dict[str, Any] | None:
    if not request.narrated:
        return None
    usual, explicit = Voice(), request.explicit_defaults
    given = {name: getattr(request.voice, name) for name in ("name", "rate", "language")}
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
