"""A TCP proxy in front of a server that simulates network faults: resets, lost answers, refusal, hangs, slowness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import define, field

_CHUNK_BYTES = 1 << 16
_CRAWL_S = 0.05


@define(eq=False)
class Proxy:
    """A proxy on `port` for `target_port`, both on loopback. `lost` counts the answers that it cut off."""

    target_port: int
    port: int = 0
    lost: int = 0
    _pause_s: float = 0.0
    _marker: bytes | None = None
    _refusing: bool = False
    _open: asyncio.Event = field(factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(factory=set)
    _writers: set[asyncio.StreamWriter] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self._open.set()

    def lose(self, marker: bytes) -> None:
        """Cut the connection instead of forwarding the answer to the next request with `marker` in it."""
        self._marker = marker

    def cut(self) -> None:
        """Reset every open connection."""
        for writer in self._writers:
            writer.transport.abort()

    def refuse(self) -> None:
        """Reset every open connection, and each new one at once."""
        self._refusing = True
        self.cut()

    def hang(self) -> None:
        """Forward nothing until `heal`; connections are accepted and stay open."""
        self._open.clear()

    def crawl(self) -> None:
        """Pause for 50 ms before each chunk is forwarded."""
        self._pause_s = _CRAWL_S

    def heal(self) -> None:
        """Forward everything again, held data included."""
        self._marker, self._refusing, self._pause_s = None, False, 0.0
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if not self._refusing:
                await self._connect(reader, writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            return  # the server is down
        self._writers.add(up_writer)
        cutting = asyncio.Event()
        pumps = [
            asyncio.create_task(self._requests(reader, up_writer, cutting)),
            asyncio.create_task(self._answers(up_reader, writer, cutting)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers.discard(up_writer)
            for one in (writer, up_writer):
                one.close()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, writer.wait_closed(), up_writer.wait_closed(), return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, cutting: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK_BYTES):
                if self._marker is not None and self._marker in data:
                    self._marker = None
                    cutting.set()
                await self._forward(data, out)

    async def _answers(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, cutting: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK_BYTES):
                if cutting.is_set():  # the server has answered, so it has executed the request
                    self.lost += 1
                    return
                await self._forward(data, out)

    async def _forward(self, data: bytes, out: asyncio.StreamWriter) -> None:
        await self._open.wait()
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        out.write(data)
        await out.drain()

    async def end(self) -> None:
        """Reset every connection, and wait until none is left."""
        self.heal()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxy_of(target_port: int) -> AsyncIterator[Proxy]:
    """Open a proxy for `target_port` on loopback; its own `port` accepts connections throughout."""
    proxy = Proxy(target_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
        await server.wait_closed()
