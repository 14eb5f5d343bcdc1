"""Dead letters: deliveries that no worker could handle, kept until an operator redrives or drops them.

A dead letter is named `<partition>-<entry id>`, such as `00-1760000000000-0`. Lists are ordered by entry id and
partition, so that the last name of a page is the cursor to the next one.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import orjson
from attrs import frozen

from eventflow.domain.commands import ConfirmCancellation, FailStep
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import is_job_id
from eventflow.domain.state import Phase
from eventflow.domain.topics import GROUP_TOPICS, LANES, TOPIC_OF, Topic
from eventflow.domain.values import Failure, FailureCategory, Work
from eventflow.domain.work import still_due, work_of
from eventflow.log.codec import Codec, DecodeError
from eventflow.log.commit import NewDeadLetter
from eventflow.log.connection import load_script
from eventflow.log.consumer import Delivery
from eventflow.log.errors import DeadLetterMissing, DeadLetterRefused
from eventflow.log.event_store import Cause, JobEventStore, JobRecord
from eventflow.log.keys import PartitionKeys

#: Most characters that are kept of a delivery's error, its traceback, and the stderr of a program.
REASON_CHARS, CAUSE_CHARS, STDERR_CHARS = 2_000, 8_000, 8_000
_ID = re.compile(r"([0-9a-f]{2})-(\d{1,20})-(\d{1,20})")
_PAGE = 100


def reason_of(error: BaseException) -> str:
    """The error as one text, at most `REASON_CHARS` long, without lone surrogates."""
    return f"{type(error).__name__}: {error}"[:REASON_CHARS].encode(errors="replace").decode()


def dead_letter_of(delivery: Delivery, error: BaseException, at: datetime) -> NewDeadLetter:
    """The dead letter of `delivery`: its payload and origin, so that it can be redriven, and the error."""
    claim = delivery.claim
    cause = "".join(traceback.format_exception(error))[-CAUSE_CHARS:]
    fields: tuple[tuple[str, str | bytes], ...] = (
        ("e", delivery.payload or b""),
        ("stream", claim.stream),
        ("group", claim.group),
        ("entry", claim.entry_id),
        ("count", str(claim.count)),
        ("at", at.isoformat()),
        ("reason", reason_of(error).encode()),
        ("cause", cause.encode(errors="replace")),
        ("stderr", _stderr_of(error).encode(errors="replace")),
    )
    return NewDeadLetter(fields)


def _stderr_of(error: BaseException | None) -> str:
    """The end of a program's stderr, from the first error of the chain that has one."""
    while error is not None:
        text = getattr(error, "stderr", None)
        if text and isinstance(text, str | bytes):
            return (text if isinstance(text, str) else text.decode(errors="replace"))[-STDERR_CHARS:]
        error = error.__cause__ or error.__context__
    return ""


def waiting_work(group: str, envelope: Envelope) -> Work | None:
    """The work of the job that waits for this delivery to `group`; None where the job doesn't wait for it."""
    if TOPIC_OF.get(type(envelope.event)) not in GROUP_TOPICS.get(group, ()):
        return None  # a group that was added later: its failures don't concern the job
    return work_of(envelope.event)


@frozen(kw_only=True)
class DeadLetter:
    """One dead letter.

    `envelope` is None where this code can't decode the payload; `problem` says why then.

    `attempts` is its delivery count, `at` an RFC 3339 time; `job_id` is empty where the payload names no job.
    """

    keys: PartitionKeys
    entry_id: str
    payload: bytes
    stream: str
    group: str
    source_entry: str
    attempts: int
    at: str
    reason: str
    cause: str
    stderr: str
    envelope: Envelope | None
    problem: str
    job_id: str

    @property
    def id(self) -> str:
        """Its name, `<partition>-<entry id>`."""
        return f"{self.keys.partition:02x}-{self.entry_id}"

    @property
    def topic(self) -> Topic | None:
        """Its topic: by its stream's name, or by its event where the stream is of no known topic."""
        for topic in Topic:
            if self.stream in (self.keys.retry(self.group, topic), *(self.keys.topic(topic, lane) for lane in LANES)):
                return topic
        return TOPIC_OF.get(type(self.envelope.event)) if self.envelope else None

    @property
    def work(self) -> Work | None:
        """The work of the job that waits for it; None if there is none."""
        return waiting_work(self.group, self.envelope) if self.envelope else None


