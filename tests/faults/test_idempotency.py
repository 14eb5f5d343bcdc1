"""A request that is sent again after a crash or a lost answer makes one job."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from ops.chaos.proxy import proxy_of
from ops.cli.client import Api
from ops.compose import open_parts, web_app
from tests.support.log_server import dies_with_parent
from tests.support.runtime import Space
from tests.support.web_program import settings_of
from web.server import Address, serving

ROOT = Path(__file__).parents[2]
GENERATE = "/api/v1/videos/generate"
BODY = {"script": "# Hi"}


@asynccontextmanager
async def served(space: Space, folder: Path) -> AsyncIterator[Address]:
    """A web app of its own on the space's log."""
    settings = settings_of(space.url, space.keyspace.prefix, folder)
    async with open_parts(settings) as parts, serving(web_app(parts), "127.0.0.1", 0) as address:
        yield address


async def send(url: str, key: str) -> tuple[int, dict[str, Any], str | None]:
    headers = {"Idempotency-Key": key}
    async with aiohttp.ClientSession() as session, session.post(url + GENERATE, json=BODY, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("Idempotency-Replayed")


async def jobs_of(space: Space) -> list[str]:
    return [fields[b"j"].decode() for _, fields in await space.redis.xrange(space.keys.feed) if fields[b"v"] == b"1"]


async def test_process_that_is_killed_between_the_key_and_the_job(space: Space, tmp_path: Path) -> None:
    """The key is taken, the job isn't written: the next one with the key writes it, under the id that was promised."""
    command = [sys.executable, "-m", "tests.support.web_program", space.url, space.keyspace.prefix, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=dies_with_parent)
    try:
        assert process.stdout is not None
        url = (await asyncio.to_thread(process.stdout.readline)).decode().strip()
        with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await send(url, "order-1")
        assert await asyncio.to_thread(process.wait, 30) == -9
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    (name,) = [key async for key in space.redis.scan_iter(f"{space.keyspace.prefix}:*idem*")]
    assert await jobs_of(space) == []
    async with served(space, tmp_path) as one, served(space, tmp_path) as other:
        answers = await asyncio.gather(*(send(address.url, "order-1") for address in (one, other) * 5))
    (job_id,) = await jobs_of(space)
    assert [status for status, _, _ in answers] == [202] * 10
    assert {body["job_id"] for _, body, _ in answers} == {job_id}
    assert job_id.encode() in (await space.redis.get(name))
    assert await space.types(job_id) == ["VideoRequested"]


async def test_lost_answer_to_the_write_of_the_key(space: Space, tmp_path: Path) -> None:
    """The client of the log repeats the write, finds its own value, and takes it for what it is."""
    async with proxy_of(URL(space.url).port or 0) as proxy:
        through = Space(f"redis://127.0.0.1:{proxy.port}/0", space.redis, space.log, space.keyspace)
        async with served(through, tmp_path) as address:
            proxy.lose(b":idem:")
            status, body, replayed = await send(address.url, "k")
    assert proxy.lost == 1
    assert (status, replayed) == (202, None)
    assert await jobs_of(space) == [body["job_id"]]


async def test_lost_answer_to_the_request_itself(space: Space, tmp_path: Path) -> None:
    """The command line's client sends the request again under the same key."""
    async with served(space, tmp_path) as address, proxy_of(address.port) as proxy:
        proxy.lose(b"POST ")
        async with aiohttp.ClientSession() as session:
            accepted = await Api(session, URL(f"http://127.0.0.1:{proxy.port}")).generate(BODY)
    assert proxy.lost == 1
    assert await jobs_of(space) == [accepted["job_id"]]
