"""How long somebody waits for the log in all: a request, or each command of a tool.

A command has a time-out of its own, and is tried again over a new connection: with a server that hangs that makes
40 s, and a request sends several. Only waiting for the log counts, so that uploads, streams and long polls may take
as long as they do. Workers and what runs in the background carry no patience: they wait for the server.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import TracebackType

from redis.exceptions import TimeoutError as RedisTimeoutError


class LogSilent(RedisTimeoutError):
    """The server hasn't answered within the time that there was. What was sent may have been done all the same."""


class Deadline:
    """`seconds` of waiting in all, in which what waits side by side counts once; or, with `each`, for every command
    anew, whatever waits beside it."""

    __slots__ = ("_each", "_left", "_seconds", "_since", "_waiting")

    def __init__(self, seconds: float, *, each: bool = False) -> None:
        self._seconds, self._left, self._each = seconds, seconds, each
        self._waiting, self._since = 0, 0.0

    def begin(self, now: float) -> float:
        """Wait from `now` on; returns when it is over."""
        if self._each:
            return now + self._seconds
        if not self._waiting:
            self._since = now
        self._waiting += 1
        return self._since + self._left

    def end(self, now: float) -> None:
        if self._each:
            return
        self._waiting -= 1
        if not self._waiting:
            self._left -= now - self._since

    def __str__(self) -> str:
        return f"{self._seconds:g} s"


_CARRIED: ContextVar[Deadline | None] = ContextVar("patience", default=None)


def carry(patience: Deadline | None) -> None:
    """From here on the running task, and those that it starts, wait for the log no longer than `patience`."""
    _CARRIED.set(patience)


class Waiting:
    """`async with Waiting()` around what waits for the log, itself or for others that do. Raises LogSilent once the
    patience is at its end."""

    __slots__ = ("_patience", "_timeout")

    async def __aenter__(self) -> None:
        self._patience = patience = _CARRIED.get()
        if patience is not None:
            self._timeout = asyncio.timeout_at(patience.begin(asyncio.get_running_loop().time()))
            await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        patience = self._patience
        if patience is None:
            return
        patience.end(asyncio.get_running_loop().time())
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise LogSilent(f"the server hasn't answered within {patience}") from late
