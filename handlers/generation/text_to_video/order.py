"""Obtains one clip from a service and pays once: orders it or resumes an order, waits, and downloads it.

The clip's id is noted before the wait (decision 107). An interrupted attempt leaves the clip to the next one; it is
cancelled at the service only if nobody will want it.
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
from handlers.generation.text_to_video.client import ClipRequest, VideosClient
from handlers.generation.text_to_video.errors import RemoteFailed, RemoteUnknown
from handlers.generation.text_to_video.status import RemoteWork, State
from handlers.media.errors import BadClip

T = TypeVar("T")

#: The service's name in recorded remote work and costs.
SERVICE: Final = "remote"
#: Failures in a row that fail the attempt, and the longest pause in seconds that an attempt waits out.
MAX_FAILURES: Final = 5
_LONGEST_PAUSE_S: Final = 60.0
#: Seconds to wait for the answer to an order after a request to stop: the order may cost, and its id is needed to
#: cancel it.
_ORDER_GRACE_S: Final = 5.0
_CANCEL_S: Final = 5.0


@frozen
class EarlierOrders:
    """Orders of earlier attempts: `remote_id` of the last one, and their `count`."""

    remote_id: str | None = None
    count: int = 0


@frozen(kw_only=True)
class ClipOrders:
    """Orders clips from one service. `check` raises BadClip for an invalid file. `clock` returns seconds."""

    client: VideosClient
    settings: RemoteSettings
    check: Callable[[Path], object]
    clock: Callable[[], float] = time.monotonic

    def obtain(self, wanted: ClipRequest, earlier: EarlierOrders, target: Path, control: Control) -> None:
        """Obtain the clip `wanted` into `target`. Blocking.

        Raises RemoteFailed, BadClip, ServiceFailed, ServiceRefused, Stopped.
        """
        run(self._obtain(wanted, earlier, target, control))

    async def _obtain(self, wanted: ClipRequest, earlier: EarlierOrders, target: Path, control: Control) -> None:
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

    async def _order(self, session: aiohttp.ClientSession, wanted: ClipRequest, count: int, control: Control) -> str:
        """Order a clip; its id is in the job's history when this returns."""
        key = f"{wanted.idempotency_key}-{count}" if wanted.idempotency_key else ""
        asked = self.client.submit(session, evolve(wanted, idempotency_key=key))
        work = await stoppable(asked, control, grace_s=_ORDER_GRACE_S)
        try:
            control.note(RemoteStarted(SERVICE, work.id))
        except Exception:
            await self._end_if_unwanted(session, work.id, control)
            raise
        return work.id

    async def _finished(
        self, session: aiohttp.ClientSession, remote_id: str, deadline: float, control: Control
    ) -> RemoteWork:
        """Wait until the clip is done or failed; its cost is noted. Raises ServiceFailed after `deadline`."""
        unknown: set[str] = set()
        while True:
            try:
                work = await self._retried(lambda: self.client.status(session, remote_id), deadline, control)
            except RemoteUnknown as error:
                return RemoteWork(id=remote_id, state=State.FAILED, status="unknown", error=str(error))
            if work.progress is not None:
                control.on_progress(work.progress)
            if work.state in (State.DONE, State.FAILED):
                if work.cost is not None:
                    control.note(
                        Charged(
                            service=SERVICE, amount=work.cost.amount, currency=work.cost.currency, reference=remote_id
                        )
                    )
                return work
            if work.state is State.UNKNOWN and work.status not in unknown:
                unknown.add(work.status)
                message = f"the video service reports the unknown status {work.status!r}; the clip is still awaited"
                control.note(Warned("remote_status", message))
            if self.clock() + self.settings.poll_s > deadline:
                raise ServiceFailed(f"the clip {remote_id} was not ready within {self.settings.timeout_s:g} s")
            await stoppable(asyncio.sleep(self.settings.poll_s), control)

    async def _fetch(
        self, session: aiohttp.ClientSession, remote_id: str, target: Path, deadline: float, control: Control
    ) -> None:
        async def fetched() -> None:
            await self.client.fetch(session, remote_id, target)
            self.check(target)

        await self._retried(fetched, deadline, control)

    async def _retried(self, ask: Callable[[], Coroutine[Any, Any, T]], deadline: float, control: Control) -> T:
        """Call `ask` until it succeeds: at most MAX_FAILURES times, not beyond `deadline`. Raises its last error."""
        failures = 0
        while True:
            try:
                return await stoppable(ask(), control)
            except (ServiceFailed, BadClip) as error:
                failures += 1
                pause_s = max(self.settings.poll_s, error.retry_after_s or 0.0)
                if failures == MAX_FAILURES or pause_s > _LONGEST_PAUSE_S or self.clock() + pause_s > deadline:
                    raise
            await stoppable(asyncio.sleep(pause_s), control)

    async def _end_if_unwanted(self, session: aiohttp.ClientSession, remote_id: str, control: Control) -> None:
        """Cancel the clip at the service if nobody will want it; otherwise the next attempt resumes it."""
        if not control.unwanted():
            return
        try:
            async with asyncio.timeout(_CANCEL_S):
                await self.client.cancel(session, remote_id)
        except (ServiceFailed, ServiceRefused, TimeoutError) as error:
            structlog.get_logger().warning("remote clip not cancelled", remote_id=remote_id, error=str(error))


def _failure(work: RemoteWork) -> str:
    reason = f": {work.error}" if work.error else ""
    way_out = "reprocess the scene to order another clip (EVENTFLOW_REMOTE_ORDERS allows automatic ones)"
    return f"the video service did not make the clip {work.id} ({work.status}){reason}; {way_out}"
