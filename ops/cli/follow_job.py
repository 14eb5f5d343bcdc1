"""A job's progress to its end, from the log itself: for commands that don't go through the web app."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ops.cli.common import CommandError
from ops.cli.display import display

if TYPE_CHECKING:
    from ops.compose import Parts


_POLL_S = 0.4


async def follow(parts: Parts, job_id: str) -> None:
    """Show the progress until the job ends. Raises CommandError if it isn't completed then."""
    from eventflow.domain.progress import progress
    from eventflow.domain.view import view_of
    from ops.cli.generate import why
    from web.readmodel.projection import fractions
    from web.readmodel.status_json import status_of

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
        raise CommandError(why(status))
