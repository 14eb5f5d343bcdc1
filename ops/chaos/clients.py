"""The workload: clients of several owners that post jobs, cancel some and reprocess others, and keep a ledger.

A ledger is a file per client. A client syncs every 202 to it before it sends the next request; the checks hold the
service to these answers alone.
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
#: Every tenth job is a real video of ffmpeg's test patterns.
_FILM_EVERY = 10
_FINISHED = ("completed", "failed", "cancelled")


@frozen(kw_only=True)
class Order:
    """A job that a client requests `at_s` seconds after the start; its fate follows `fate_after_s` after the 202."""

    at_s: float
    owner: str
    body: dict[str, Any]
    fate: Fate
    fate_after_s: float


@frozen(kw_only=True)
class Promise:
    """A 202 to a request of kind `what` (accepted, cancel, reprocess), with the job's version from the answer."""

    what: str
    job: str
    owner: str
    version: int


def orders(seed: int, jobs: int, seconds: float) -> tuple[Order, ...]:
    """Return `jobs` orders that the seed alone determines, all in the first four fifths of `seconds`."""
    random = Random(f"{seed}/orders")  # noqa: S311 - repeatable
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
        owner = random.choice(OWNERS)
        wanted.append(Order(at_s=round(at, 3), owner=owner, body=body, fate=fate, fate_after_s=round(after, 3)))
    return tuple(sorted(wanted, key=lambda order: order.at_s))


class Ledger:
    """Appends promises to `<folder>/<owner>.jsonl`."""

    def __init__(self, folder: Path, owner: str) -> None:
        folder.mkdir(exist_ok=True)
        self._fd = os.open(folder / f"{owner}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, promise: Promise) -> None:
        """Append a promise, and sync it to disk."""
        os.write(self._fd, orjson.dumps(asdict(promise)) + b"\n")
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


def read_ledgers(folder: Path) -> list[Promise]:
    """Return the promises in all ledgers of a folder."""
    return [Promise(**orjson.loads(raw)) for path in folder.glob("*.jsonl") for raw in path.read_bytes().splitlines()]


class Client:
    """A client of one owner. `admin` is the token that may reprocess; requests end at `until` (monotonic seconds)."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        owner: str,
        token: str,
        admin: str,
        ledger: Ledger,
        until: float,
    ) -> None:
        self._session, self._url, self._owner, self._ledger = session, url, owner, ledger
        self._token, self._admin, self._until = token, admin, until
        self.unanswered = 0

    async def carry_out(self, order: Order, began: float) -> None:
        """Request the job at its time, then leave, cancel or reprocess it."""
        await asyncio.sleep(began + order.at_s - monotonic())
        body = await self._until_accepted("/api/v1/videos/generate", self._token, order.body)
        if body is None:
            return
        job = str(body["job_id"])
        self._note("accepted", job, body)
        if order.fate == "leave":
            return
        await asyncio.sleep(order.fate_after_s)
        if order.fate == "cancel":
            answer = await self._until_accepted(f"/api/v1/videos/jobs/{job}/cancel", self._token, {})
        elif await self._ended(job):
            answer = await self._until_accepted(f"/api/v1/admin/jobs/{job}/reprocess", self._admin, {})
        else:
            return
        if answer is not None:
            self._note(order.fate, job, answer)

    def _note(self, what: str, job: str, answer: dict[str, Any]) -> None:
        self._ledger.write(Promise(what=what, job=job, owner=self._owner, version=int(answer["version"])))

    async def _until_accepted(self, path: str, token: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Repeat a request until it is answered with 202; None if it is refused for good, or time is up."""
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
        """Send a request; returns (status, body), with status 0 if there was no answer."""
        headers = {"Authorization": f"Bearer {token}"}
        with suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with self._session.request(
                method, self._url + path, json=body, headers=headers, timeout=_TIMEOUT
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        return 0, {}


async def run_orders(clients: dict[str, Client], wanted: Sequence[Order], began: float) -> None:
    """Carry out all orders, each at its time."""
    async with asyncio.TaskGroup() as group:
        for order in wanted:
            group.create_task(clients[order.owner].carry_out(order, began))
