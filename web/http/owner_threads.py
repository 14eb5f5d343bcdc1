"""Threads for CPU-bound work, shared by owners, with a limit for each owner."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

from attrs import define, field

from web.http.errors import RETRY, RETRY_SECONDS, Problem

T = TypeVar("T")

#: Threads of all owners, and the most of one owner: no owner can occupy all of them (decision 183).
THREADS: Final = 4
THREADS_PER_OWNER: Final = 2
#: Most requests of one owner that wait for a thread.
WAITING_PER_OWNER: Final = 256


@define(eq=False)
class _Owner:
    """`unanswered` counts requests, `working` the threads that work for them or, still, for cancelled ones."""

    unanswered: int = 0
    working: int = 0
    slots: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(THREADS_PER_OWNER))


class OwnerThreads:
    """Threads for one kind of work.

    Python can't stop a thread: cancelled work occupies its thread until it checks `should_stop`, or ends.
    """

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(THREADS, name)
        self._owners: dict[str, _Owner] = {}

    async def run(self, owner: str, work: Callable[[Callable[[], bool]], T]) -> T:
        """Run `work(should_stop)` in a thread as soon as the owner may have one; returns its result.

        Raises Problem 429 where too many requests of the owner wait, and whatever `work` raises.
        """
        own = self._owners.setdefault(owner, _Owner())
        if own.unanswered >= THREADS_PER_OWNER + WAITING_PER_OWNER:
            detail = (
                f"{own.unanswered} requests of yours are waiting. Try again in {RETRY_SECONDS} s, with fewer at a time."
            )
            raise Problem(429, "planning_busy", detail, headers=RETRY)
        own.unanswered += 1
        cancelled = threading.Event()
        try:
            await own.slots.acquire()
            own.working += 1
            future = self._threads.submit(work, cancelled.is_set)
            self._release_when_done(owner, own, future)
            return await asyncio.wrap_future(future)
        finally:
            cancelled.set()
            own.unanswered -= 1
            self._forget(owner, own)

    def close(self) -> None:
        """Start no more work, and don't wait for running work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _release_when_done(self, owner: str, own: _Owner, future: Future[Any]) -> None:
        """Release the slot when the thread is free, which may be long after its request was answered."""
        loop = asyncio.get_running_loop()

        def release() -> None:
            own.working -= 1
            own.slots.release()
            self._forget(owner, own)

        def done(_: Future[Any]) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(release)

        future.add_done_callback(done)

    def _forget(self, owner: str, own: _Owner) -> None:
        if not own.unanswered and not own.working:
            self._owners.pop(owner, None)
