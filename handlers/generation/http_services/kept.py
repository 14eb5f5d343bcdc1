"""What a service tells of itself, kept for an hour. Safe from any thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any, Final, Generic, TypeVar

import structlog
from attrs import define, field

from handlers.generation.http_services.blocking import run
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused

T = TypeVar("T")
#: Seconds for which an answer holds, and for which the service isn't asked again after a failure.
_HOLDS_S: Final = 3_600.0
_AGAIN_S: Final = 60.0


@define(eq=False)
class Kept(Generic[T]):
    """The answer to `ask`, which raises ServiceFailed, ServiceRefused or ValueError; `value` until there is one."""

    ask: Callable[[], Coroutine[Any, Any, T]]
    value: T
    clock: Callable[[], float] = time.monotonic
    _until: float = -math.inf
    _lock: Lock = field(factory=Lock)

    def get(self) -> T:
        """Return the last answer; ask if it is old. Blocking."""
        with self._lock:
            if self.clock() >= self._until:
                self._renew()
            return self.value

    def _renew(self) -> None:
        try:
            self.value = run(self.ask())
        except (ServiceFailed, ServiceRefused, ValueError) as error:
            structlog.get_logger().warning("a service doesn't tell what it has", error=str(error))
            self._until = self.clock() + _AGAIN_S
            return
        self._until = self.clock() + _HOLDS_S
