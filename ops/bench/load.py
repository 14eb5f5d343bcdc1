"""A small HTTP/1.1 load generator: keep-alive connections, one request at a time on each.

Hand-written, because a full client costs more per request than the server that is measured, and would then be
what is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import cast


class _Connection(asyncio.Protocol):
    """Asks for the paths that `next_request` gives, the next one when an answer is complete; None ends it."""

    def __init__(self, next_request: Callable[[], bytes | None], done: asyncio.Future[None]) -> None:
        self._next, self._done = next_request, done
        self._buffer = b""
        self._missing = -1  #: bytes of the body still to come; -1: still in the head
        self.answers = 0
        self.errors = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._ask()

    def _ask(self) -> None:
        request = self._next()
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing >= 0:
            self._missing -= len(data)
        else:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head, self._missing = self._buffer[:end], _length(self._buffer[:end]) - (len(self._buffer) - end - 4)
            self._buffer = b""
            self.errors += not head.startswith(b"HTTP/1.1 200")
        if self._missing == 0:
            self._missing = -1
            self.answers += 1
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at:].split(b"\r\n", 1)[0])


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


async def requests_per_s(port: int, paths: list[bytes], *, connections: int, seconds: float) -> float:
    """Requests that are answered per second, taking `paths` in turn. Raises RuntimeError if one fails."""
    loop = asyncio.get_running_loop()
    began = perf_counter()
    position = 0

    def next_request() -> bytes | None:
        nonlocal position
        position += 1
        return paths[position % len(paths)] if perf_counter() - began < seconds else None

    protocols, ends = [], []
    for _ in range(connections):
        done = loop.create_future()
        _, protocol = await loop.create_connection(partial(_Connection, next_request, done), "127.0.0.1", port)
        protocols.append(protocol)
        ends.append(done)
    await asyncio.gather(*ends)
    elapsed = perf_counter() - began
    if any(p.errors for p in protocols):
        raise RuntimeError(f"{sum(p.errors for p in protocols)} answers weren't 200")
    return sum(p.answers for p in protocols) / elapsed
