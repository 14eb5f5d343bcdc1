"""Jobs over several partitions, from the request to the list of what is done, through the real web app and workers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from eventflow.domain.job_ids import partition_of
from ops.compose import web_app
from tests.support.runtime import gapless
from tests.support.studio import Studio
from tests.support.waiting import wait_until

Client = TestClient[web.Request, web.Application]
JOBS = "/api/v1/videos/jobs"
BODY = {"script": "# Any\n\nThing.", "pipeline": "simulation", "quality_levels": ["720p"]}


async def run_jobs(studio: Studio, start: Callable[..., Awaitable[Client]], count: int) -> Counter[int]:
    """Ask for `count` videos, each twice under one key; wait for all; returns how many each partition had."""
    client = await start(web_app(studio.parts))

    async def ask(number: int) -> str:
        headers = {"Idempotency-Key": f"request-{number}"}
        ids = set()
        for _ in range(2):
            async with client.post("/api/v1/videos/generate", json=BODY, headers=headers) as answer:
                body = await answer.json()
                assert answer.status == 202, body
                ids.add(body["job_id"])
        (job_id,) = ids
        return job_id

    async def get(path: str) -> dict[str, object]:
        async with client.get(path) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, object] = await answer.json()
            return found

    async def completed(job_id: str) -> bool:
        status = await get(f"{JOBS}/{job_id}/status")
        assert status["status"] != "failed", status
        return status["status"] == "completed"

    jobs = await asyncio.gather(*(ask(number) for number in range(count)))
    for job_id in jobs:
        await wait_until(lambda job_id=job_id: completed(job_id), 90, what=f"the end of job {job_id}")  # type: ignore[misc]
    listed, cursor = list[str](), ""
    while True:
        page = await get(f"{JOBS}?status=completed&limit=5" + (f"&cursor={cursor}" if cursor else ""))
        listed += [job["job_id"] for job in page["jobs"]]  # type: ignore[attr-defined]
        cursor = str(page["next_cursor"] or "")
        if not cursor:
            break
    assert sorted(listed) == sorted(jobs)

    async def all_ready() -> bool:
        ready: Any = await get("/readyz")
        return all(part["status"] == "ok" for part in ready["components"].values())

    await wait_until(
        all_ready, what="every part says that it is ready"
    )  # a busy worker hasn't asked every topic of late
    for job_id in jobs:
        assert gapless(await studio.space.history(job_id))
    return Counter(partition_of(job_id) for job_id in jobs)
