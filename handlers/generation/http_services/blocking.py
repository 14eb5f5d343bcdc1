"""Runs coroutines in a pipeline's thread, in an event loop of their own, until the caller asks to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from handlers.generation.control import Control
from handlers.generation.errors import Stopped

T = TypeVar("T")

#: Seconds between two checks of `should_stop`.
_POLL_S: Final = 0.1


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in a thread without an event loop; returns its result. Blocking."""
    with asyncio.Runner() as runner:
        return runner.run(work)


async def stoppable(work: Coroutine[Any, Any, T], control: Control, *, grace_s: float = 0.0) -> T:
    """Await `work`; cancel it `grace_s` seconds after the caller asks to stop, and don't begin it afterwards.

    Raises Stopped if it was not finished.
    """
    if control.should_stop():
        work.close()
        raise Stopped("stopped before the request to a service")
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_S)
            if control.should_stop() and not task.done():
                await asyncio.wait({task}, timeout=grace_s)
                break
        if task.done():
            return task.result()
        raise Stopped("stopped while waiting for a service")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
