"""JSON schemas of requests' bodies, for the OpenAPI document."""

from __future__ import annotations

from eventflow.domain.values import Lane, OnSceneFailure, ReprocessFrom, VideoRequest
from web.openapi.schemas import PASSTHROUGH, Schema, array, enum, nullable, options, record
from web.requests.input_fields import (
    MAX_MERGE_FIELDS,
    MAX_REPLACEMENT_CHARS,
    MAX_TITLE_CHARS,
    MAX_TOPIC_CHARS,
    MERGE_NAME,
)
from web.requests.style_fields import ASPECTS
from web.requests.video_request import MAX_SCENE, PIPELINE_VERSIONS, QUALITIES, RATE, RETRIES, Limits


def generate_request(limits: Limits, scenes: Schema) -> Schema:
    """The body of a generate or plan request, with the limits of this installation; `scenes` is the schema of those."""
    switch: Schema = {"type": "boolean", "default": True}
    named: Schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Za-z0-9:_.-]{1,64}$", "default": "en-us"},
            "rate": {"type": "number", "minimum": RATE[0], "maximum": RATE[1], "default": 1.0},
        },
        "additionalProperties": False,
    }
    fields: dict[str, Schema] = {
        **_sources(limits, scenes),
        **_looks(limits),
        "pipeline": {"type": "string", "enum": sorted(limits.pipelines), "default": limits.default_pipeline},
        "pipeline_version": {"type": "string", "enum": list(PIPELINE_VERSIONS), "default": PIPELINE_VERSIONS[0]},
        "quality_levels": array(
            enum(*QUALITIES),
            minItems=1,
            uniqueItems=True,
            default=list(VideoRequest(script="").quality_levels),
            description="Where all pictures are smaller than a quality, it is left out (warning `quality_capped`).",
        ),
        "voice": {**nullable(named), "description": "null: no narration; pages are shown as long as reading takes."},
        "thumbnail_generation": switch,
        "s3_upload_enabled": switch,
        "cleanup_local_files": switch,
        "enable_streaming": {**switch, "description": "false: there is no HLS, and nothing to watch before the end."},
        "retry_attempts": {"type": "integer", "minimum": RETRIES[0], "maximum": RETRIES[1], "default": RETRIES[1]},
        "priority": {"type": "string", "enum": list(Lane), "default": Lane.NORMAL.value},
        "passthrough": PASSTHROUGH,
    }
    return options(**fields)


def _sources(limits: Limits, scenes: Schema) -> dict[str, Schema]:
    """One of script, scenes and topic; every pipeline but simulation needs one."""
    field = record(
        find={"type": "string", "pattern": f"^{MERGE_NAME}$"},
        replace={"type": "string", "maxLength": MAX_REPLACEMENT_CHARS},
    )
    return {
        "script": {
            "type": "string",
            "maxLength": limits.max_script_chars,
            "description": "Markdown or plain text. No control characters but line feed, carriage return and tab.",
        },
        "scenes": scenes,
        "title": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_TITLE_CHARS,
            "description": "Of a video from scenes; that of the first scene if left out.",
        },
        "topic": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_TOPIC_CHARS,
            "description": "What a model is to plan a video about; needs EVENTFLOW_PLANNER_URL and _MODEL.",
        },
        "merge": array(
            field,
            maxItems=MAX_MERGE_FIELDS,
            description="Every {{find}} in the texts stands for its replacement, which is text, never markup.",
        ),
    }


def _looks(limits: Limits) -> dict[str, Schema]:
    front_matter = "Front matter of the script counts where this is left out."
    return {
        "theme": {**nullable(enum(*sorted(limits.themes))), "description": front_matter},
        "aspect": {**enum(*ASPECTS), "default": ASPECTS[0], "description": front_matter},
        "captions": {"enum": [True, False, "burned"], "default": True, "description": front_matter},
        "music": {
            **nullable({"type": "string", "pattern": "^as_[0-9a-f]{32}$"}),
            "description": f"The id of an audio asset. {front_matter}",
        },
        "on_scene_failure": {**enum(*OnSceneFailure), "default": OnSceneFailure.FAIL.value},
    }


def reprocess_request() -> Schema:
    """The body of a reprocess request."""
    scene: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_SCENE}
    asked = array(
        scene,
        uniqueItems=True,
        description="Do only these again (0 is the first); the others are reused. All if left out; not with metadata.",
    )
    return options(**{"from": {**enum(*ReprocessFrom), "default": ReprocessFrom.PLANNING.value}}, scenes=asked)
