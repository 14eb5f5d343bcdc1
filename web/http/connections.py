"""Limits on connections: for slow and silent clients, and for how many connections an address and the process may have.

The head of a request is due within `head_s` of the connection's start, or of the head's first byte on a kept-alive
connection. Bodies are timed by their readers (`bodies`, `uploads`). A client that doesn't read its answer is
disconnected, even while the closing connection only waits for it. aiohttp closes idle connections itself
(`keepalive_timeout`).

Connections are counted by address. The process's file descriptors are guarded by the number of the newest one: the
system gives out the lowest free number, so a high number means that all below are taken (decision 154). Some are left
to other uses, such as connections to the log and to stores.
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

#: Most connections of one address, where the settings give no number (decision 155).
_MAX_PER_ADDRESS = 10_000
#: File descriptors that connections leave free: an eighth of all, within these bounds.
_MIN_SPARE, _MAX_SPARE = 32, 256
#: Bytes that a client must read within `stall_s` to count as one that reads.
_MIN_READ_BYTES = 4_096
#: Longest time that aiohttp reads what a client still sends after its answer, so that a reset doesn't lose the answer.
_MAX_LINGER_S = 10.0
#: Longest pause between two checks of all connections, and shortest between two log lines of one kind.
_CHECK_S, _LINE_S = 1.0, 10.0


@frozen(kw_only=True)
class ConnectionLimits:
    """Durations in seconds. `files` is the number of file descriptors that the process may have open."""

    head_s: float
    body_s: float
    idle_s: float
    stall_s: float
    per_address: int
    files: int

    @property
    def last_file(self) -> int:
        """The highest file descriptor that a connection may have."""
        return self.files - 1 - max(_MIN_SPARE, min(_MAX_SPARE, self.files // 8))


def limits_of(settings: Settings) -> ConnectionLimits:
    """The limits of the settings, and of this process (RLIMIT_NOFILE)."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        files = 1 << 30
    configured = settings.web
    return ConnectionLimits(
        head_s=configured.request_head_seconds,
        body_s=configured.request_body_seconds,
        idle_s=configured.keepalive_seconds,
        stall_s=configured.stall_seconds,
        per_address=configured.connections_per_address or min(files // 2, _MAX_PER_ADDRESS),
        files=files,
    )


class Connections:
    """All connections of a process. `monotonic` gives seconds, `random_hex(n)` gives n digits for a request id."""

    def __init__(
        self, limits: ConnectionLimits, monotonic: Callable[[], float], random_hex: Callable[[int], str]
    ) -> None:
        self.limits, self.monotonic, self.random_hex = limits, monotonic, random_hex
        self._all: set[Connection] = set()
        self._per_address: Counter[str] = Counter()
        self._incidents: Counter[str] = Counter()
        self._next_line: dict[str, float] = {}

    def add(self, connection: Connection, address: str, file: int) -> bool:
        """Count the connection with file descriptor `file`; False if it exceeds a limit."""
        if file > self.limits.last_file:
            self._incidents["connections are refused: the process is short of file descriptors"] += 1
        elif self._per_address[address] >= self.limits.per_address:
            self._incidents[f"connections are refused: {address} has as many as one address may have"] += 1
        else:
            self._all.add(connection)
            self._per_address[address] += 1
            return True
        return False

    def remove(self, connection: Connection, address: str) -> None:
        """Stop counting the connection, if it was added."""
        if connection in self._all:
            self._all.remove(connection)
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Inside the block, abort overdue connections, and log refused and aborted ones."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        pause_s = min(_CHECK_S, self.limits.head_s / 4, self.limits.stall_s / 4)
        while True:
            await asyncio.sleep(pause_s)
            now = self.monotonic()
            for connection in list(self._all):
                if (reason := connection.overdue(now)) is not None:
                    connection.abort()
                    self._incidents[reason] += 1
            self._write_lines(now)

    def _write_lines(self, now: float) -> None:
        """Log each kind of incident with its count, at most once in `_LINE_S` each."""
        for kind, times in list(self._incidents.items()):
            if now >= self._next_line.get(kind, 0.0):
                _log.warning(kind, action="connections", times=times, open=len(self._all), files=self.limits.files)
                self._next_line[kind] = now + _LINE_S
                del self._incidents[kind]
        for kind in [kind for kind, until in self._next_line.items() if now >= until]:
            del self._next_line[kind]


class Connection(RequestHandler):
    """aiohttp's connection under the limits of `connections`; a request that it can't parse is answered with a problem.

    `_waiter` and `_request_count` are private to aiohttp (decision 153): its wait for a head, and its count of heads.
    """

    __slots__ = ("_address", "_connections", "_head_since", "_stalled", "_wire")

    def __init__(self, server: web.Server, connections: Connections, loop: asyncio.AbstractEventLoop) -> None:
        limits = connections.limits
        super().__init__(
            server,
            loop=loop,
            access_log=cast(Any, None),
            keepalive_timeout=limits.idle_s,
            lingering_time=min(_MAX_LINGER_S, limits.body_s),
        )
        self._connections = connections
        self._address = ""
        self._wire: asyncio.Transport | None = None
        #: Since when a head is awaited; 0: none is.
        self._head_since = 0.0
        #: (since, unsent bytes then): the client has read less than `_MIN_READ_BYTES` since.
        self._stalled: tuple[float, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        self._wire, self._address = wire, network_of(wire.get_extra_info("peername"))
        self._head_since = self._connections.monotonic()
        if self._connections.add(self, self._address, wire.get_extra_info("socket").fileno()):
            super().connection_made(transport)
        else:
            self.force_close()
            wire.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.remove(self, self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._request_count
        RequestHandler.data_received(self, data)  # on each request's path; `super()` is slower
        if self._request_count != before:
            self._head_since = 0.0
        elif data and not self._head_since and self._waiter is not None:
            self._head_since = self._connections.monotonic()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled = None

    def overdue(self, now: float) -> str | None:
        """The log line for an overdue client; None if it is in time."""
        limits = self._connections.limits
        if self.writing_paused or (self._wire is not None and self._wire.is_closing()):
            return "clients were disconnected: they don't read their answers" if self._is_stalled(now) else None
        awaits_head = self._waiter is not None and not self._waiter.done()
        if awaits_head and self._head_since and now - self._head_since >= limits.head_s:
            return "clients were disconnected: they don't finish their requests' heads"
        return None

    def _is_stalled(self, now: float) -> bool:
        left = _unsent_bytes(self._wire)
        before = self._stalled
        if before is None or not before[1] - _MIN_READ_BYTES < left <= before[1]:
            self._stalled = (now, left)
            return False
        return now - before[0] >= self._connections.limits.stall_s

    def abort(self) -> None:
        """Close the connection at once; unsent bytes are lost."""
        if self._wire is not None:
            self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that aren't a request (400), or to a failure outside of the app's middleware (500)."""
        request_id = self._connections.random_hex(16)
        facts = {"action": "http", "request_id": request_id, "status": status, "client": self._address}
        if status >= 500:
            _log.error("request failed", exc_info=exc, **facts)
        else:
            _log.info("request", error=type(exc).__name__, **facts)
        if request.writer.output_size > 0:
            raise ConnectionError("part of another answer was sent already")
        response = problem_response(_problem(status, exc), request_id)
        response.headers[REQUEST_ID_HEADER] = request_id
        response.headers["Access-Control-Allow-Origin"] = "*"  # its Origin can't be parsed either
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response


class Site(web.BaseSite):
    """A TCP address whose connections are `Connection`s; aiohttp's own sites can't be given a class."""

    def __init__(self, runner: web.BaseRunner, connections: Connections, *, host: str, port: int, backlog: int) -> None:
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
    """The part of `peer` (a socket's name) that counts as one address: IPv4 in full, 64 bits of IPv6."""
    try:
        address = ipaddress.ip_address(peer[0].partition("%")[0])
    except (TypeError, IndexError, AttributeError, ValueError):
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def _unsent_bytes(wire: asyncio.Transport | None) -> int:
    """Bytes that the client's machine hasn't received yet: those of the process, and on Linux those of the kernel."""
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
    return Problem(status, "internal", "The service failed; its log has the error under this request_id.")
