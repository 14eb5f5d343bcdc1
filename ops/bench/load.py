"""A small HTTP/1.1 load generator: keep-alive connections, one request at a time on each.

Hand-written, because a full client costs more per request than the measured server, so that the figure would be its
own.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from time import perf_counter
from typing import Self, cast


class Connection(asyncio.Protocol, ABC):
    """A connection with one request at a time: `ask` sends it, `answered` gets the answer.

    `ended` is done when the connection is closed.
    """

    def __init__(self) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._head = self._buffer = b""
        self._missing = -1  #: missing bytes of the body; -1: the head isn't complete

    async def open(self, port: int) -> Self:
        """Connect to a port on loopback."""
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        return self

    @abstractmethod
    def answered(self, head: bytes, body: bytes) -> None:
        """Handle a complete answer."""

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._transport.write(request)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if self._missing < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._missing = _length(self._head)
        if len(self._buffer) >= self._missing:
            head, body = self._head, self._buffer
            self._head, self._buffer, self._missing = b"", b"", -1
            self.answered(head, body)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at:].split(b"\r\n", 1)[0])


def get(path: str) -> bytes:
    """Return the bytes of a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class _InTurn(Connection):
    """Sends the requests that `next_request` returns, each after the answer to the one before; None ends it."""

    def __init__(self, next_request: Callable[[], bytes | None]) -> None:
        super().__init__()
        self._next = next_request
        self.answers = 0
        self.errors = 0

    def send_next(self) -> None:
        request = self._next()
        if request is None:
            self.close()
        else:
            self.ask(request)

    def answered(self, head: bytes, body: bytes) -> None:
        self.errors += not head.startswith(b"HTTP/1.1 200")
        self.answers += 1
        self.send_next()


async def requests_per_s(port: int, paths: list[bytes], *, connections: int, seconds: float) -> float:
    """Return the answered requests per second; `paths` are requested in turn. Raises RuntimeError if one fails."""
    began = perf_counter()
    position = 0

    def next_request() -> bytes | None:
        nonlocal position
        position += 1
        return paths[position % len(paths)] if perf_counter() - began < seconds else None

    asking = [await _InTurn(next_request).open(port) for _ in range(connections)]
    for each in asking:
        each.send_next()
    await asyncio.gather(*(each.ended for each in asking))
    elapsed = perf_counter() - began
    if any(each.errors for each in asking):
        raise RuntimeError(f"{sum(each.errors for each in asking)} answers weren't 200")
    return sum(each.answers for each in asking) / elapsed
