"""Asks a busy or loading service again within one attempt, for a limited time.

Only what costs nothing is asked again: refusals that pass, and connections that were never made.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any, Final, TypeVar

from attrs import define, field

from eventflow.backoff import backoff_s
from handlers.generation.control import Control, Warned
from handlers.generation.http_services.blocking import stoppable
from handlers.generation.http_services.causes import Cause
from handlers.generation.http_services.errors import AnswerLost, ServiceFailed

T = TypeVar("T")
#: Pauses in seconds; half of the longest is the shortest of the later ones.
FIRST_S: Final = 10.0
LONGEST_S: Final = 30.0
_WAITED_FOR: Final = (Cause.BUSY, Cause.LOADING)


@define
class BusyWaits:
    """Waits `limit_s` seconds in all for a service that fails again and again.

    The time starts again with an answer, and after `limit_s` without a failure. Threads may share it: the time counts
    once for all of them.
    """

    limit_s: float
    first_s: float = FIRST_S
    longest_s: float = LONGEST_S
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None
    _last: float = 0.0
    _lock: Any = field(factory=Lock, eq=False, repr=False)

    def pause_s(self, error: ServiceFailed, attempt: int) -> float | None:
        """Return how long to wait after failure number `attempt` (from 1); None where the error is to be raised."""
        if isinstance(error, AnswerLost) or error.cause not in _WAITED_FOR:
            return None
        grown = backoff_s(attempt, first_s=self.first_s, longest_s=self.longest_s, random=random.Random())  # noqa: S311
        pause = max(grown, error.retry_after_s or 0.0)
        with self._lock:
            now = self.clock()
            if self._since is None or now - self._last > self.limit_s:
                self._since = now
            self._last = now
            return pause if now + pause - self._since <= self.limit_s else None

    def answered(self) -> None:
        """Note that the service works."""
        with self._lock:
            self._since = None


async def waiting_while_busy(
    ask: Callable[[], Coroutine[Any, Any, T]], busy_waits: BusyWaits, control: Control, title: str
) -> T:
    """Call `ask` until it succeeds or `busy_waits` ends; the first wait is noted. Raises its last error, Stopped."""
    attempt = 0
    while True:
        try:
            result = await stoppable(ask(), control)
        except ServiceFailed as error:
            attempt += 1
            pause = busy_waits.pause_s(error, attempt)
            if pause is None:
                raise
            if attempt == 1:
                control.note(Warned("service_waited_for", f"waiting for {title}: {error}"))
        else:
            busy_waits.answered()
            return result
        await stoppable(asyncio.sleep(pause), control)
