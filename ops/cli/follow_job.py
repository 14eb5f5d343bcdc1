"""A job's live progress until it ends: over HTTP, or from the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ops.cli.common import CommandError
from ops.cli.display import Display, display
from ops.cli.outcome import outcome

if TYPE_CHECKING:
    from ops.cli.client import Api
    from ops.compose import Parts


_POLL_S = 0.4


async def follow_over_http(api: Api, accepted: Mapping[str, Any], shown: Display) -> dict[str, Any]:
    """Show the progress of an accepted job until it ends, and return its last status.

    Raises CommandError if it isn't completed then.
    """
    status: dict[str, Any] = {}
    async for status in api.watch(accepted["job_id"], accepted["version"]):
        shown.show(status)
    if status["status"] != "completed":
        raise CommandError(outcome(status))
    return status


async def follow_in_log(parts: Parts, job_id: str) -> None:
    """Show the progress of a job until it ends. Raises CommandError if it isn't completed then."""
    from eventflow.domain.progress import progress
    from eventflow.domain.view import view_of
    from web.readmodel.job_status import status_of
    from web.readmodel.projection import fractions

    view = None
    with display() as shown:
        while True:
            view = view_of(await parts.log.history(job_id, after=view.version if view else 0), view)
            if view is None:
                raise CommandError(f"Job {job_id} is no longer in this log.")
            live: Any = await parts.redis.hgetall(parts.keyspace.of_job(job_id).live(job_id))
            status = status_of(view, progress(view.job, fractions(live)))
            shown.show(status)
            if view.job.finished:
                break
            await asyncio.sleep(_POLL_S)
    if status["status"] != "completed":
        raise CommandError(outcome(status))
