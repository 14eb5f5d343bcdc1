"""Forks: new jobs from the request of another job as of a version, which reuse the scenes that stay the same.

The one module of this room that uses the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from attrs import evolve, frozen

from eventflow.domain.commands import RequestVideo
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import JobExists
from eventflow.domain.evolve import fold
from eventflow.domain.job_ids import new_job_id, partition_of
from eventflow.domain.state import Job
from eventflow.domain.values import ForkOrigin, ReusableScene, VideoRequest
from eventflow.log.event_store import Cause, JobEventStore, JobRecord
from eventflow.requests.video_request import SOURCES, RequestReader


@frozen(kw_only=True)
class Fork:
    """A fork to be created. Its `job_id` is a digest of origin and overrides, so that the same fork is the same job."""

    job_id: str
    owner: str
    request: VideoRequest
    origin: ForkOrigin


class UnknownVersion(ValueError):
    """A version that the job doesn't have; the message names those it has."""


def fork_of(history: Sequence[Envelope], version: int, overrides: Mapping[str, Any], reader: RequestReader) -> Fork:
    """The fork at `version` (from 1) of the job with this whole history.

    `overrides` are fields of a POST body; `voice.rate` names a member. Raises UnknownVersion, RequestInvalid.
    """
    first, then, now = history[0], fold(e.event for e in history[:version]), fold(e.event for e in history)
    if not 1 <= version <= len(history) or then is None or now is None:
        raise UnknownVersion(f"the job has the versions 1 to {len(history)}, not {version}")
    request = reader.read(_overridden(reader.body_of(then.request), overrides))
    scenes = _reusable(then, now) if request.pipeline == then.request.pipeline else ()
    name = orjson.dumps([first.job_id, version, dict(overrides)], option=orjson.OPT_SORT_KEYS)
    job_id = new_job_id(partition_of(first.job_id), hashlib.sha256(name).hexdigest()[:32])
    origin = ForkOrigin(first.job_id, version, scenes)
    return Fork(job_id=job_id, owner=first.owner, request=request, origin=origin)


def _overridden(body: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The body with fields replaced; a new source takes the place of the old one and its title."""
    if any(name in SOURCES for name in overrides):
        body = {name: value for name, value in body.items() if name not in (*SOURCES, "title")}
    for name, value in overrides.items():
        outer, _, inner = name.partition(".")
        if not inner:
            body[outer] = value
        elif isinstance(body.get(outer), dict):
            body[outer] = {**body[outer], inner: value}
        else:
            body[name] = value  # not an object: reading refuses the field by this name
    return body


def _reusable(then: Job, now: Job) -> tuple[ReusableScene, ...]:
    """The scenes rendered by then. Files delivered since are taken from the store, as workspaces are cleared."""
    delivered = {scene.rendered: scene.uploaded for scene in (*then.scenes, *now.scenes) if scene.uploaded}
    scenes = [scene for each in then.scenes if (scene := each.reusable)]
    return tuple(evolve(s, rendered=delivered.get(s.rendered, s.rendered), uploaded=()) for s in scenes)


async def create_fork(log: JobEventStore, fork: Fork, cause: Cause) -> tuple[JobRecord, bool]:
    """(the fork's job, whether it is new). Created once, however often this is called."""
    record = await log.load(fork.job_id)
    if record is not None:
        return record, False
    await log.job_lists.enter(fork.job_id, fork.owner)
    try:
        record = await log.execute(fork.job_id, [RequestVideo(fork.request, fork.origin)], cause)
        new = True
    except JobExists:  # another caller was faster
        record, new = await log.load(fork.job_id), False
    if record is None:
        raise LookupError(f"the log has lost job {fork.job_id}")
    return record, new
