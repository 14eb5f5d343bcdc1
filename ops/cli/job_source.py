"""Where the `jobs` commands get jobs from: the log itself, or the HTTP API. Both give the same values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from attrs import frozen

from ops.cli.common import CommandError
from ops.cli.reach import Log, Service, open_api, open_log

if TYPE_CHECKING:
    from eventflow.domain.commands import Command
    from eventflow.log.job_lists import Cursor, Page
    from ops.cli.client import Api
    from ops.compose import Parts


_PAGE = 200


@frozen(kw_only=True)
class JobRow:
    """A job in the list; progress in percent."""

    id: str
    owner: str
    status: str
    stage: str
    progress: float
    version: int
    created_at: str
    title: str


class JobSource(Protocol):
    """Reads jobs and gives them commands. Every method raises CommandError."""

    async def list(self, limit: int, owner: str | None) -> Sequence[JobRow]:
        """Return the newest jobs, newest first."""

    async def status(self, job_id: str) -> dict[str, Any]:
        """Return the job's status, as the API shows it."""

    async def events(self, job_id: str) -> Sequence[dict[str, Any]]:
        """Return the job's events as stored, oldest first."""

    async def cancel(self, job_id: str) -> int:
        """Request the job's cancellation; returns its version."""

    async def delete(self, job_id: str) -> int:
        """Request the deletion of a finished job's files; returns its version."""


@asynccontextmanager
async def open_jobs(way: Service | Log) -> AsyncIterator[JobSource]:
    """Open the source of jobs that `way` leads to."""
    if isinstance(way, Service):
        async with open_api(way) as api:
            yield JobsOverHttp(api)
    else:
        async with open_log(way.data_dir) as parts:
            yield JobsInLog(parts)


@frozen
class JobsOverHttp:
    """The jobs of the API key's owner."""

    api: Api

    async def list(self, limit: int, owner: str | None) -> Sequence[JobRow]:
        """See JobSource."""
        return [
            JobRow(
                id=job["job_id"],
                owner=job["owner"],
                status=job["status"],
                stage=(job["stage"] or "") if job["status"] == "processing" else "",
                progress=job["progress"],
                version=job["version"],
                created_at=f"{job['created_at'][:19]}Z",
                title=job["title"],
            )
            for job in await self.api.jobs(limit, owner)
        ]

    async def status(self, job_id: str) -> dict[str, Any]:
        """See JobSource."""
        return await self.api.status(job_id)

    async def events(self, job_id: str) -> Sequence[dict[str, Any]]:
        """See JobSource."""
        found = await self.api.events(job_id)
        return [{name: value for name, value in event.items() if name != "seq"} for event in found]

    async def cancel(self, job_id: str) -> int:
        """See JobSource."""
        return int((await self.api.cancel(job_id))["version"])

    async def delete(self, job_id: str) -> int:
        """See JobSource."""
        return int((await self.api.delete(job_id))["version"])


@frozen
class JobsInLog:
    """The jobs of all owners."""

    parts: Parts

    async def list(self, limit: int, owner: str | None) -> Sequence[JobRow]:
        """See JobSource."""
        rows: list[JobRow] = []
        cursor: Cursor | None = None
        while len(rows) < limit:
            page = await self.parts.log.job_lists.read(owner, cursor, min(_PAGE, limit - len(rows)))
            rows += await _rows(self.parts, page)
            cursor = page.end
            if not page.more:
                break
        return rows

    async def status(self, job_id: str) -> dict[str, Any]:
        """See JobSource."""
        from eventflow.domain.progress import progress
        from eventflow.domain.view import view_of
        from web.readmodel.job_status import status_of
        from web.readmodel.projection import fractions

        view = view_of(await self.parts.log.history(job_id))
        if view is None:
            raise missing_job(job_id)
        live: Any = await self.parts.redis.hgetall(self.parts.keyspace.of_job(job_id).live(job_id))
        status = status_of(view, progress(view.job, fractions(live)))
        found: dict[str, Any] = orjson.loads(orjson.dumps(status, option=orjson.OPT_UTC_Z))
        return found

    async def events(self, job_id: str) -> Sequence[dict[str, Any]]:
        """See JobSource."""
        envelopes = await self.parts.log.history(job_id)
        if not envelopes:
            raise missing_job(job_id)
        return [orjson.loads(self.parts.log.codec.encode(envelope)) for envelope in envelopes]

    async def cancel(self, job_id: str) -> int:
        """See JobSource."""
        from eventflow.domain.commands import RequestCancellation

        return await self._execute(job_id, RequestCancellation("requested by the operator"))

    async def delete(self, job_id: str) -> int:
        """See JobSource."""
        from eventflow.domain.commands import RequestDeletion

        return await self._execute(job_id, RequestDeletion("requested by the operator"))

    async def _execute(self, job_id: str, command: Command) -> int:
        """Give the job a command; returns its version afterwards."""
        from eventflow.domain.errors import AlreadyFinished, JobGone, NotFinished

        if await self.parts.log.load(job_id) is None:
            raise missing_job(job_id)
        from eventflow.telemetry.causes import new_cause

        try:
            record = await self.parts.log.execute(job_id, [command], new_cause("operator", "cli"))
        except AlreadyFinished as error:
            raise CommandError(f"Job {job_id} has ended already; there is nothing to cancel.") from error
        except JobGone as error:
            raise CommandError(f"Job {job_id} is deleted.") from error
        except NotFinished as error:
            raise CommandError(f"Job {job_id}: {error}. `eventflow jobs cancel {job_id}` ends it.") from error
        return record.version if record else 0


async def _rows(parts: Parts, page: Page) -> list[JobRow]:
    from eventflow.domain.progress import progress
    from web.readmodel.job_status import fold_on
    from web.readmodel.projection import Wanted, read_jobs

    readings = await read_jobs(parts.log, [Wanted(entry.job_id, 0) for entry in page.entries], live=True)
    rows = []
    for reading in readings:
        view = fold_on(None, reading.envelopes)
        if view is None:
            continue
        rows.append(
            JobRow(
                id=view.id,
                owner=view.owner,
                status=view.status.value,
                stage=view.stage.value if view.stage and view.status == "processing" else "",
                progress=progress(view.job, reading.live),
                version=view.version,
                created_at=view.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                title=view.job.title,
            )
        )
    return rows


def missing_job(job_id: str) -> CommandError:
    """Return the error of a job that the log doesn't know."""
    return CommandError(f"unknown job {job_id}; `eventflow jobs list` shows the jobs of this log.")
