"""Waiting for a condition, never for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

PAUSE_S = 0.02


@overload
async def wait_until(
    predicate: Callable[[], Awaitable[T]], timeout_s: float = 30.0, *, what: str = "the condition"
) -> T: ...
@overload
async def wait_until(predicate: Callable[[], T], timeout_s: float = 30.0, *, what: str = "the condition") -> T: ...
async def wait_until(
    predicate: Callable[[], Awaitable[T] | T], timeout_s: float = 30.0, *, what: str = "the condition"
) -> T:
    """The first true value of `predicate`, which may be a coroutine function. Raises AssertionError."""
    until = time.monotonic() + timeout_s
    while True:
        value = predicate()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < until, f"{what} hasn't come true within {timeout_s:g} s; it is {value!r}"
        await asyncio.sleep(PAUSE_S)


def wait_until_sync(predicate: Callable[[], T], timeout_s: float = 30.0, *, what: str = "the condition") -> T:
    """The same where there is no event loop."""
    until = time.monotonic() + timeout_s
    while not (value := predicate()):
        assert time.monotonic() < until, f"{what} hasn't come true within {timeout_s:g} s; it is {value!r}"
        time.sleep(PAUSE_S)
    return value
