"""Many waiters for a version share one reader of the feed, and take no connection to the log each."""

from __future__ import annotations

import asyncio

import aiohttp

from eventflow.domain import commands as cmd
from eventflow.log.connection import connect
from tests.support.driving import Driver
from tests.support.runtime import RawRedis
from tests.support.waiting import wait_until
from tests.support.web_app import Client, job_id
from web.readmodel.projection import POLL_SECONDS, PROJECTION, TAIL_BLOCK_MS

WAITING = 200


async def test_200_waiters_for_a_version_use_one_blocked_connection(
    client: Client, driver: Driver, valkey_url: str
) -> None:
    job = job_id()
    await driver.create(job)
    url = client.make_url(f"/api/v1/videos/jobs/{job}/status")
    looking = connect(valkey_url)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def wait_for(version: int) -> int:
            async with session.get(url, params={"min_version": version}) as answer:
                return int((await answer.json())["version"])

        _, connected_before = await _clients(looking)
        waits = [asyncio.create_task(wait_for(2)) for _ in range(WAITING)]
        await wait_until(lambda: _waiting(client, job) == WAITING)
        seen = [await _clients(looking)]

        async def saw_the_reader() -> bool:  # between two reads it rests, and nobody is blocked
            seen.append(await _clients(looking))
            return len(seen) > 50 and seen[-1][0] == 1

        await wait_until(saw_the_reader)
        assert max(blocked for blocked, _ in seen) == 1
        assert max(connected for _, connected in seen) <= connected_before + 16  # the app's pool
        reads, tails = await _calls(looking, "xrange"), await _calls(looking, "xread")
        assert await wait_for(1) == 1  # who doesn't wait is answered meanwhile
        assert TAIL_BLOCK_MS / 1000 > POLL_SECONDS  # meanwhile each of them looks whether the tail is still there
        await wait_until(lambda: _called(looking, "xread", tails + 2))
        assert await _calls(looking, "xrange") - reads <= 2
        assert _waiting(client, job) == WAITING
        await driver.run(job, cmd.StartPlanning(1))
        assert await asyncio.gather(*waits) == [2] * WAITING
    await looking.aclose()


def _waiting(client: Client, job: str) -> int:
    entry = client.server.app[PROJECTION]._cache.get(job)  # type: ignore[attr-defined]
    return len(entry.waiters) if entry else 0


async def _calls(redis: RawRedis, command: str) -> int:
    """How often the server was sent the command."""
    return int((await redis.info("commandstats")).get(f"cmdstat_{command}", {}).get("calls", 0))


async def _called(redis: RawRedis, command: str, times: int) -> bool:
    return await _calls(redis, command) >= times


async def _clients(redis: RawRedis) -> tuple[int, int]:
    """(blocked in a read, connected)."""
    about = await redis.info("clients")
    return about["blocked_clients"], about["connected_clients"]
