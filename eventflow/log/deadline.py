"""Deadlines: how long a request, or each command of a tool, waits for the log in all.

A command has a time-out of its own, and is retried over a new connection: with a server that hangs that takes 40 s, and
a request sends several commands. Only time spent waiting for the log counts, so that uploads, streams and long polls
may take longer. Workers and background tasks have no deadline: they wait for the server.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import TracebackType

from redis.exceptions import TimeoutError as RedisTimeoutError


class LogTimeout(RedisTimeoutError):
    """The server hasn't answered within the deadline. The command may have been executed all the same."""


class Deadline:
    """`seconds` of waiting in all, concurrent waits counted once; with `each`, per command."""

    __slots__ = ("_each", "_left", "_seconds", "_since", "_waiting")

    def __init__(self, seconds: float, *, each: bool = False) -> None:
        self._seconds, self._left, self._each = seconds, seconds, each
        self._waiting, self._since = 0, 0.0

    def begin(self, now: float) -> float:
        """Begin to wait at `now`; returns the time at which the deadline expires.

        Times are of the event loop, in s.
        """
        if self._each:
            return now + self._seconds
        if not self._waiting:
            self._since = now
        self._waiting += 1
        return self._since + self._left

    def end(self, now: float) -> None:
        """End a wait that `begin` began."""
        if self._each:
            return
        self._waiting -= 1
        if not self._waiting:
            self._left -= now - self._since

    def __str__(self) -> str:
        return f"{self._seconds:g} s"


_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def set_deadline(deadline: Deadline | None) -> None:
    """Set the deadline of the running task, and of tasks that it starts from now on."""
    _CURRENT.set(deadline)


class WithinDeadline:
    """`async with WithinDeadline()` around code that waits for the log.

    Raises LogTimeout when the deadline expires.
    """

    __slots__ = ("_deadline", "_timeout")

    async def __aenter__(self) -> None:
        self._deadline = deadline = _CURRENT.get()
        if deadline is not None:
            self._timeout = asyncio.timeout_at(deadline.begin(asyncio.get_running_loop().time()))
            await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadline = self._deadline
        if deadline is None:
            return
        deadline.end(asyncio.get_running_loop().time())
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise LogTimeout(f"the server hasn't answered within {deadline}") from late
