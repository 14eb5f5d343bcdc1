"""A server that refuses for a while: finished work waits for it, and is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.topics import Topic
from eventflow.runtime.context import Group, StepContext
from tests.support.log_server import LogServer
from tests.support.runtime import RawRedis, Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until

_LONG = (
    "local t = redis.call('TIME') local e = t[1] * 1000000 + t[2] + tonumber(ARGV[1]) "
    "repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > e return 1"
)
_BUSY_US = 600_000

Rounds = Callable[[], Awaitable[None]]


@asynccontextmanager
async def _busy(server: LogServer) -> AsyncIterator[Rounds]:
    """Begins a neighbour's long script: whoever comes after 50 ms of it is told BUSY."""
    neighbour, running = Redis.from_url(server.url, socket_timeout=60), set[asyncio.Task[object]]()
    await neighbour.config_set("busy-reply-threshold", "50")

    async def begin() -> None:
        running.add(asyncio.ensure_future(neighbour.eval(_LONG, 0, _BUSY_US)))
        async with Redis.from_url(server.url) as other:
            await wait_until(lambda: _refuses(other, "BUSY"))

    try:
        yield begin
    finally:
        await asyncio.gather(*running)
        await neighbour.aclose()


@asynccontextmanager
async def _set_and_unset(server: LogServer, refuse: Sequence[str], allow: Sequence[str]) -> AsyncIterator[Rounds]:
    """Refuses, until an operator mends it a little later."""
    mending = set[asyncio.Task[None]]()
    async with Redis.from_url(server.url) as operator:

        async def mend() -> None:
            await asyncio.sleep(0.5)
            await operator.execute_command(*allow)

        async def begin() -> None:
            await operator.execute_command(*refuse)
            mending.add(asyncio.create_task(mend()))

        yield begin
        await asyncio.gather(*mending)


async def _refuses(redis: RawRedis, code: str) -> bool:
    try:
        await redis.get("x")
    except RedisError as error:
        return code in str(error)
    return False


def _refusing(server: LogServer, code: str):  # type: ignore[no-untyped-def]
    if code == "BUSY":
        return _busy(server)
    refuse, allow = {
        "NOREPLICAS": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        "NOPERM of a command": ("ACL SETUSER default -xadd", "ACL SETUSER default +xadd"),
        "NOPERM of the scripts": ("ACL SETUSER default -@scripting", "ACL SETUSER default +@scripting"),
        "NOPERM of the keys": ("ACL SETUSER default resetkeys ~nothing", "ACL SETUSER default allkeys"),
    }[code]
    return _set_and_unset(server, refuse.split(), allow.split())


CODES = ["BUSY", "NOREPLICAS", "NOPERM of a command", "NOPERM of the scripts", "NOPERM of the keys"]


@pytest.mark.parametrize("code", CODES)
async def test_finished_work_waits(own_server: LogServer, own_space: Space, code: str) -> None:
    """The commit of a step's end is refused, and isn't thrown away."""
    runs = Runs()
    async with _refusing(own_server, code) as refuse:

        async def render(reaction: StepContext) -> None:
            runs.began[reaction.event.scene] += 1
            await refuse()

        job_id = await own_space.submit_scenes(1)
        async with working(own_space, scenes_group(render), lease_s=2):
            await wait_until(lambda: _has(own_space, job_id, "ScenesCompleted"))
    assert runs.began == {0: 1}
    assert gapless(await own_space.history(job_id))
    assert await own_space.pending(own_space.topic(Topic.PLANNED), "generation") == []
    assert await own_space.parked() == []


@pytest.mark.parametrize("code", CODES)
async def test_step_that_records_on_its_way_waits(own_server: LogServer, own_space: Space, code: str) -> None:
    """In every one of its records, more often than workers may die of it."""
    runs = Runs()
    async with _refusing(own_server, code) as refuse:

        async def plan(reaction: StepContext) -> Sequence[Command]:
            runs.began["plan"] += 1
            await refuse()
            await reaction.commit(cmd.StartPlanning(1))
            return []

        job_id = await own_space.submit()
        async with working(own_space, Group("generation", {ev.VideoRequested: plan}), lease_s=2):
            await wait_until(lambda: _has(own_space, job_id, "PlanningStarted"))
            await wait_until(lambda: _settled(own_space))
    assert runs.began == {"plan": 1}
    assert await own_space.types(job_id) == ["VideoRequested", "PlanningStarted"]


async def _has(space: Space, job_id: str, kind: str) -> bool:
    try:
        return kind in await space.types(job_id)
    except RedisError:  # refused, on purpose
        return False


async def _settled(space: Space) -> bool:
    try:
        return await space.pending(space.topic(Topic.REQUESTED), "generation") == []
    except RedisError:
        return False
