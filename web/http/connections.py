"""Connections of clients that may be slow, silent, or many: how long each may take, and how many there may be.

A request's head has to come within a time from the connection's first moment, or from the head's first byte on a
connection that is kept; bodies are timed by whoever reads them (`bodies`, `uploads`). A client that takes nothing of
its answer is cut off, also when the connection is being closed and only waits for that. Idle connections are aiohttp's
own matter (`keepalive_timeout`).

Connections are counted by address. The process's files are guarded by the number of the newest one: the system gives
the lowest free number, so that a high one means that all below are taken, by whatever. Some are left for other things
than connections, such as those to the log and to stores.
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import resource
import struct
import termios
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler
from attrs import frozen

from eventflow.settings import Settings
from web.http.errors import Problem, problem_response
from web.http.middleware import REQUEST_ID_HEADER

_log = structlog.get_logger()

#: Connections of one address, where the settings name no number.
_MOST_OF_ADDRESS = 10_000
#: Files that connections leave alone: an eighth of all, within these limits.
_LEAST_SPARE, _MOST_SPARE = 32, 256
#: Bytes that a client has to take within the time that it is given, to count as one that reads.
_LEAST_TAKEN = 4_096
#: How long aiohttp reads on what a client sends after its answer, so that it isn't lost to a reset, in seconds.
_MOST_LINGER_S = 10.0
#: Pause between two looks at the connections, at most, and between two log lines of one kind.
_LOOK_S, _LINE_S = 1.0, 10.0


@frozen
class Limits:
    """Durations in seconds. `files` is the number of files that the process may have open."""

    head_s: float
    body_s: float
    idle_s: float
    stall_s: float
    of_address: int
    files: int

    @property
    def last_file(self) -> int:
        """The highest number of a file that a connection may have."""
        return self.files - 1 - max(_LEAST_SPARE, min(_MOST_SPARE, self.files // 8))


def limits_of(settings: Settings) -> Limits:
    """What the settings say, in this process."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        files = 1 << 30
    wanted = settings.web
    return Limits(
        head_s=wanted.request_head_seconds,
        body_s=wanted.request_body_seconds,
        idle_s=wanted.keepalive_seconds,
        stall_s=wanted.stall_seconds,
        of_address=wanted.connections_per_address or min(files // 2, _MOST_OF_ADDRESS),
        files=files,
    )


class Connections:
    """All connections of a process. `monotonic` gives seconds, `random_hex(n)` n digits for a request's id."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float], random_hex: Callable[[int], str]) -> None:
        self.limits, self.monotonic, self.random_hex = limits, monotonic, random_hex
        self._all: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._next_line: dict[str, float] = {}

    def take_in(self, connection: Connection, address: str, file: int) -> bool:
        """Whether there is room for one more."""
        if file > self.limits.last_file:
            self._noted["connections are refused: the process is short of files"] += 1
        elif self._of_address[address] >= self.limits.of_address:
            self._noted[f"connections are refused: {address} has as many as one address may"] += 1
        else:
            self._all.add(connection)
            self._of_address[address] += 1
            return True
        return False

    def let_go(self, connection: Connection, address: str) -> None:
        if connection in self._all:
            self._all.remove(connection)
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Inside the block, end what is overdue, and log what happens."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        pause_s = min(_LOOK_S, self.limits.head_s / 4, self.limits.stall_s / 4)
        while True:
            await asyncio.sleep(pause_s)
            now = self.monotonic()
            for connection in list(self._all):
                if (why := connection.overdue(now)) is not None:
                    connection.abort()
                    self._noted[why] += 1
            self._write_lines(now)

    def _write_lines(self, now: float) -> None:
        """A line for each kind of thing that has happened, with how often; none of it more often than `_LINE_S`."""
        for what, times in list(self._noted.items()):
            if now >= self._next_line.get(what, 0.0):
                _log.warning(what, action="connections", times=times, open=len(self._all), files=self.limits.files)
                self._next_line[what] = now + _LINE_S
                del self._noted[what]
        for what in [what for what, until in self._next_line.items() if now >= until]:
            del self._next_line[what]


class Connection(RequestHandler):
    """aiohttp's, under `limits`. What it can't read is answered with a problem, as everything else is.

    `_waiter` and `_request_count` are aiohttp's: it waits for a request's head, and counts those that have come.
    """

    __slots__ = ("_address", "_connections", "_head_since", "_taking", "_wire")

    def __init__(self, server: web.Server, connections: Connections, loop: asyncio.AbstractEventLoop) -> None:
        limits = connections.limits
        super().__init__(
            server,
            loop=loop,
            access_log=cast(Any, None),
            keepalive_timeout=limits.idle_s,
            lingering_time=min(_MOST_LINGER_S, limits.body_s),
        )
        self._connections = connections
        self._address = ""
        self._wire: asyncio.Transport | None = None
        #: Since when a head is due; 0: none is.
        self._head_since = 0.0
        #: (since, bytes left): the client has taken less than `_LEAST_TAKEN` of them since.
        self._taking: tuple[float, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        self._wire, self._address = wire, network_of(wire.get_extra_info("peername"))
        self._head_since = self._connections.monotonic()
        if self._connections.take_in(self, self._address, wire.get_extra_info("socket").fileno()):
            super().connection_made(transport)
        else:
            self.force_close()
            wire.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.let_go(self, self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._request_count
        RequestHandler.data_received(self, data)  # for every request: `super` takes its time
        if self._request_count != before:
            self._head_since = 0.0
        elif data and not self._head_since and self._waiter is not None:
            self._head_since = self._connections.monotonic()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taking = None

    def overdue(self, now: float) -> str | None:
        """What the client has let pass, if anything."""
        limits = self._connections.limits
        if self.writing_paused or (self._wire is not None and self._wire.is_closing()):
            return "clients were cut off: they don't take their answers" if self._takes_nothing(now) else None
        waits = self._waiter is not None and not self._waiter.done()
        if waits and self._head_since and now - self._head_since >= limits.head_s:
            return "clients were cut off: they don't finish their requests' heads"
        return None

    def _takes_nothing(self, now: float) -> bool:
        left = _unsent(self._wire)
        before = self._taking
        if before is None or not before[1] - _LEAST_TAKEN < left <= before[1]:
            self._taking = (now, left)
            return False
        return now - before[0] >= self._connections.limits.stall_s

    def abort(self) -> None:
        if self._wire is not None:
            self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what never became a request of the app (400), or what failed on the way back."""
        request_id = self._connections.random_hex(16)
        facts = {"action": "http", "request_id": request_id, "status": status, "client": self._address}
        if status >= 500:
            _log.error("request failed", exc_info=exc, **facts)
        else:
            _log.info("request", error=type(exc).__name__, **facts)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer was sent already")
        response = problem_response(_problem(status, exc), request_id)
        response.headers[REQUEST_ID_HEADER] = request_id
        response.headers["Access-Control-Allow-Origin"] = "*"  # whose page has sent it, can't be read either
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response


class Site(web.BaseSite):
    """A TCP address whose connections are ours; aiohttp's own site makes plain ones."""

    def __init__(self, runner: web.BaseRunner, connections: Connections, host: str, port: int, backlog: int) -> None:
        super().__init__(runner, backlog=backlog)
        self._connections, self._host, self._port = connections, host, port

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        loop, server = asyncio.get_running_loop(), self._runner.server
        assert server is not None
        make = partial(Connection, server, self._connections, loop)
        self._server = await loop.create_server(make, self._host, self._port, backlog=self._backlog)


def network_of(peer: Any) -> str:
    """What counts as one address of `peer` (a socket's name): an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        address = ipaddress.ip_address(peer[0].partition("%")[0])
    except (TypeError, IndexError, AttributeError, ValueError):
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def _unsent(wire: asyncio.Transport | None) -> int:
    """Bytes that the client's machine hasn't taken yet: ours, and those that the system holds (Linux tells)."""
    if wire is None:
        return 0
    try:
        held = fcntl.ioctl(wire.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, AttributeError, ValueError):
        return wire.get_write_buffer_size()
    return wire.get_write_buffer_size() + int(struct.unpack("i", held)[0])


def _problem(status: int, error: BaseException | None) -> Problem:
    if status == 400:
        too_long = isinstance(error, LineTooLong)
        detail = "A line of its head is too long." if too_long else "It doesn't follow HTTP/1.1."
        return Problem(400, "bad_request", f"The request can't be read. {detail}")
    return Problem(status, "internal", "Something went wrong on our side; the log has it under this request_id.")
