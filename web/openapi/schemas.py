"""JSON schemas of answers, for the OpenAPI document. Tests validate real answers with them."""

from __future__ import annotations

from typing import Any

from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import FailureCategory, Stage
from eventflow.domain.view import StageState, Status
from eventflow.requests.json_reader import Schema
from eventflow.requests.limits import MAX_FAULTS
from eventflow.requests.video_request import Passthrough

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri-reference"}
JOB_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}$"}
STORE: Schema = {"type": "string", "enum": ["workspace", "delivery", "fallback"]}
PASSTHROUGH: Schema = Passthrough().schema()


def ref(name: str) -> Schema:
    """A reference to the component `name`."""
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


def enum(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


STATUS: Schema = enum(*Status)


def _storage() -> Schema:
    return record(videos=by_name(STORE), thumbnails=array(STORE), captions=array(STORE), companions=array(STORE))


def _status() -> Schema:
    stage = enum(*Stage)
    stage_view = record(
        stage=stage,
        state=enum(*StageState),
        started_at=nullable(TIME),
        finished_at=nullable(TIME),
        attempt=INTEGER,
    )
    warning = record(code=STRING, message=STRING, stage=stage, scene=nullable(INTEGER))
    cost = record(service=STRING, amount=STRING, currency=STRING, scene=nullable(INTEGER))
    error = record(
        category=enum(*FailureCategory),
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
        degraded=array(STRING, description="What the video lacks, and files that the fallback store holds."),
        warnings=array(warning, description="Hints for the requester; the video lacks nothing."),
        costs=array(cost, description="Charges of external services; amounts are decimal numbers as text."),
        error=nullable(error),
        title=STRING,
        pipeline=STRING,
        run={**INTEGER, "description": "Increases with each reprocessing, and when lost files are made again."},
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
        stage=nullable(enum(*Stage)),
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


_PICTURE: dict[str, Schema] = {"width": INTEGER, "height": INTEGER, "media_type": STRING, "url": URL}


def _companions() -> dict[str, Schema]:
    tile = record(width=INTEGER, height=INTEGER)
    counts = dict.fromkeys(("tiles", "columns", "rows"), INTEGER)
    board = record(vtt_url=URL, interval=NUMBER, **counts, tile=tile, sheets=array(record(**_PICTURE)))
    return {
        "audio": nullable(record(url=URL, duration=NUMBER, file_size=INTEGER, media_type=STRING)),
        "posters": array(record(**_PICTURE)),
        "preview": nullable(record(**_PICTURE)),
        "storyboard": nullable(board),
    }


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
        meets={
            **array(STRING),
            "description": "Services whose published limits the file meets, as far as they can be measured: "
            "youtube, tiktok, instagram_reels, facebook_reels, linkedin, x, x_premium, vimeo.",
        },
    )
    return record(
        job_id=JOB_ID,
        version={**INTEGER, "description": "Increases with each publication."},
        title=STRING,
        created_at=TIME,
        file_size=nullable(INTEGER),
        duration=nullable(NUMBER),
        dimensions=nullable(record(width=INTEGER, height=INTEGER)),
        video_urls=by_name(URL),
        thumbnail_urls=array(URL),
        thumbnails=array(record(index=INTEGER, **_PICTURE)),
        **_companions(),
        caption_urls=array(record(language=STRING, format=enum("vtt", "srt"), url=URL)),
        urls_expire_in={**INTEGER, "description": "Seconds from now; request the metadata again for fresh URLs."},
        technical_metadata=array(technical),
        streaming_info=record(
            formats=array(STRING), qualities=array(STRING), default_quality=nullable(STRING), stream_url=URL
        ),
        s3_keys=record(
            videos=by_name(STRING), **dict.fromkeys(("thumbnails", "captions", "companions"), array(STRING))
        ),
        storage=_storage(),
        passthrough=nullable(PASSTHROUGH),
    )


def _parked() -> dict[str, Schema]:
    job = nullable(record(phase=enum(*Phase), version=INTEGER, finished=BOOLEAN))
    summary = {
        "id": STRING,
        "at": STRING,
        "group": STRING,
        "topic": nullable(enum(*Topic)),
        "stream": STRING,
        "entry": STRING,
        "attempts": INTEGER,
        "job_id": nullable(JOB_ID),
        "event_type": nullable(STRING),
        "reason": STRING,
    }
    more = {
        "job": job,
        "input": {"description": "The event as JSON; null if it can't be parsed."},
        "input_text": {**STRING, "description": "Its bytes as text; bytes beyond ASCII are escaped."},
        "problem": {**nullable(STRING), "description": "The reason why this version can't decode the payload."},
        "cause": STRING,
        "stderr": nullable(STRING),
    }
    result = {"id": STRING, "result": enum("redriven", "dropped"), "job_id": nullable(JOB_ID)}
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
        "errors": array(error, maxItems=MAX_FAULTS),
        "request_id": STRING,
    }
    return {"type": "object", "properties": members, "required": list(members)}


