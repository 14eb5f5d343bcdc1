"""Obtains one clip from a service and pays once: orders it or goes on with an order, waits, and downloads it.

An order is in the job's history before it is sent, and its id before the wait (decisions 107 and 228). What became of
an order whose answer is lost isn't known: it fails the scene, unless the service keeps idempotency keys. An interrupted
attempt leaves the clip to the next one; it is cancelled at the service only if nobody will want it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import structlog
from attrs import define, evolve, frozen

from eventflow.domain.remote_orders import RemoteOrder
from eventflow.domain.values import OrderOutcome
from eventflow.settings import RemoteSettings
from handlers.generation.control import Charged, Control, RemoteEnded, RemoteOrdered, RemoteStarted, Warned
from handlers.generation.errors import Stopped
from handlers.generation.http_services.blocking import run, stoppable
from handlers.generation.http_services.client import http_session
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.text_to_video.client import VideosClient
from handlers.generation.text_to_video.clip_request import ClipRequest
from handlers.generation.text_to_video.errors import (
    ClipNotThere,
    OrderUnknown,
    RemoteFailed,
    RemoteLate,
    RemoteUnknown,
)
from handlers.generation.text_to_video.status import RemoteWork, State
from handlers.media.errors import BadClip

T = TypeVar("T")

#: The service's name in recorded remote work and costs.
SERVICE: Final = "remote"
#: Failures in a row that fail the attempt, and the longest pause in seconds that an attempt waits out.
MAX_FAILURES: Final = 5
_LONGEST_PAUSE_S: Final = 60.0
#: Seconds to wait for the answer to an order after a request to stop: without it, what became of the order is unknown.
_ORDER_GRACE_S: Final = 30.0
_CANCEL_S: Final = 5.0
_ANOTHER: Final = (
    "look for it at the service; reprocess the scene to order another clip, or set EVENTFLOW_REMOTE_KEEPS_KEYS=on if "
    "the service makes one clip of orders with the same Idempotency-Key"
)


@frozen
class EarlierOrders:
    """The order to go on with, how many orders services took in this run, and its number."""

    order: RemoteOrder | None = None
    taken: int = 0
    run: int = 1


@define
class _Scene:
    """What is being obtained for a scene. `order` is the one in hand; `own`: it is of this run."""

    wanted: ClipRequest
    target: Path
    control: Control
    order: RemoteOrder | None
    taken: int
    own: bool


@frozen(kw_only=True)
class ClipOrders:
    """Orders clips from one service. `check` raises BadClip for an invalid file.

    `clock` returns seconds, `now` the time by which orders of other attempts are dated.
    """

    client: VideosClient
    settings: RemoteSettings
    check: Callable[[Path], object]
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def obtain(self, wanted: ClipRequest, earlier: EarlierOrders, target: Path, control: Control) -> None:
        """Obtain the clip `wanted` into `target`. Blocking.

        Raises RemoteFailed, RemoteLate, OrderUnknown, BadClip, ServiceFailed, ServiceRefused, Stopped.
        """
        order = earlier.order
        own = order is not None and order.run == earlier.run
        if order is not None and not own and order.request != wanted.summary(self.client.model):
            order = None  # something else is wanted by now
        run(self._obtain(_Scene(wanted, target, control, order, earlier.taken, own)))

    async def _obtain(self, scene: _Scene) -> None:
        async with http_session() as session:
            while True:
                remote_id = await self._taken(session, scene)
                try:
                    work = await self._finished(session, remote_id, scene)
                    if work.state is State.DONE and await self._fetched(session, work, scene):
                        return
                except Stopped:
                    await self._end_if_unwanted(session, remote_id, scene.control)
                    raise
                if work.state is State.FAILED:
                    scene.control.note(RemoteEnded(SERVICE, OrderOutcome.FAILED, _reason(work)))
                if scene.own and scene.taken >= self.settings.orders:
                    raise RemoteFailed(_failure(work.id, _reason(work)))
                scene.order, scene.own = None, True

    async def _taken(self, session: aiohttp.ClientSession, scene: _Scene) -> str:
        """Return the id of the order in hand, or of one that is placed first. Raises RemoteFailed and OrderUnknown."""
        order = scene.order
        if order is None:
            return await self._placed(session, scene)
        if order.outcome is None and order.remote_id is not None:
            return order.remote_id
        if order.outcome is OrderOutcome.FAILED and scene.taken >= self.settings.orders:
            raise RemoteFailed(_failure(order.remote_id or "", order.answer))
        if (order.open or order.outcome is OrderOutcome.UNKNOWN) and not self.client.dialect.keeps_keys:
            if order.open:
                scene.control.note(RemoteEnded(SERVICE, OrderOutcome.UNKNOWN))
            raise OrderUnknown(_unknown(order.order, order.answer or "the attempt that sent the order was interrupted"))
        return await self._placed(session, scene)

    async def _placed(self, session: aiohttp.ClientSession, scene: _Scene) -> str:
        """Order the clip; orders that the service puts off are sent again for a while, at growing intervals.

        Each is two events in the job's history: a service that asks for no pause doesn't fill it.
        """
        until, pause_s = self.clock() + self.settings.busy_s, self.settings.poll_s
        while True:
            try:
                remote_id = await self._order(session, scene)
            except ServiceFailed as error:
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
                wait_s = max(error.retry_after_s or 0.0, pause_s)
                if wait_s > _LONGEST_PAUSE_S or self.clock() + wait_s > until:
                    raise
                await stoppable(asyncio.sleep(wait_s), scene.control)
            else:
                scene.taken, scene.own = scene.taken + 1, True
                scene.order = None
                return remote_id

    async def _order(self, session: aiohttp.ClientSession, scene: _Scene) -> str:
        """Send one order; it is in the job's history before, and what became of it when this ends."""
        wanted, control = scene.wanted, scene.control
        key = f"{wanted.idempotency_key}-{scene.taken}" if wanted.idempotency_key else ""
        control.note(
            RemoteOrdered(service=SERVICE, order=key, request=wanted.summary(self.client.model), at=self.now())
        )
        asked = self.client.submit(session, evolve(wanted, idempotency_key=key))
        try:
            remote_id = await stoppable(asked, control, grace_s=_ORDER_GRACE_S)
        except (ServiceFailed, ServiceRefused) as error:
            control.note(RemoteEnded(SERVICE, OrderOutcome.REFUSED, str(error)))
            raise
        except OrderUnknown as error:
            if self.client.dialect.keeps_keys:  # the same order again
                raise ServiceFailed(f"{self.client.service.title} may have taken the order: {error}") from error
            control.note(RemoteEnded(SERVICE, OrderOutcome.UNKNOWN, error.answer or str(error)))
            raise OrderUnknown(_unknown(key, str(error)), error.answer) from error
        try:
            control.note(RemoteStarted(SERVICE, remote_id))
        except Exception:
            await self._end_if_unwanted(session, remote_id, control)
            raise
        return remote_id

    def _deadline(self, scene: _Scene) -> float:
        """Return by when the clip has to be ready: counted from its order, in an earlier attempt of this run, too."""
        ordered_at = scene.order.ordered_at if scene.order is not None and scene.own else None
        passed_s = max(0.0, (self.now() - ordered_at).total_seconds()) if ordered_at else 0.0
        return self.clock() + self.settings.timeout_s - passed_s

    async def _finished(self, session: aiohttp.ClientSession, remote_id: str, scene: _Scene) -> RemoteWork:
        """Wait until the clip is done or failed; its cost is noted. Raises RemoteLate after the deadline."""
        unknown: set[str] = set()
        deadline, control = self._deadline(scene), scene.control
        while True:
            try:
                work = await self._retried(lambda: self.client.status(session, remote_id), deadline, control)
            except RemoteUnknown as error:
                return RemoteWork(id=remote_id, state=State.FAILED, status="unknown", error=str(error))
            if work.progress is not None:
                control.on_progress(work.progress)
            if work.state in (State.DONE, State.FAILED):
                self._note_cost(work, control)
                return work
            if work.state is State.UNKNOWN and work.status not in unknown:
                unknown.add(work.status)
                message = f"the video service reports the unknown status {work.status!r}; the clip is still awaited"
                control.note(Warned("remote_status", message))
            if self.clock() + self.settings.poll_s > deadline:
                way_out = "reprocess the scene to wait for it again: nothing is ordered anew"
                limit = f"{self.settings.timeout_s:g} s of its order (EVENTFLOW_REMOTE_TIMEOUT_SECONDS)"
                raise RemoteLate(f"the clip {remote_id} was not ready within {limit}; {way_out}")
            await stoppable(asyncio.sleep(self.settings.poll_s), control)

    def _note_cost(self, work: RemoteWork, control: Control) -> None:
        if work.cost is not None:
            control.note(
                Charged(service=SERVICE, amount=work.cost.amount, currency=work.cost.currency, reference=work.id)
            )

    async def _fetched(self, session: aiohttp.ClientSession, work: RemoteWork, scene: _Scene) -> bool:
        """Download the clip. False: it can't be had, and another may be ordered. Raises what `obtain` does.

        Addresses expire, so that each try but the first begins with a look at the state. A clip that isn't there stays
        ordered: a later run looks again, and only then orders another.
        """
        latest, tries = work, 0

        async def fetched() -> None:
            nonlocal latest, tries
            if tries:
                latest = await self.client.status(session, work.id)
            tries += 1
            await self.client.fetch(session, latest, scene.target)
            self.check(scene.target)

        try:
            await self._retried(fetched, self.clock() + self.settings.timeout_s, scene.control)
        except (ClipNotThere, RemoteUnknown, BadClip) as error:
            if isinstance(error, ClipNotThere) and work.error:  # "completed", with an error in place of a clip
                scene.control.note(RemoteEnded(SERVICE, OrderOutcome.FAILED, work.error))
                raise RemoteFailed(_failure(work.id, f"({work.status}): {work.error}")) from error
            if scene.own:
                raise
            scene.control.note(RemoteEnded(SERVICE, OrderOutcome.FAILED, str(error)))
            return False
        return True

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


def _reason(work: RemoteWork) -> str:
    return f"({work.status}){work.error and ': '}{work.error}"


def _failure(remote_id: str, reason: str) -> str:
    way_out = "reprocess the scene to order another clip (EVENTFLOW_REMOTE_ORDERS allows automatic ones)"
    return f"the video service did not make the clip {remote_id} {reason}; {way_out}"


def _unknown(key: str, reason: str) -> str:
    order = f"the order {key}" if key else "the order"
    return f"the video service may have taken {order}, which costs: {reason}; {_ANOTHER}"
