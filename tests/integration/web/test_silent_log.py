"""A log that doesn't answer: requests get 503 within seconds, and succeed as soon as it answers again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from eventflow.access.api_keys import ApiKeys
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from ops.chaos.proxy import Proxy, proxy_of
from tests.support.log_server import LogServer, log_server
from tests.support.waiting import wait_until
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps
from web.http.links import JOBS
from web.http.middleware import LOG_SECONDS
from web.routes.generate import ROUTE

#: Waiting twice would take longer. What is above LOG_SECONDS is for a machine under load.
_SOON_S = 1.9 * LOG_SECONDS
BODY = {"script": "# One\n\nA line.", "pipeline": "simulation"}


@define
class Site:
    """The app on a server of its own behind a proxy; `job_id` is a job of its."""

    client: Client
    server: LogServer
    proxy: Proxy
    job_id: str

    async def asked(self) -> list[tuple[str, int, float, str]]:
        """(what, status, seconds, Retry-After) of requests of all kinds, asked at once."""
        job = f"{JOBS}/{self.job_id}"
        requests = {
            "create": ("POST", ROUTE, {"json": BODY}),
            "create once": ("POST", ROUTE, {"json": BODY, "headers": {"Idempotency-Key": "k"}}),
            "list": ("GET", JOBS, {}),
            "status": ("GET", f"{job}/status", {}),
            "status of a version": ("GET", f"{job}/status?min_version=99", {}),
            "events": ("GET", f"{job}/events", {}),
            "metadata": ("GET", f"{job}/metadata", {}),
            "stream": ("GET", f"{job}/stream", {}),
            "cancel": ("POST", f"{job}/cancel", {}),
            "delete": ("DELETE", job, {}),
            "parked": ("GET", "/api/v1/admin/parked", {}),
        }
        return list(await asyncio.gather(*(self._ask(name, *request) for name, request in requests.items())))

    async def _ask(self, name: str, method: str, path: str, options: dict[str, Any]) -> tuple[str, int, float, str]:
        began = time.monotonic()
        async with self.client.request(method, path, **options) as answer:
            return name, answer.status, time.monotonic() - began, answer.headers.get("Retry-After", "")


@pytest.fixture
async def site(deps: WebDeps, start: StartClient, tmp_path: Path) -> AsyncIterator[Site]:
    with log_server(tmp_path / "own") as server:
        async with proxy_of(server.port) as proxy:
            url = f"redis://127.0.0.1:{proxy.port}/0"
            redis = connect(url)
            blocking = connect(url, blocking=True, beside=redis)
            log = JobEventStore(redis, codec=deps.log.codec, keyspace=deps.log.keyspace, clock=deps.clock)
            keys = ApiKeys(redis, deps.log.keyspace.api_keys, clock=deps.clock)
            client = await start(log=log, redis=redis, blocking=blocking, api_keys=keys)
            async with client.post(ROUTE, json=BODY) as answer:
                job_id = (await answer.json())["job_id"]
            yield Site(client, server, proxy, job_id)
            proxy.heal()
            await client.close()
            await redis.aclose()
            await blocking.aclose()


@pytest.mark.parametrize("how", ["connections that freeze", "a process that stands still"])
async def test_every_request_is_answered_within_seconds(site: Site, how: str) -> None:
    frozen = how.startswith("connections")
    (site.proxy.hang if frozen else site.server.pause)()
    answers = await site.asked()
    assert {name: status for name, status, _, _ in answers if status != 503} == {}
    assert {name: seconds for name, _, seconds, _ in answers if seconds > _SOON_S} == {}
    assert all(again for _, _, _, again in answers)
    async with site.client.get("/healthz") as answer:
        assert answer.status == 200
    (site.proxy.heal if frozen else site.server.resume)()
    await wait_until(lambda: _served(site), what="the list")
    async with site.client.get(f"{JOBS}/{site.job_id}/status") as answer:
        assert answer.status == 200


async def _served(site: Site) -> bool:
    async with site.client.get(JOBS) as answer:
        return answer.status == 200
