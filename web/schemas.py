"""JSON schemas of bodies, for the OpenAPI document. Tests hold real answers against them."""

from __future__ import annotations

from typing import Any

from eventflow.domain.job import Phase
from eventflow.domain.values import FailureCategory, Lane, ReprocessFrom, Stage
from eventflow.domain.view import StageState, Status
from eventflow.topics import Topic
from web.checks import MAX_ERRORS
from web.requests import MAX_PASSTHROUGH_BYTES, MAX_SCENE, PIPELINE_VERSIONS, QUALITIES, RATE, RETRIES

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri-reference"}
JOB_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}$"}
STORE: Schema = {"type": "string", "enum": ["workspace", "delivery", "fallback"]}
PASSTHROUGH: Schema = {
    "type": "object",
    "description": f"Your own JSON, at most {MAX_PASSTHROUGH_BYTES} bytes, given back with the status.",
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def record(**properties: Schema) -> Schema:
    """An object with exactly these members."""
    return {**options(**properties), "required": list(properties)}


def options(**properties: Schema) -> Schema:
    """An object with these members at most."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _enum(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


STATUS: Schema = _enum(*Status)


def _storage() -> Schema:
    return record(videos=by_name(STORE), thumbnails=array(STORE), captions=array(STORE))


def generate_request(max_script_chars: int, pipelines: frozenset[str], default_pipeline: str) -> Schema:
    """The body of a generate request, with the limits of this installation."""
    switch: Schema = {"type": "boolean", "default": True}
    voice = options(
        name={"type": "string", "pattern": "^[A-Za-z0-9:_.-]{1,64}$", "default": "en-us"},
        rate={"type": "number", "minimum": RATE[0], "maximum": RATE[1], "default": 1.0},
    )
    script: Schema = {
        "type": "string",
        "maxLength": max_script_chars,
        "description": "Markdown or plain text; needed by every pipeline but simulation. No control characters "
        "but line feed, carriage return and tab.",
    }
    fields: dict[str, Schema] = {
        "script": script,
        "pipeline": {"type": "string", "enum": sorted(pipelines), "default": default_pipeline},
        "pipeline_version": {"type": "string", "enum": list(PIPELINE_VERSIONS), "default": PIPELINE_VERSIONS[0]},
        "quality_levels": array(_enum(*QUALITIES), minItems=1, uniqueItems=True, default=list(reversed(QUALITIES))),
        "voice": voice,
        "thumbnail_generation": switch,
        "s3_upload_enabled": switch,
        "cleanup_local_files": switch,
        "retry_attempts": {"type": "integer", "minimum": RETRIES[0], "maximum": RETRIES[1], "default": RETRIES[1]},
        "priority": {"type": "string", "enum": list(Lane), "default": Lane.NORMAL.value},
        "passthrough": PASSTHROUGH,
    }
    return options(**fields)


def reprocess_request() -> Schema:
    """The body of a reprocess request."""
    scene: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_SCENE}
    asked = array(
        scene,
        uniqueItems=True,
        description="Do only these again (0 is the first); the others are reused. All if left out; not with metadata.",
    )
    return options(**{"from": {**_enum(*ReprocessFrom), "default": ReprocessFrom.PLANNING.value}}, scenes=asked)


def _status() -> Schema:
    stage = _enum(*Stage)
    stage_view = record(
        stage=stage,
        state=_enum(*StageState),
        started_at=nullable(TIME),
        finished_at=nullable(TIME),
        attempt=INTEGER,
    )
    warning = record(code=STRING, message=STRING, stage=stage, scene=nullable(INTEGER))
    cost = record(service=STRING, amount=STRING, currency=STRING, scene=nullable(INTEGER))
    error = record(
        category=_enum(*FailureCategory),
        code=STRING,
        message=STRING,
        stage=stage,
        scene=nullable(INTEGER),
        attempts=INTEGER,
    )
    return record(
        queue_position=nullable(INTEGER),
        job_id=JOB_ID,
        version=INTEGER,
        status=STATUS,
        stage=nullable(stage),
        progress={**NUMBER, "maximum": 100, "description": "Percent; never falls within a run."},
        stages=array(stage_view),
        scenes=record(total=nullable(INTEGER), rendered=INTEGER, uploaded=INTEGER, skipped=INTEGER),
        playable=BOOLEAN,
        degraded=array(STRING, description="What the video has to do without, or where a file went instead."),
        warnings=array(warning, description="What the requester should know of; nothing is missing for it."),
        costs=array(cost, description="What services have charged; amounts are decimal numbers as text."),
        error=nullable(error),
        title=STRING,
        pipeline=STRING,
        run={**INTEGER, "description": "Counts up with each reprocessing, and when lost files are made again."},
        created_at=TIME,
        updated_at=TIME,
        storage=nullable(_storage()),
        passthrough=nullable(PASSTHROUGH),
    )


def _listed() -> Schema:
    return record(
        job_id=JOB_ID,
        owner=STRING,
        version=INTEGER,
        status=STATUS,
        stage=nullable(_enum(*Stage)),
        progress={**NUMBER, "maximum": 100},
        title=STRING,
        created_at=TIME,
        status_url=URL,
    )


def _event() -> Schema:
    return record(
        seq=INTEGER,
        specversion=STRING,
        id=STRING,
        source=STRING,
        type=STRING,
        dataversion=INTEGER,
        subject=JOB_ID,
        sequence=INTEGER,
        owner=STRING,
        correlationid=STRING,
        causationid=STRING,
        traceparent=STRING,
        time=TIME,
        data={"type": "object"},
    )


def _metadata() -> Schema:
    video = record(
        codec=STRING,
        profile=STRING,
        width=INTEGER,
        height=INTEGER,
        frame_rate=NUMBER,
        bit_rate=INTEGER,
        pixel_format=STRING,
    )
    audio = record(codec=STRING, sample_rate=INTEGER, channels=INTEGER, bit_rate=INTEGER)
    technical = record(
        quality=STRING,
        container=STRING,
        duration=NUMBER,
        file_size=INTEGER,
        bit_rate=INTEGER,
        video=nullable(video),
        audio=nullable(audio),
    )
    return record(
        job_id=JOB_ID,
        version={**INTEGER, "description": "Counts up with each publication."},
        title=STRING,
        created_at=TIME,
        file_size=nullable(INTEGER),
        duration=nullable(NUMBER),
        dimensions=nullable(record(width=INTEGER, height=INTEGER)),
        video_urls=by_name(URL),
        thumbnail_urls=array(URL),
        caption_urls=array(record(language=STRING, format=_enum("vtt", "srt"), url=URL)),
        urls_expire_in={**INTEGER, "description": "Seconds from now; ask again for fresh ones."},
        technical_metadata=array(technical),
        streaming_info=record(
            formats=array(STRING), qualities=array(STRING), default_quality=nullable(STRING), stream_url=URL
        ),
        s3_keys=record(videos=by_name(STRING), thumbnails=array(STRING), captions=array(STRING)),
        storage=_storage(),
        passthrough=nullable(PASSTHROUGH),
    )


def _parked() -> dict[str, Schema]:
    job = nullable(record(phase=_enum(*Phase), version=INTEGER, finished=BOOLEAN))
    summary = {
        "id": STRING,
        "at": STRING,
        "group": STRING,
        "topic": nullable(_enum(*Topic)),
        "stream": STRING,
        "entry": STRING,
        "attempts": INTEGER,
        "job_id": nullable(JOB_ID),
        "event_type": nullable(STRING),
        "reason": STRING,
    }
    more = {
        "job": job,
        "input": {"description": "The event as JSON; null where it isn't any."},
        "input_text": {**STRING, "description": "Its bytes; what isn't ASCII is escaped."},
        "problem": {**nullable(STRING), "description": "Why the payload can't be decoded here."},
        "cause": STRING,
        "stderr": nullable(STRING),
    }
    result = {"id": STRING, "result": _enum("redriven", "dropped"), "job_id": nullable(JOB_ID)}
    return {
        "ParkedList": record(entries=array(record(**summary)), next_cursor=nullable(STRING)),
        "ParkedEntry": record(**summary, **more),
        "Redriven": record(**result),
        "Dropped": record(**result, job=job),
    }


def _problem() -> Schema:
    error = record(pointer=STRING, code=STRING, reason=STRING)
    members: Schema = {
        "type": {"type": "string", "format": "uri-reference"},
        "title": STRING,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": STRING,
        "detail": STRING,
        "errors": array(error, maxItems=MAX_ERRORS),
        "request_id": STRING,
    }
    return {"type": "object", "properties": members, "required": list(members)}


def _health() -> Schema:
    part = {"type": "object", "properties": {"status": _enum("ok", "degraded", "unavailable")}, "required": ["status"]}
    components = record(redis=part, storage=part, groups=part, feed=part)
    return record(status=_enum("ok", "degraded", "unavailable"), components=components)


def answers() -> dict[str, Schema]:
    """The schemas of answers, by name."""
    links = ("status_url", "events_url", "stream_url", "download_url", "cancel_url")
    place = nullable(INTEGER)
    accepted = record(job_id=JOB_ID, version=INTEGER, status=STATUS, queue_position=place, **dict.fromkeys(links, URL))
    result = _enum("cancellation_requested", "reprocess_requested")
    return {
        "JobAccepted": accepted,
        "JobStatus": _status(),
        "JobList": record(jobs=array(_listed()), next_cursor=nullable(STRING)),
        "JobEvents": record(job_id=JOB_ID, events=array(_event()), next_after=nullable(INTEGER)),
        "CommandAccepted": record(job_id=JOB_ID, version=INTEGER, result=result, status_url=URL),
        "Metadata": _metadata(),
        **_parked(),
        "Problem": _problem(),
        "Alive": record(status=_enum("ok")),
        "Readiness": _health(),
    }
