"""The workload: clients of several owners that post jobs, cancel some and reprocess others, and keep a ledger.

A ledger is a file per client outside the server. What the service has promised (a 202) is synced to disk there before
the client goes on; nothing else is held against the service.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Literal

import aiohttp
import orjson
from attrs import asdict, frozen

Fate = Literal["leave", "cancel", "reprocess"]
OWNERS = ("ada", "grace", "linus")
_PAUSE_S = 0.3
_TIMEOUT = aiohttp.ClientTimeout(total=20)
#: One job in so many is a real test film of ffmpeg's patterns.
_FILM_EVERY = 10
_FINISHED = ("completed", "failed", "cancelled")


@frozen
class Order:
    """A job that a client will ask for. Times in seconds from the beginning; `fate_after_s` counts from the 202."""

    at_s: float
    owner: str
    body: dict[str, Any]
    fate: Fate
    fate_after_s: float


@frozen
class Promise:
    """A 202: of `what` (accepted, cancel, reprocess), with the job's version in it."""

    what: str
    job: str
    owner: str
    version: int


def orders(seed: int, jobs: int, seconds: float) -> tuple[Order, ...]:
    """What is asked for, by the seed alone: `jobs` within the first four fifths of `seconds`."""
    random = Random(f"{seed}/orders")  # noqa: S311 - to be repeated
    wanted = []
    for number in range(jobs):
        script = "\n".join(f"wait {random.choice((0.0, 0.0, 0.1, 0.6)):.1f}" for _ in range(random.randint(2, 8)))
        common = {"quality_levels": ["720p"], "cleanup_local_files": random.random() < 0.5}
        if number % _FILM_EVERY == _FILM_EVERY - 1:
            body = {"pipeline": "simulation", "thumbnail_generation": True, **common}
        else:
            body = {"pipeline": "chaos", "script": script, "thumbnail_generation": random.random() < 0.1, **common}
        fate: Fate = random.choices(("leave", "cancel", "reprocess"), (8, 1, 1))[0]
        at, after = random.uniform(0, 0.8 * seconds), random.uniform(0, 4)
        wanted.append(Order(round(at, 3), random.choice(OWNERS), body, fate, round(after, 3)))
    return tuple(sorted(wanted, key=lambda order: order.at_s))


class Ledger:
    """Appends promises to `<folder>/<owner>.jsonl`."""

    def __init__(self, folder: Path, owner: str) -> None:
        folder.mkdir(exist_ok=True)
        self._fd = os.open(folder / f"{owner}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, promise: Promise) -> None:
        os.write(self._fd, orjson.dumps(asdict(promise)) + b"\n")
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


def read_ledgers(folder: Path) -> list[Promise]:
    return [Promise(**orjson.loads(raw)) for path in folder.glob("*.jsonl") for raw in path.read_bytes().splitlines()]


class Client:
    """One owner's. `admin` is the token that may reprocess. Gives up at `until` (monotonic seconds)."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, owner: str, token: str, admin: str, ledger: Ledger, until: float
    ) -> None:
        self._session, self._url, self._owner, self._ledger = session, url, owner, ledger
        self._token, self._admin, self._until = token, admin, until
        self.unanswered = 0

    async def carry_out(self, order: Order, began: float) -> None:
        """Ask for the job when its time has come, and see to its fate."""
        await asyncio.sleep(began + order.at_s - monotonic())
        body = await self._insist("/api/v1/videos/generate", self._token, order.body)
        if body is None:
            return
        job = str(body["job_id"])
        self._ledger.write(Promise("accepted", job, self._owner, int(body["version"])))
        if order.fate == "leave":
            return
        await asyncio.sleep(order.fate_after_s)
        if order.fate == "cancel":
            answer = await self._insist(f"/api/v1/videos/jobs/{job}/cancel", self._token, {})
        elif await self._ended(job):
            answer = await self._insist(f"/api/v1/admin/jobs/{job}/reprocess", self._admin, {})
        else:
            return
        if answer is not None:
            self._ledger.write(Promise(order.fate, job, self._owner, int(answer["version"])))

    async def _insist(self, path: str, token: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer of the 202, however often it takes; None where it is refused for good, or time is up."""
        while monotonic() < self._until:
            status, answer = await self._call("POST", path, token, body)
            if status == 202:
                return answer
            if 400 <= status < 500 and status != 429:
                return None
            self.unanswered += 1
            await asyncio.sleep(_PAUSE_S)
        return None

    async def _ended(self, job: str) -> bool:
        while monotonic() < self._until:
            status, answer = await self._call("GET", f"/api/v1/videos/jobs/{job}/status", self._token)
            if status == 200 and answer["status"] in _FINISHED:
                return True
            await asyncio.sleep(_PAUSE_S)
        return False

    async def _call(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """(status, body); status 0 where there was no answer."""
        headers = {"Authorization": f"Bearer {token}"}
        with suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with self._session.request(
                method, self._url + path, json=body, headers=headers, timeout=_TIMEOUT
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        return 0, {}


async def work_off(clients: dict[str, Client], wanted: Sequence[Order], began: float) -> None:
    """All orders, each at its time."""
    async with asyncio.TaskGroup() as group:
        for order in wanted:
            group.create_task(clients[order.owner].carry_out(order, began))
