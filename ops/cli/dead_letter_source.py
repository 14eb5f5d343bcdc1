"""Where the `dead-letters` commands get stopped deliveries from: the log itself, or the HTTP API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from attrs import frozen

from eventflow.log.errors import DeadLetterMissing, DeadLetterRefused
from ops.cli.common import CommandError
from ops.cli.reach import Log, Service, open_api, open_log

if TYPE_CHECKING:
    from eventflow.log.dead_letters import DeadLetter, DeadLetters
    from eventflow.log.event_store import JobRecord
    from ops.cli.client import Api


_SUMMARY = ("id", "at", "group", "stream", "entry", "attempts", "job_id", "reason")


@frozen(kw_only=True)
class DeadLetterSummary:
    """A delivery that its group gave up: where it came from, how often it was tried, and the last error."""

    id: str
    at: str
    group: str
    topic: str
    stream: str
    entry: str
    attempts: int
    job_id: str | None
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the fields that `--json` shows."""
        return {name: getattr(self, name) for name in _SUMMARY}


@frozen(kw_only=True)
class DeadLetterDetail:
    """A stopped delivery, a sentence on its job, and its input: JSON, or a text for bytes that aren't JSON."""

    summary: DeadLetterSummary
    job: str
    input: Any
    cause: str
    stderr: str


class DeadLetterSource(Protocol):
    """Reads stopped deliveries, and redrives or drops them. Every method raises CommandError."""

    def all(self) -> AsyncIterator[DeadLetterSummary]:
        """Yield all, newest first."""

    async def show(self, entry_id: str) -> DeadLetterDetail:
        """Return one with its input, cause and job."""

    async def redrive(self, entry_id: str) -> str:
        """Send one to its group again; returns a line that says so."""

    async def drop(self, entry_id: str) -> str:
        """Remove one, so that a job that waits for it fails; returns a line that says so."""


@asynccontextmanager
async def open_dead_letters(way: Service | Log) -> AsyncIterator[DeadLetterSource]:
    """Open the source that `way` leads to."""
    from eventflow.log.dead_letters import DeadLetters

    if isinstance(way, Service):
        async with open_api(way) as api:
            yield DeadLettersOverHttp(api)
    else:
        async with open_log(way.data_dir) as parts:
            yield DeadLettersInLog(DeadLetters(parts.log))


@frozen
class DeadLettersOverHttp:
    """Asks the service, with the key of an admin."""

    api: Api

    async def all(self) -> AsyncIterator[DeadLetterSummary]:
        """See DeadLetterSource."""
        async for entry in self.api.dead_letters():
            yield _of_json(entry)

    async def show(self, entry_id: str) -> DeadLetterDetail:
        """See DeadLetterSource."""
        found = await self.api.dead_letter(entry_id)
        summary, job = _of_json(found), found["job"]
        shown = f"{summary.job_id}: not in this log" if summary.job_id else "unknown"
        return DeadLetterDetail(
            summary=summary,
            job=shown if job is None else f"{summary.job_id}: {job['phase']}, version {job['version']}",
            input=found["input"] if found["input"] is not None else found["input_text"] or "none",
            cause=found["cause"],
            stderr=found["stderr"] or "",
        )

    async def redrive(self, entry_id: str) -> str:
        """See DeadLetterSource."""
        return f"redriven {(await self.api.redrive(entry_id))['id']}"

    async def drop(self, entry_id: str) -> str:
        """See DeadLetterSource."""
        done = await self.api.drop(entry_id)
        job = done["job"]
        shown = f"; job {done['job_id']}: {job['phase']}, version {job['version']}" if job else ""
        return f"dropped {done['id']}{shown}"


def _of_json(entry: dict[str, Any]) -> DeadLetterSummary:
    return DeadLetterSummary(topic=entry["topic"] or "", **{name: entry[name] for name in _SUMMARY})


@frozen
class DeadLettersInLog:
    """Reads and writes the log."""

    letters: DeadLetters

    async def all(self) -> AsyncIterator[DeadLetterSummary]:
        """See DeadLetterSource."""
        async for entry in self.letters.all():
            yield _of_entry(entry)

    async def show(self, entry_id: str) -> DeadLetterDetail:
        """See DeadLetterSource."""
        try:
            entry = await self.letters.find(entry_id)
        except DeadLetterMissing as error:
            raise _missing(error) from error
        try:
            job = _job(entry, await self.letters.job_of(entry))
        except DeadLetterRefused as error:
            job = str(error)
        return DeadLetterDetail(
            summary=_of_entry(entry), job=job, input=_input(entry), cause=entry.cause, stderr=entry.stderr
        )

    async def redrive(self, entry_id: str) -> str:
        """See DeadLetterSource."""
        try:
            entry = await self.letters.redrive(entry_id)
        except DeadLetterMissing as error:
            raise _missing(error) from error
        except DeadLetterRefused as error:
            raise CommandError(str(error)) from error
        return f"redriven {entry_id} to group {entry.group}"

    async def drop(self, entry_id: str) -> str:
        """See DeadLetterSource."""
        from eventflow.telemetry.causes import new_cause

        try:
            entry, record = await self.letters.drop(entry_id, new_cause("operator", "cli"))
        except DeadLetterMissing as error:
            raise _missing(error) from error
        except DeadLetterRefused as error:
            raise CommandError(str(error)) from error
        return f"dropped {entry_id}; job {_job(entry, record)}"


def _of_entry(entry: DeadLetter) -> DeadLetterSummary:
    return DeadLetterSummary(
        id=entry.id,
        at=entry.at,
        group=entry.group,
        topic=entry.topic or "",
        stream=entry.stream,
        entry=entry.source_entry,
        attempts=entry.attempts,
        job_id=entry.job_id or None,
        reason=entry.reason,
    )


def _input(entry: DeadLetter) -> Any:
    """Return the event as JSON, or its bytes as a text where it isn't JSON."""
    try:
        return orjson.loads(entry.payload)
    except orjson.JSONDecodeError:
        return repr(entry.payload)[2:-1] if entry.payload else "none"


def _job(entry: DeadLetter, record: JobRecord | None) -> str:
    if record is None:
        return f"{entry.job_id}: not in this log" if entry.job_id else "unknown"
    return f"{record.id}: {record.job.phase.value}, version {record.version}"


def _missing(error: DeadLetterMissing) -> CommandError:
    return CommandError(f"{error}. `eventflow dead-letters list` shows them.")
