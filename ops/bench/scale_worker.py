"""A worker process of `ops.bench.scale`: `python -m ops.bench.scale_worker URL CONCURRENCY HANDLER_SECONDS`.

It prints "ready", begins after a line on standard input, and stops when standard input ends. Then it prints, as JSON,
the CPU seconds since it began, and for each job the milliseconds from the time in its first event to the start of its
handler, in the order of the starts.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from time import process_time

import orjson
import uvloop
from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.process import tune_process
from eventflow.runtime.worker import Worker, WorkerSettings
from eventflow.telemetry.logs import configure_logs

#: Default of EVENTFLOW_WORK_IN_PROGRESS.
MOST_IN_PROGRESS = 100


def utc_now() -> datetime:
    """Return the time; not that of `ops.compose`, which loads much more."""
    return datetime.now(UTC)


@frozen
class Waiting:
    """A handler that waits for `seconds`, as for an upstream, and then finishes the whole job in one commit."""

    seconds: float
    waited_ms: list[float]

    async def whole_job(self, step: StepContext) -> Sequence[Command]:
        """Note the job's waiting time, wait, and finish it."""
        since = utc_now() - step.envelope.occurred_at
        self.waited_ms.append(since.total_seconds() * 1000)
        await asyncio.sleep(self.seconds)
        run = step.job.run
        return [
            cmd.FinishVideo(run=run, videos=(), thumbnails=()),
            cmd.FinishUpload(run=run, videos=(), thumbnails=()),
            cmd.PublishVideo(run, ()),
        ]


def say(line: str) -> None:
    """Write a line to standard output at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def work(url: str, concurrency: int, seconds: float) -> None:
    """Run the worker from its start signal to the end of standard input."""
    redis, blocking = connect(url), connect(url, blocking=True, max_connections=2)
    handlers = Waiting(seconds, [])
    group = Group("generation", {ev.VideoRequested: handlers.whole_job})
    keyspace = Keyspace()
    log = JobEventStore(redis, codec=Codec(), keyspace=keyspace, clock=utc_now, most_in_progress=MOST_IN_PROGRESS)
    name = f"bench-{secrets.token_hex(4)}"
    member = GroupMember(
        blocking=blocking, redis=redis, keys=keyspace.partition(0), group=group.name, topics=group.topics, consumer=name
    )
    settings = WorkerSettings(concurrency=concurrency)
    worker = Worker(group, log, [member], settings, clock=utc_now, random=Random())  # noqa: S311 - jitter
    await member.ensure()
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    stop, began = asyncio.Event(), process_time()
    running = asyncio.create_task(worker.run(stop))
    await asyncio.to_thread(sys.stdin.read)
    stop.set()
    await running
    await redis.aclose()
    await blocking.aclose()
    say(orjson.dumps({"cpu_s": process_time() - began, "waited_ms": handlers.waited_ms}).decode())


def main(url: str, concurrency: str, seconds: str) -> None:
    """Run the program with its three arguments."""
    configure_logs("WARNING", json=False)
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(url, int(concurrency), float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
