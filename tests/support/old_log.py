"""A whole log as lines of JSON: written once by each version of the code, and loaded by all that come later.

`python -m tests.support.old_log FILE.jsonl.gz` writes one with the present code: jobs in every state, with retries,
failures, cancellations and a reprocessing; unfinished ones are pending with a worker that is gone, put off, or
undelivered. A file that was written is never changed; a new version of an event's payload gets a new file.

A line is a key with all that is in it, or, under "served", the status that was answered for a finished job.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.envelope import Envelope
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.progress import progress
from eventflow.domain.state import Job
from eventflow.domain.topics import GROUP_TOPICS, TOPIC_OF
from eventflow.domain.values import FailureCategory, Step, VideoRequest, Work
from eventflow.domain.view import view_of
from eventflow.domain.work import still_due, work_of
from eventflow.log.codec import Codec
from eventflow.log.commit import Delayed
from eventflow.log.connection import connect
from eventflow.log.consumer import Delivery, GroupMember
from eventflow.log.event_store import Cause, JobEventStore, Settlement
from eventflow.log.keys import Keyspace
from tests.support import stories as s
from tests.support.runtime import RawRedis
from tests.support.valkey import running_server
from web.readmodel.job_status import status_of

PREFIX = "ef"
SCENES = 3
FINISHED = ("plain", "retried", "degraded", "reprocessed", "scene failed", "wrong input", "cancelled", "cancelled late")
#: The worker that held their deliveries is gone; "waiting" was never delivered, "put off" waits for its retry.
UNFINISHED = ("planning", "rendering", "assembling", "uploading", "extracting", "cancelling", "waiting", "put off")
_START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_TRACE = f"00-{'4' * 32}-{'5' * 16}-01"
_HELD = {
    "rendering": ev.ScenePlanned,
    "assembling": ev.ScenesCompleted,
    "uploading": ev.VideoGenerated,
    "extracting": ev.VideoUploaded,
    "cancelling": ev.ScenePlanned,
}


def job_of(role: str) -> str:
    return new_job_id(0, hashlib.md5(role.encode()).hexdigest())


def work(event: ev.Event, job: Job) -> list[Command]:
    """What handlers that do no real work return."""
    asked = work_of(event)
    if asked is None or not still_due(job, asked):
        return []
    run, scene = asked.run, asked.scene or 0
    planning: list[Command] = [
        cmd.StartPlanning(run),
        s.announce(SCENES, run),
        *(s.plan_scene(i, run) for i in range(SCENES)),
    ]
    by_step: dict[Step, list[Command]] = {
        Step.PLAN: planning,
        Step.RENDER_SCENE: [s.finish_scene(scene, run)],
        Step.UPLOAD_SCENE: [s.finish_scene_upload(scene, run)],
        Step.ASSEMBLE: [s.finish_video(run)],
        Step.UPLOAD_VIDEO: [s.finish_upload(run)],
        Step.EXTRACT_METADATA: [s.publish(run)],
    }
    return by_step[asked.step]


@define
class _Recorder:
    """A worker of all groups that does with each job what its role says."""

    log: JobEventStore
    members: list[GroupMember]
    clock: Iterator[datetime]
    roles: dict[str, str] = field(factory=dict)

    async def submit(self, role: str) -> None:
        request = VideoRequest(script=f"# A job that is {role}", passthrough='{"order":7}' if role == "plain" else None)
        self.roles[job_of(role)] = role
        await self.log.create(
            job_of(role),
            request,
            Cause(owner="alice", correlation_id=f"request-{role}", causation_id="", traceparent=_TRACE),
        )

    async def do(self, role: str, *commands: Command) -> None:
        await self.log.execute(
            job_of(role), commands, Cause(owner="alice", correlation_id="operator", causation_id="", traceparent=_TRACE)
        )

    async def drain(self) -> None:
        """Handle what there is until there is nothing new."""
        busy = True
        while busy:
            busy = False
            for member in self.members:
                await member.move_due(int(next(self.clock).timestamp() * 1000))
                for delivery in await member.read(100):
                    busy = True
                    await self._handle(member, delivery)

    async def _handle(self, member: GroupMember, delivery: Delivery) -> None:
        envelope = self.log.codec.decode(delivery.payload or b"")
        role = self.roles[envelope.job_id]
        record = await self.log.load(envelope.job_id)
        assert record is not None
        cause = Cause(
            owner="alice", correlation_id=envelope.correlation_id, causation_id=envelope.id, traceparent=_TRACE
        )
        if role == "planning":  # some of it is committed under the lease
            begun = work(envelope.event, record.job)[:3]
            await self.log.execute(envelope.job_id, begun, cause, settlement=Settlement(claim=delivery.claim))
            return
        if isinstance(envelope.event, _HELD.get(role, ())) and getattr(envelope.event, "scene", 2) == 2:
            return
        commands = self._commands(role, envelope, record.job)
        settlement = Settlement(
            claim=delivery.claim,
            on_claim="discard" if delivery.retried else "settle",
            retry=lambda events: self._delayed(member, envelope, events),
        )
        await self.log.execute(envelope.job_id, [*commands, cmd.ConfirmCancellation()], cause, settlement=settlement)

    def _commands(self, role: str, envelope: Envelope, job: Job) -> Sequence[Command]:
        asked = work_of(envelope.event)
        if asked is None or not still_due(job, asked):
            return []
        failed = job.failed_attempts(asked.step, asked.scene, asked.run)
        second_scene = asked.step is Step.RENDER_SCENE and asked.scene == 1
        if role == "wrong input":
            return [self._failure(asked, FailureCategory.INITIALIZATION)]
        if second_scene and (role == "scene failed" or (role in ("retried", "put off") and not failed)):
            later = timedelta(hours=1) if role == "put off" else timedelta()
            return [self._failure(asked, FailureCategory.GENERATION, later)]
        notes: list[Command] = []
        if role == "degraded" and asked.step is Step.UPLOAD_VIDEO:
            notes.append(
                cmd.RecordFallback(
                    run=asked.run,
                    step=asked.step,
                    scene=None,
                    key="k.mp4",
                    reason="storage_unavailable: no answer",
                    retry_count=3,
                )
            )
        if role == "degraded" and asked.step is Step.ASSEMBLE:
            notes.append(cmd.RecordDegradation(asked.run, asked.step, "no thumbnails"))
        return [*notes, *work(envelope.event, job)]

    def _failure(self, asked: Work, category: FailureCategory, later: timedelta = timedelta()) -> cmd.FailStep:
        return cmd.FailStep(
            step=asked.step,
            scene=asked.scene,
            run=asked.run,
            failure=s.failure(category),
            retry_at=next(self.clock) + later,
        )

    def _delayed(self, member: GroupMember, envelope: Envelope, events: Sequence[ev.Event]) -> tuple[Delayed, ...]:
        due = [e.retry_at for e in events if isinstance(e, ev.StepFailed) and e.retry_at]
        target = member.keys.retry(member.group, TOPIC_OF[type(envelope.event)])
        return tuple(
            Delayed(int(at.timestamp() * 1000), target, self.log.codec.encode(envelope).decode()) for at in due
        )


async def record(url: str) -> list[dict[str, Any]]:
    """Live through it all on the empty server at `url`; returns the lines."""
    redis, blocking = connect(url), connect(url, blocking=True)
    keyspace = Keyspace(PREFIX)
    clock = (_START + timedelta(seconds=n) for n in range(10**6))
    log = JobEventStore(redis, codec=Codec(), keyspace=keyspace, clock=lambda: next(clock))
    keys = keyspace.partition(0)
    members = [
        GroupMember(blocking=blocking, redis=redis, keys=keys, group=g, topics=topics, consumer="gone")
        for g, topics in GROUP_TOPICS.items()
    ]
    for member in members:
        await member.ensure()
    recorder = _Recorder(log, members, clock)
    for role in (*FINISHED, *UNFINISHED):
        if role not in ("waiting", "cancelled late"):
            await recorder.submit(role)
    await recorder.do("cancelled", cmd.RequestCancellation("changed my mind"))
    await recorder.drain()
    await recorder.do("cancelling", cmd.RequestCancellation("changed my mind"))
    await recorder.submit("cancelled late")
    await recorder.do("cancelled late", cmd.StartPlanning(1), cmd.RequestCancellation("too long"))
    await recorder.do("reprocessed", cmd.RequestReprocess())
    await recorder.drain()
    await recorder.submit("waiting")
    await redis.xadd(
        keys.dead_letters, {"e": "no event", "stream": keys.feed, "group": "upload", "reason": "DecodeError"}
    )
    lines = [await _key(redis, key.decode()) for key in sorted(await redis.keys(f"{PREFIX}:*"))]
    for role in FINISHED:
        view = view_of(await log.history(job_of(role)))
        assert view is not None
        assert view.job.finished, role
        lines.append({"served": status_of(view, round(progress(view.job, {}), 1))})
    await blocking.aclose()
    await redis.aclose()
    return lines


async def _key(redis: RawRedis, name: str) -> dict[str, Any]:
    kind = (await redis.type(name)).decode()
    if kind == "hash":
        return {"hash": name, "fields": _texts(await redis.hgetall(name)), "seconds": await redis.ttl(name)}
    if kind == "zset":
        members: Any = await redis.zrange(name, 0, -1, withscores=True)
        return {"zset": name, "members": [[member.decode(), score] for member, score in members]}
    entries: Any = await redis.xrange(name)
    groups = []
    for about in await redis.xinfo_groups(name):
        group = about["name"].decode()
        pending = await redis.xpending_range(name, group, "-", "+", 1_000)
        rows = [[p["message_id"].decode(), p["consumer"].decode(), p["times_delivered"]] for p in pending]
        groups.append({"name": group, "last": about["last-delivered-id"].decode(), "pending": rows})
    listed = [[entry_id.decode(), _texts(fields)] for entry_id, fields in entries]
    return {"stream": name, "entries": listed, "groups": groups}


def _texts(fields: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields.items()}


async def load(redis: RawRedis, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make the keys on an empty server; returns the statuses that were served then."""
    for line in lines:
        if "hash" in line:
            await redis.hset(line["hash"], mapping=line["fields"])
            if line["seconds"] >= 0:
                await redis.expire(line["hash"], line["seconds"])
        elif "zset" in line:
            await redis.zadd(line["zset"], dict(line["members"]))
        elif "stream" in line:
            await _load_stream(redis, line)
    return [line["served"] for line in lines if "served" in line]


async def _load_stream(redis: RawRedis, line: dict[str, Any]) -> None:
    name = line["stream"]
    for entry_id, fields in line["entries"]:
        await redis.xadd(name, fields, id=entry_id)
    for group in line["groups"]:
        await redis.xgroup_create(name, group["name"], id=group["last"], mkstream=True)
        for entry_id, consumer, count in group["pending"]:
            held: Any = [entry_id]
            await redis.xclaim(name, group["name"], consumer, 0, held, retrycount=count, force=True, justid=True)


def read(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def main(path: Path) -> None:
    """Write the log. A file that is there already stays as it is."""
    with running_server() as server, path.open("xb") as file:
        lines = asyncio.run(record(server.url))
        text = b"".join(orjson.dumps(line, option=orjson.OPT_UTC_Z) + b"\n" for line in lines)
        file.write(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
