"""A small HTTP/1.1 load generator: keep-alive connections, one request at a time on each.

Hand-written, because a full client costs more per request than the server that is measured, and would then be
what is measured.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from time import perf_counter
from typing import Self, cast


class Connection(asyncio.Protocol, ABC):
    """One request at a time: `ask`, and `answered` hears. `ended` is done when the connection is closed."""

    def __init__(self) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._head = self._buffer = b""
        self._missing = -1  #: bytes of the body still to come; -1: still in the head

    async def open(self, port: int) -> Self:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        return self

    @abstractmethod
    def answered(self, head: bytes, body: bytes) -> None: ...

    def ask(self, request: bytes) -> None:
        self._transport.write(request)

    def close(self) -> None:
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
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class _InTurn(Connection):
    """Asks for what `next_request` gives, the next one when an answer is complete; None ends it."""

    def __init__(self, next_request: Callable[[], bytes | None]) -> None:
        super().__init__()
        self._next = next_request
        self.answers = 0
        self.errors = 0

    def go_on(self) -> None:
        request = self._next()
        if request is None:
            self.close()
        else:
            self.ask(request)

    def answered(self, head: bytes, body: bytes) -> None:
        self.errors += not head.startswith(b"HTTP/1.1 200")
        self.answers += 1
        self.go_on()


async def requests_per_s(port: int, paths: list[bytes], *, connections: int, seconds: float) -> float:
    """Requests that are answered per second, taking `paths` in turn. Raises RuntimeError if one fails."""
    began = perf_counter()
    position = 0

    def next_request() -> bytes | None:
        nonlocal position
        position += 1
        return paths[position % len(paths)] if perf_counter() - began < seconds else None

    asking = [await _InTurn(next_request).open(port) for _ in range(connections)]
    for each in asking:
        each.go_on()
    await asyncio.gather(*(each.ended for each in asking))
    elapsed = perf_counter() - began
    if any(each.errors for each in asking):
        raise RuntimeError(f"{sum(each.errors for each in asking)} answers weren't 200")
    return sum(each.answers for each in asking) / elapsed
