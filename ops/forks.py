"""Forks: a new job from the request of another one as of some version, which reuses the scenes that stay the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict, evolve, frozen

from eventflow.domain.commands import RequestVideo
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import JobExists
from eventflow.domain.evolve import fold
from eventflow.domain.job_ids import new_job_id, partition_of
from eventflow.domain.reprocess import reusable_scene
from eventflow.domain.state import Job
from eventflow.domain.values import CaptionMode, ForkOrigin, ReusableScene, VideoRequest, Voice
from eventflow.log.event_store import Cause, JobEventStore, JobRecord
from eventflow.settings import Settings
from handlers.generation import control, model
from handlers.generation.job_adapter import brief_of
from handlers.generation.pipelines.registry import get_pipeline
from handlers.generation.reuse import scene_digest
from web.requests.input_fields import SOURCES
from web.requests.video_request import Limits, parse_request

#: Fields that are in a body as they are in the request.
_ALWAYS = (
    "pipeline",
    "pipeline_version",
    "thumbnail_generation",
    "s3_upload_enabled",
    "cleanup_local_files",
    "enable_streaming",
    "retry_attempts",
    "priority",
)


@frozen
class Fork:
    """A fork that could be made. `job_id` follows from the origin and the overrides: the same fork is the same job."""

    job_id: str
    owner: str
    request: VideoRequest
    origin: ForkOrigin


@frozen
class ScenePreview:
    index: int
    title: str
    reused: bool


class NoSuchVersion(ValueError):
    """The job has no such version; the message says which there are."""


def fork_of(history: Sequence[Envelope], version: int, overrides: Mapping[str, Any], limits: Limits) -> Fork:
    """The fork of the job with this (whole) history. `overrides` are fields as a POST body has them, `voice.rate` too.

    Raises NoSuchVersion, and Problem 422 for a request that a POST would refuse.
    """
    first, then, now = history[0], fold(e.event for e in history[:version]), fold(e.event for e in history)
    if not 1 <= version <= len(history) or then is None or now is None:
        raise NoSuchVersion(f"the job has the versions 1 to {len(history)}, not {version}")
    request = parse_request(_overridden(request_body(then.request), overrides), limits)
    scenes = _offered(then, now) if request.pipeline == then.request.pipeline else ()
    name = orjson.dumps([first.job_id, version, dict(overrides)], option=orjson.OPT_SORT_KEYS)
    job_id = new_job_id(partition_of(first.job_id), hashlib.sha256(name).hexdigest()[:32])
    return Fork(job_id, first.owner, request, ForkOrigin(first.job_id, version, scenes))


def request_body(request: VideoRequest) -> dict[str, Any]:
    """The POST body that gives `request`."""
    usual = VideoRequest("")
    body = {name: getattr(request, name) for name in _ALWAYS}
    body |= {"voice": _voice(request), "quality_levels": list(request.quality_levels)}
    body |= _source(request)
    for name in ("theme", "aspect", "music", "on_scene_failure"):
        if getattr(request, name) != getattr(usual, name) or name in request.insisted:
            body[name] = getattr(request, name)
    if request.captions is not usual.captions or "captions" in request.insisted:
        body["captions"] = {CaptionMode.TRACK: True, CaptionMode.NONE: False}.get(request.captions, "burned")
    if request.merge:
        body["merge"] = [asdict(field) for field in request.merge]
    if request.passthrough is not None:
        body["passthrough"] = orjson.loads(request.passthrough)
    return body


def _voice(request: VideoRequest) -> dict[str, Any] | None:
    """What was said of it: what was left out may be in the script's front matter."""
    if not request.narrated:
        return None
    usual, given = asdict(Voice()), asdict(request.voice)
    return {n: v for n, v in given.items() if v != usual[n] or f"voice.{n}" in request.insisted}


def _source(request: VideoRequest) -> dict[str, Any]:
    if request.scenes is not None:
        document = orjson.loads(request.scenes)
        return {name: document[name] for name in ("title", "scenes") if name in document}
    return {"script": request.script} if request.topic is None else {"topic": request.topic}


def _overridden(body: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    if any(name in SOURCES for name in overrides):  # another source takes the place of the old one
        body = {name: value for name, value in body.items() if name not in (*SOURCES, "title")}
    for name, value in overrides.items():
        outer, _, inner = name.partition(".")
        if not inner:
            body[outer] = value
        elif isinstance(body.get(outer), dict):
            body[outer] = {**body[outer], inner: value}
        else:
            body[name] = value  # no such object: the check of fields names it
    return body


def _offered(then: Job, now: Job) -> tuple[ReusableScene, ...]:
    """The scenes that were rendered then. What has been delivered since is taken from there: workspaces are cleared."""
    delivered = {scene.rendered: scene.uploaded for scene in (*then.scenes, *now.scenes) if scene.uploaded}
    scenes = [scene for each in then.scenes if (scene := each.reusable)]
    return tuple(evolve(s, rendered=delivered.get(s.rendered, s.rendered), uploaded=()) for s in scenes)


async def make(log: JobEventStore, fork: Fork, cause: Cause) -> tuple[JobRecord, bool]:
    """(the fork's job, whether it is new): made once, however often it is asked for."""
    record = await log.load(fork.job_id)
    if record is not None:
        return record, False
    await log.job_lists.enter(fork.job_id, fork.owner)
    try:
        record = await log.execute(fork.job_id, [RequestVideo(fork.request, fork.origin)], cause)
        new = True
    except JobExists:  # somebody was faster
        record, new = await log.load(fork.job_id), False
    if record is None:
        raise LookupError(f"the log has lost job {fork.job_id}")
    return record, new


def preview(fork: Fork, settings: Settings | None = None) -> list[ScenePreview]:
    """Which scenes would be reused; others are narrated to know where the next one starts. Blocking.

    Raises MediaError.
    """
    request, found, start = fork.request, list[ScenePreview](), 0
    job = Job(request, reusable=fork.origin.scenes)
    pipeline = get_pipeline(request.pipeline, settings)
    plan = pipeline.plan(brief_of(request), control.Control())
    with tempfile.TemporaryDirectory(prefix="eventflow-fork-") as folder:
        for draft in plan.scenes:
            scene = reusable_scene(job, scene_digest(pipeline, plan, draft), start)
            found.append(ScenePreview(draft.index, draft.title, scene is not None))
            task = model.NarrateTask(draft=draft, voice=plan.voice, style=plan.style)
            start += (scene or pipeline.narrate(task, Path(folder), control.Control())).duration_cells
    return found
