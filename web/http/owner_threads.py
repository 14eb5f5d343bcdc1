"""Places for work that takes the processor: threads that owners share, of which one owner gets a part."""

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

#: Pieces of work at a time, of all owners and of one: what one owner asks for can't take all places.
THREADS: Final = 4
OWN_THREADS: Final = 2
#: How many requests of one owner may wait for its places.
OWN_WAITING: Final = 256


@define(eq=False)
class _Owner:
    """`asked` counts requests without an answer, `working` threads that work for them, or for answered ones still."""

    asked: int = 0
    working: int = 0
    places: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(OWN_THREADS))


class OwnerThreads:
    """Threads for one kind of work.

    A thread can't be stopped: work that nobody waits for any more keeps its place until it asks `should_stop`, or ends.
    """

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(THREADS, name)
        self._owners: dict[str, _Owner] = {}

    async def run(self, owner: str, work: Callable[[Callable[[], bool]], T]) -> T:
        """What `work(should_stop)` returns, once the owner has a place. Raises Problem 429, and what `work` raises."""
        own = self._owners.setdefault(owner, _Owner())
        if own.asked >= OWN_THREADS + OWN_WAITING:
            detail = (
                f"{own.asked} requests of yours wait already. Try again in {RETRY_SECONDS} s, with fewer at a time."
            )
            raise Problem(429, "planning_busy", detail, headers=RETRY)
        own.asked += 1
        unwanted = threading.Event()
        try:
            await own.places.acquire()
            own.working += 1
            future = self._threads.submit(work, unwanted.is_set)
            self._free_at_end(owner, own, future)
            return await asyncio.wrap_future(future)
        finally:
            unwanted.set()
            own.asked -= 1
            self._forget(owner, own)

    def close(self) -> None:
        """Begin nothing more. What runs isn't waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _free_at_end(self, owner: str, own: _Owner, future: Future[Any]) -> None:
        """The place is free when the thread is, which may be long after its request was answered."""
        loop = asyncio.get_running_loop()

        def free() -> None:
            own.working -= 1
            own.places.release()
            self._forget(owner, own)

        def ended(_: Future[Any]) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(free)

        future.add_done_callback(ended)

    def _forget(self, owner: str, own: _Owner) -> None:
        if not own.asked and not own.working:
            self._owners.pop(owner, None)