class DeadLetters:
    """The dead letters of all partitions. Methods raise connection errors."""

    def __init__(self, log: JobEventStore) -> None:
        self._log, self._redis = log, log.redis
        self._redrive = load_script(log.redis, "redrive")

    async def page(self, limit: int, cursor: str = "") -> tuple[list[DeadLetter], str]:
        """Up to `limit` dead letters, newest first, after the one named by `cursor`, and the next cursor.

        That is "" at the end.

        Raises ValueError for a text that isn't a cursor.
        """
        found: list[tuple[int, int, int, DeadLetter]] = []
        for keys in self._log.keyspace.all:
            newest = _before(keys.partition, cursor) if cursor else "+"
            rows: Any = await self._redis.xrevrange(keys.dead_letters, max=newest, count=limit + 1) if newest else []
            for raw_id, fields in rows:
                entry = _entry(keys, raw_id.decode(), fields, self._log.codec)
                ms, _, number = entry.entry_id.partition("-")
                found.append((int(ms), int(number), keys.partition, entry))
        found.sort(key=lambda row: row[:3], reverse=True)
        entries = [row[3] for row in found[:limit]]
        return entries, entries[-1].id if len(found) > limit else ""

    async def all(self) -> AsyncIterator[DeadLetter]:
        """Every dead letter, newest first, without those that are added meanwhile."""
        cursor = ""
        while True:
            entries, cursor = await self.page(_PAGE, cursor)
            for entry in entries:
                yield entry
            if not cursor:
                return

    async def find(self, name: str) -> DeadLetter:
        """The dead letter of this name. Raises DeadLetterMissing."""
        try:
            partition, ms, number = _position(name)
        except ValueError:
            raise DeadLetterMissing(name) from None
        keys, entry_id = self._log.keyspace.partition(partition), f"{ms}-{number}"
        rows: Any = await self._redis.xrange(keys.dead_letters, min=entry_id, max=entry_id)
        if not rows:
            raise DeadLetterMissing(name)
        return _entry(keys, entry_id, rows[0][1], self._log.codec)

    async def job_of(self, entry: DeadLetter) -> JobRecord | None:
        """The job of `entry`, None if there is none.

        Raises DeadLetterRefused where its history can't be read here.
        """
        if not entry.job_id:
            return None
        try:
            return await self._log.load(entry.job_id)
        except (DecodeError, DomainError, LookupError) as error:
            raise DeadLetterRefused(
                f"the history of job {entry.job_id} can't be read here ({error}); use the version that wrote it"
            ) from error

    async def redrive(self, name: str) -> DeadLetter:
        """Deliver it to its group again, and to no other; once, however often this is called.

        Raises DeadLetterMissing, also for one that was redriven or dropped before; DeadLetterRefused where it can't be
        delivered.
        """
        entry = await self.find(name)
        if entry.topic is None:
            raise DeadLetterRefused(
                f"{name} can't be redriven: its stream {entry.stream} is of no topic that this version knows, and its "
                "payload can't be decoded. Redrive it with the version that wrote it, or drop it."
            )
        if not entry.payload:
            raise DeadLetterRefused(f"{name} can't be redriven: it holds no event. Drop it.")
        target = entry.keys.retry(entry.group, entry.topic)
        if not await self._redrive(keys=[entry.keys.dead_letters, target], args=[entry.entry_id]):
            raise DeadLetterMissing(name)
        return entry

    async def drop(self, name: str, cause: Cause) -> tuple[DeadLetter, JobRecord | None]:
        """Delete it; returns it and its job. Safe to repeat: the dead letter is deleted last.

        The step of a job that waits for it fails for good, which fails the job once no other scene is left to finish.
        Raises DeadLetterMissing; DeadLetterRefused where a job might wait for it and its step can't be failed.
        """
        entry = await self.find(name)
        record = await self.job_of(entry)
        if record is not None and not record.job.finished:
            record = await self._fail_step(entry, record, cause)
        await self._redis.xdel(entry.keys.dead_letters, entry.entry_id)
        return entry, record

    async def _fail_step(self, entry: DeadLetter, record: JobRecord, cause: Cause) -> JobRecord | None:
        work, job = entry.work, record.job
        if entry.envelope is None and job.phase is not Phase.CANCELLING:
            raise DeadLetterRefused(
                f"job {record.id} isn't finished and may wait for {entry.id}, whose payload can't be decoded. "
                "Cancel the job first, then drop it."
            )
        if job.phase is not Phase.CANCELLING and (work is None or not still_due(job, work)):
            return record
        message = f"its dead letter was dropped: {entry.reason}"[:REASON_CHARS]
        failure = Failure(FailureCategory.INTERNAL, "parked_dropped", message)
        failed = (
            [FailStep(step=work.step, scene=work.scene, run=work.run, failure=failure, retry_at=None)] if work else []
        )
        return await self._log.execute(record.id, [*failed, ConfirmCancellation()], cause)


def _position(name: str) -> tuple[int, int, int]:
    """(partition, ms, number) of a name. Raises ValueError."""
    found = _ID.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} isn't the name of a dead letter")
    position = int(found[1], 16), int(found[2]), int(found[3])
    if max(position) >= 2**64 or position[1:] == (0, 0):
        raise ValueError(f"{name!r} isn't the name of a dead letter")
    return position


def _before(partition: int, cursor: str) -> str:
    """The newest entry id of `partition` that comes after `cursor` in a list, newest first.

    Raises ValueError.
    """
    last, ms, number = _position(cursor)
    return f"{ms}-{number}" if partition < last else f"({ms}-{number}"


def _entry(keys: PartitionKeys, entry_id: str, fields: dict[bytes, bytes], codec: Codec) -> DeadLetter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode(errors="replace")

    payload = fields.get(b"e", b"")
    try:
        envelope, problem = codec.decode(payload), ""
    except DecodeError as error:
        envelope, problem = None, str(error)
    count = text(b"count")
    return DeadLetter(
        keys=keys,
        entry_id=entry_id,
        payload=payload,
        stream=text(b"stream"),
        group=text(b"group"),
        source_entry=text(b"entry"),
        attempts=int(count) if count.isdigit() else 0,
        at=text(b"at"),
        reason=text(b"reason"),
        cause=text(b"cause"),
        stderr=text(b"stderr"),
        envelope=envelope,
        problem=problem,
        job_id=envelope.job_id if envelope else _subject(payload),
    )


def _subject(payload: bytes) -> str:
    """The job id in a payload that can't be decoded as a whole; "" where there is none."""
    try:
        body = orjson.loads(payload)
        subject = body.get("subject") if isinstance(body, dict) else None
    except orjson.JSONDecodeError:
        return ""
    return subject if isinstance(subject, str) and is_job_id(subject) else ""
