"""Wait until a stack has nothing left to do, and drain its workers."""

from __future__ import annotations

import asyncio
from time import monotonic

import structlog
from attrs import evolve
from redis.asyncio import Redis
from redis.exceptions import RedisError

from eventflow.domain.topics import GROUP_TOPICS
from eventflow.log.consumer import GroupMember
from eventflow.log.keys import Keyspace
from ops.chaos.evidence import Leftovers, last_events, read_leftovers
from ops.chaos.stack_under_test import StackUnderTest

_POLL_S = 0.3
_ENDS = frozenset({"VideoPublished", "JobFailed", "JobCancelled"})


async def wait_until_quiet(redis: Redis, keyspace: Keyspace, *, patience_s: float, at_most_s: float) -> bool:
    """Wait until every job has ended and nothing is pending or delayed; returns whether that happened.

    The wait ends early if nothing changes for `patience_s`, and after `at_most_s`; the checks report what is left.
    """
    began = moved = monotonic()
    before: object = None
    while True:
        try:
            ended, now = await _state(redis, keyspace)
        except (RedisError, OSError):  # the server is restarting
            ended, now = False, before
        if ended:
            return True
        if now != before:
            before, moved = now, monotonic()
        if monotonic() - moved > patience_s or monotonic() - began > at_most_s:
            return False
        await asyncio.sleep(_POLL_S)


async def _state(redis: Redis, keyspace: Keyspace) -> tuple[bool, object]:
    """Return (whether all is idle, a value that changes with every event, settlement and retry)."""
    last, left = await last_events(redis, keyspace), await read_leftovers(redis, keyspace)
    busy = len(left.pending), len(left.undelivered), left.delayed, left.retries
    events = [await redis.xlen(keys.feed) for keys in keyspace.all]
    return _ENDS.issuperset(last.values()) and not any(busy), (events, busy)


async def drain_workers(stack: StackUnderTest, redis: Redis, keyspace: Keyspace) -> tuple[dict[str, int], Leftovers]:
    """Drain every worker; returns exit codes by name, and the entries and consumers that the log still holds.

    A drained worker removes its consumers; a killed one can't. Workers reap dead consumers after ten minutes; here
    that happens at once, and consumers that it can't remove count as left over.
    """
    programs = [member.program for member in stack.workers]
    codes = await asyncio.gather(*(program.stop() for program in programs))
    structlog.get_logger().info("workers drained", codes=codes)
    drained = {program.pids[-1] for program in programs}
    before = await read_leftovers(redis, keyspace)
    stayed = [row for row in before.consumers if _pid(row[2]) in drained]
    for keys in keyspace.all:
        for group, topics in GROUP_TOPICS.items():
            await GroupMember(
                blocking=redis, redis=redis, keys=keys, group=group, topics=topics, consumer="chaos"
            ).remove_silent_consumers(0)
    after = await read_leftovers(redis, keyspace)
    left = dict.fromkeys([*stayed, *after.consumers])
    return {p.name: code for p, code in zip(programs, codes, strict=True)}, evolve(after, consumers=tuple(left))


def _pid(consumer: str) -> int:
    """Return the pid in a consumer's name, `HOST-PID-HEX`; 0 if it has none."""
    pid = consumer.rpartition("-")[0].rpartition("-")[2]
    return int(pid) if pid.isdecimal() else 0
