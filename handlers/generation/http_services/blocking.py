"""Async work in a pipeline's thread, in an event loop of its own, ended soon after the caller asks to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from handlers.generation.control import Control
from handlers.generation.errors import Stopped

T = TypeVar("T")

_LOOK_S: Final = 0.1


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Blocking; for a thread that has no event loop."""
    with asyncio.Runner() as runner:
        return runner.run(work)


async def stoppable(work: Coroutine[Any, Any, T], control: Control, *, grace_s: float = 0.0) -> T:
    """The result of `work`, which isn't begun once the caller has asked to stop, and is cancelled `grace_s` after that.

    Raises Stopped then.
    """
    if control.should_stop():
        work.close()
        raise Stopped("stopped before a service was asked")
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_S)
            if control.should_stop() and not task.done():
                await asyncio.wait({task}, timeout=grace_s)
                break
        if task.done():
            return task.result()
        raise Stopped("stopped while waiting for a service")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
