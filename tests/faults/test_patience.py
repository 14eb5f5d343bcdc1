"""Whoever waits for a log that hangs waits as long as he has patience, and no longer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from eventflow.log.commit import UNLIMITED, Commit, NewEvent
from eventflow.log.deadline import Deadline, LogTimeout, WithinDeadline, set_deadline
from ops.chaos.proxy import Proxy, proxy_of
from tests.support.log_server import LogServer
from tests.support.runtime import Space, open_space


@pytest.fixture
async def proxy(shared_server: LogServer) -> AsyncIterator[Proxy]:
    async with proxy_of(shared_server.port) as proxy:
        yield proxy


@pytest.fixture
async def through(proxy: Proxy) -> AsyncIterator[Space]:
    async with open_space(f"redis://127.0.0.1:{proxy.port}/0") as space:
        await space.redis.ping()
        yield space


async def test_one_patience_is_for_all_that_is_asked_in_turn(through: Space, proxy: Proxy) -> None:
    proxy.hang()
    set_deadline(Deadline(2.0))
    pipe = through.redis.pipeline(transaction=False).ping()
    ends_s = []
    for asked in (through.redis.ping(), through.log.load("00-" + "0" * 32), pipe.execute()):
        with pytest.raises(LogTimeout, match=r"hasn't answered within 2 s"):
            await asked
        ends_s.append(time.monotonic())
    assert ends_s[-1] - ends_s[0] < 2.0  # a patience of their own would be 4 s


async def test_what_goes_on_beside_the_log_is_not_counted(through: Space) -> None:
    set_deadline(Deadline(1.0))
    await asyncio.sleep(1.2)  # an upload, say
    assert await through.redis.ping()
    async with WithinDeadline(), asyncio.timeout(0.01):  # somebody else's time-out stays what it is
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0):
                await asyncio.sleep(1)
        assert not isinstance(caught.value, LogTimeout)


async def test_patience_for_each_command(through: Space, proxy: Proxy) -> None:
    set_deadline(Deadline(0.3, each=True))
    for _ in range(2):
        proxy.hang()
        with pytest.raises(LogTimeout):
            await through.redis.ping()
        proxy.heal()
        assert await through.redis.ping()


async def test_commands_side_by_side_have_patience_of_their_own() -> None:
    """A tool that always has one on its way isn't at the end of its patience for that."""
    set_deadline(Deadline(1.0, each=True))

    async def command(begins_s: float) -> None:
        await asyncio.sleep(begins_s)
        async with WithinDeadline():
            await asyncio.sleep(0.3)

    await asyncio.gather(*(command(0.2 * number) for number in range(8)))


async def test_commit_that_is_given_up_is_not_sent_later(through: Space, proxy: Proxy) -> None:
    """One is on its way, for which nobody can tell; what waits behind it is withdrawn, for others may ask again."""

    async def commit(name: str) -> None:
        set_deadline(Deadline(0.5))
        event = NewEvent("X", '{"time":""}', None)
        await through.log.committer.commit(
            Commit(keys=through.keys, job_id=name, events=(event,), most_waiting=UNLIMITED)
        )

    await commit("before")
    proxy.hang()
    first = asyncio.create_task(commit("first"))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(commit("second"))
    for task in (first, second):
        with pytest.raises(LogTimeout):
            await task
    proxy.heal()
    await commit("after")
    written = {fields[b"j"] for _, fields in await through.redis.xrange(through.keys.feed)}
    assert {b"before", b"after"} <= written
    assert b"second" not in written
