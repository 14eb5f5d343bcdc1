"""One clip of a service, paid for once: ordered or taken up again, waited for, fetched.

Its id is noted before it is waited for. An attempt that is broken off leaves it in work for the next one; only where
nobody will want it any more is it ended at the service.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import structlog
from attrs import evolve, frozen

from eventflow.settings import RemoteSettings
from handlers.generation.control import Charged, Control, RemoteStarted, Warned
from handlers.generation.errors import Stopped
from handlers.generation.http_services.blocking import run, stoppable
from handlers.generation.http_services.client import http_session
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.text_to_video.client import VideosClient, Wanted
from handlers.generation.text_to_video.errors import RemoteFailed, RemoteUnknown
from handlers.generation.text_to_video.status import RemoteWork, State

T = TypeVar("T")

#: What remote work and its cost are recorded under.
SERVICE: Final = "remote"
#: So many failures in a row are one; longer pauses than this are left to the next attempt.
MISSES: Final = 5
_LONGEST_PAUSE_S: Final = 60.0
#: An order that is on its way when it is no longer wanted: it may cost, and then its id is needed to end it.
_LAST_ORDER_S: Final = 5.0
_LAST_WORD_S: Final = 5.0


@frozen
class Earlier:
    """What earlier attempts have done: `remote_id` is the last order, `count` how many there were."""

    remote_id: str | None = None
    count: int = 0


@frozen
class Clips:
    """Clips of one service. `check` raises BadClip for a file that is none. `clock` in seconds."""

    client: VideosClient
    settings: RemoteSettings
    check: Callable[[Path], object]
    clock: Callable[[], float] = time.monotonic

    def obtain(self, wanted: Wanted, earlier: Earlier, target: Path, control: Control) -> None:
        """The clip that is wanted, in `target`. Blocking.

        Raises RemoteFailed, ServiceFailed, ServiceRefused, Stopped.
        """
        run(self._obtain(wanted, earlier, target, control))

    async def _obtain(self, wanted: Wanted, earlier: Earlier, target: Path, control: Control) -> None:
        deadline = self.clock() + self.settings.timeout_s
        remote_id, count = earlier.remote_id, earlier.count
        async with http_session() as session:
            while True:
                if remote_id is None:
                    remote_id, count = await self._order(session, wanted, count, control), count + 1
                try:
                    work = await self._finished(session, remote_id, deadline, control)
                    if work.state is State.DONE:
                        await self._fetch(session, remote_id, target, deadline, control)
                        return
                except Stopped:
                    await self._end_if_unwanted(session, remote_id, control)
                    raise
                if count >= self.settings.orders:
                    raise RemoteFailed(_failure(work))
                remote_id = None

    async def _order(self, session: aiohttp.ClientSession, wanted: Wanted, count: int, control: Control) -> str:
        """Its id is in the job's history when this returns."""
        key = f"{wanted.idempotency_key}-{count}" if wanted.idempotency_key else ""
        asked = self.client.submit(session, evolve(wanted, idempotency_key=key))
        work = await stoppable(asked, control, grace_s=_LAST_ORDER_S)
        try:
            control.note(RemoteStarted(SERVICE, work.id))
        except Exception:
            await self._end_if_unwanted(session, work.id, control)
            raise
        return work.id

    async def _finished(
        self, session: aiohttp.ClientSession, remote_id: str, deadline: float, control: Control
    ) -> RemoteWork:
        """The work, done or failed; what it costs is noted."""
        odd: set[str] = set()
        while True:
            try:
                work = await self._patiently(lambda: self.client.status(session, remote_id), deadline, control)
            except RemoteUnknown as error:
                return RemoteWork(remote_id, State.FAILED, "unknown", error=str(error))
            if work.progress is not None:
                control.on_progress(work.progress)
            if work.state in (State.DONE, State.FAILED):
                if work.cost is not None:
                    control.note(Charged(SERVICE, work.cost.amount, work.cost.currency, remote_id))
                return work
            if work.state is State.UNKNOWN and work.status not in odd:
                odd.add(work.status)
                told = f"the video service says {work.status!r}, which isn't known here; its clip is waited for"
                control.note(Warned("remote_status", told))
            if self.clock() + self.settings.poll_s > deadline:
                raise ServiceFailed(f"clip {remote_id} was not made within {self.settings.timeout_s:g} s")
            await stoppable(asyncio.sleep(self.settings.poll_s), control)

    async def _fetch(
        self, session: aiohttp.ClientSession, remote_id: str, target: Path, deadline: float, control: Control
    ) -> None:
        async def fetched() -> None:
            await self.client.fetch(session, remote_id, target)
            self.check(target)

        await self._patiently(fetched, deadline, control)

    async def _patiently(self, ask: Callable[[], Coroutine[Any, Any, T]], deadline: float, control: Control) -> T:
        """Ask again after what may pass, as often and as long as it is worth it."""
        misses = 0
        while True:
            try:
                return await stoppable(ask(), control)
            except ServiceFailed as error:
                misses += 1
                pause_s = max(self.settings.poll_s, error.retry_after_s or 0.0)
                if misses == MISSES or pause_s > _LONGEST_PAUSE_S or self.clock() + pause_s > deadline:
                    raise
            await stoppable(asyncio.sleep(pause_s), control)

    async def _end_if_unwanted(self, session: aiohttp.ClientSession, remote_id: str, control: Control) -> None:
        """What a worker that is shut down, or has lost its lease, was waiting for is taken up by the next attempt."""
        if not control.unwanted():
            return
        try:
            async with asyncio.timeout(_LAST_WORD_S):
                await self.client.cancel(session, remote_id)
        except (ServiceFailed, ServiceRefused, TimeoutError) as error:
            structlog.get_logger().warning("remote work not ended", remote_id=remote_id, error=str(error))


def _failure(work: RemoteWork) -> str:
    told = f": {work.error}" if work.error else ""
    way_out = "reprocess the scene to order another clip (EVENTFLOW_REMOTE_ORDERS allows more than one by itself)"
    return f"the video service has no clip {work.id} ({work.status}){told}; {way_out}"