def _health() -> Schema:
    part = {"type": "object", "properties": {"status": enum("ok", "degraded", "unavailable")}, "required": ["status"]}
    components = record(redis=part, storage=part, groups=part, feed=part)
    return record(status=enum("ok", "degraded", "unavailable"), components=components)


def _planning() -> dict[str, Schema]:
    named = {"name": STRING, "description": STRING}
    colours = by_name({"type": "string", "description": "A CSS colour."})
    voice = record(name=STRING, rate=NUMBER)
    captions: Schema = {"enum": [True, False, "burned"]}
    style = record(theme=nullable(STRING), aspect=STRING, captions=captions, music=nullable(STRING))
    plan = record(
        version=INTEGER,
        title=STRING,
        scenes={
            "type": "array",
            "items": {"type": "object"},
            "description": "Can be edited and sent as `scenes`.",
        },
        voice={**nullable(voice), "description": "null: without narration."},
        style=style,
        warnings=array(record(code=STRING, message=STRING)),
    )
    read_as = {**record(shape=STRING, sure=BOOLEAN, because=array(STRING)), "description": "Of a script alone."}
    read_as["properties"] = {**read_as["properties"], "facts": by_name(STRING)}
    left_out = array(record(line=INTEGER, text=STRING, why=STRING), description="Neither shown nor said.")
    language = {**record(tag=STRING, sure=BOOLEAN, because=STRING), "description": "Of the text; `und` in doubt."}
    plan["properties"] |= {"language": language, "read_as": read_as, "left_out": left_out}
    usable = {"available": BOOLEAN, "problem": nullable(STRING)}
    pipeline = record(**named, version=nullable(STRING), **usable)
    voice = record(**named, language=STRING, narrator=STRING, **usable)
    return {
        "Plan": plan,
        "Pipelines": record(pipelines=array(pipeline)),
        "Themes": record(themes=array(record(**named, dark=BOOLEAN, colours=colours))),
        "Voices": record(voices=array(voice)),
    }


def answers() -> dict[str, Schema]:
    """The schemas of answers, by name."""
    links = ("status_url", "events_url", "stream_url", "download_url", "cancel_url")
    position = nullable(INTEGER)
    accepted = record(
        job_id=JOB_ID, version=INTEGER, status=STATUS, queue_position=position, **dict.fromkeys(links, URL)
    )
    result = enum("cancellation_requested", "reprocess_requested", "deletion_requested")
    return {
        "JobAccepted": accepted,
        "JobStatus": _status(),
        "JobList": record(jobs=array(_listed()), next_cursor=nullable(STRING)),
        "JobEvents": record(job_id=JOB_ID, events=array(_event()), next_after=nullable(INTEGER)),
        "CommandAccepted": record(job_id=JOB_ID, version=INTEGER, result=result, status_url=URL),
        "Metadata": _metadata(),
        **_parked(),
        "Problem": _problem(),
        **_planning(),
        "Alive": record(status=enum("ok")),
        "Readiness": _health(),
    }
