"""The status of a job as JSON."""

from __future__ import annotations

from typing import Any

import orjson

from eventflow.domain.events import CostRecorded, WarningRaised
from eventflow.domain.state import Job, Publication, SceneStatus
from eventflow.domain.values import STAGE_OF_STEP, Stage
from eventflow.domain.view import JobView

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
