"""A job's status: the fold of its events without what no answer shows, and its JSON. No I/O.

Scripts, scene specifications and segments are left out of the fold: a cache of many jobs would be large with them.

"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from attrs import evolve as replace

from eventflow.domain import events as ev
from eventflow.domain.envelope import Envelope
from eventflow.domain.events import CostRecorded, WarningRaised
from eventflow.domain.state import Job, Publication, SceneStatus
from eventflow.domain.values import STAGE_OF_STEP, FileRef, SceneRendition, Stage
from eventflow.domain.view import JobView, view_of

_NO_FILE = FileRef(store="workspace", key="", sha256="", size_bytes=0, media_type="")
#: Stands for the renditions of an uploaded scene that is reused: the fold only needs to know that there are some.
_UPLOADED = (SceneRendition(quality="", width=0, height=0, decoder_config="", init=_NO_FILE, segments=()),)


class HistoryGap(Exception):
    """An event is missing between a view and the events that should continue it."""


def fold_on(view: JobView | None, envelopes: Sequence[Envelope]) -> JobView | None:
    """Continue `view` with `envelopes`, slimmed; those that it contains are skipped.

    Raises HistoryGap, IllegalTransition.
    """
    return view_of(_unseen(view.version if view else 0, envelopes), view)


def _unseen(version: int, envelopes: Iterable[Envelope]) -> Iterator[Envelope]:
    for envelope in envelopes:
        if envelope.seq <= version:
            continue
        version += 1
        if envelope.seq != version:
            raise HistoryGap(f"job {envelope.job_id}: event {envelope.seq} doesn't follow version {version - 1}")
        yield slim(envelope)


def slim(envelope: Envelope) -> Envelope:
    """The envelope without what no answer shows."""
    kept = slim_event(envelope.event)
    return envelope if kept is envelope.event else replace(envelope, event=kept)


def slim_event(event: ev.Event) -> ev.Event:
    """The event without what no answer shows."""
    if isinstance(event, ev.VideoRequested):
        return ev.VideoRequested(replace(event.request, script=""))  # without a fork's scenes either
    if isinstance(event, ev.ScenePlanned):
        return replace(event, spec=_NO_FILE, narration=None)
    if isinstance(event, ev.SceneReused):
        uploaded = event.uploaded and _UPLOADED
        return replace(event, spec=_NO_FILE, narration=None, renditions=(), uploaded=uploaded)
    if isinstance(event, ev.SceneRendered | ev.SceneUploaded):
        return replace(event, renditions=())
    return event


_RENDERED = (SceneStatus.RENDERED, SceneStatus.UPLOADED)


def render_status(view: JobView, progress: float, queue_position: int | None = None) -> bytes:
    """The body of `GET .../status`. `progress` in percent; `queue_position` of a job that waits for admission."""
    return orjson.dumps(status_of(view, progress, queue_position), option=orjson.OPT_UTC_Z)


def status_of(view: JobView, progress: float, queue_position: int | None = None) -> dict[str, Any]:
    """The members of the status; the OpenAPI document describes them (`JobStatus`)."""
    job = view.job
    return {
        "job_id": view.id,
        "version": view.version,
        "status": view.status,
        "queue_position": queue_position,
        "stage": view.stage,
        "progress": progress,
        "stages": [_stage(view, stage) for stage in Stage],
        "scenes": _scenes(job),
        "playable": view.playable,
        "degraded": list(job.degraded),
        "warnings": [_warning(warning) for warning in job.warnings],
        "costs": [_cost(cost) for cost in job.costs],
        "error": _error(job),
        "title": job.title,
        "pipeline": job.request.pipeline,
        "run": job.last_run,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
        "storage": storage_of(job.published) if job.published else None,
        "passthrough": passthrough_of(job),
    }


def _stage(view: JobView, stage: Stage) -> dict[str, Any]:
    shown = view.stages[stage]
    return {
        "stage": stage,
        "state": shown.state,
        "started_at": shown.started_at,
        "finished_at": shown.finished_at,
        "attempt": shown.attempt,
    }


def _scenes(job: Job) -> dict[str, int | None]:
    count = [scene.status for scene in job.scenes].count
    return {
        "total": job.scene_count,
        "rendered": sum(map(count, _RENDERED)),
        "uploaded": count(SceneStatus.UPLOADED),
        "skipped": count(SceneStatus.SKIPPED),
    }


def _warning(warning: WarningRaised) -> dict[str, Any]:
    return {
        "code": warning.code,
        "message": warning.message,
        "stage": STAGE_OF_STEP[warning.step],
        "scene": warning.scene,
    }


def _cost(cost: CostRecorded) -> dict[str, Any]:
    return {"service": cost.service, "amount": cost.amount, "currency": cost.currency, "scene": cost.scene}


def _error(job: Job) -> dict[str, Any] | None:
    failed = job.failure
    if failed is None:
        return None
    return {
        "category": failed.failure.category,
        "code": failed.failure.code,
        "message": failed.failure.message,
        "stage": STAGE_OF_STEP[failed.step],
        "scene": failed.scene,
        "attempts": failed.attempts,
    }


def storage_of(published: Publication) -> dict[str, Any]:
    """The role of the store that holds each file: "delivery", or "fallback" where the delivery store refused it."""
    return {
        "videos": {video.quality: video.file.store for video in published.videos},
        "thumbnails": [thumbnail.file.store for thumbnail in published.thumbnails],
        "captions": [captions.file.store for captions in published.captions],
        "companions": [file.store for file in published.companions.files],
    }


def passthrough_of(job: Job) -> Any:
    """The requester's own JSON, as it was sent; None without."""
    text = job.request.passthrough
    return None if text is None else orjson.loads(text)
