"""A TCP proxy in front of a server that can lose an answer: the request has gone through, its reply is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field


@define(eq=False)
class Proxy:
    """`lose(marker)` cuts the connection instead of forwarding the answer to the next request with `marker` in it."""

    target_port: int
    port: int = 0
    lost: int = 0
    _marker: bytes | None = None
    _tasks: set[asyncio.Task[None]] = field(factory=set)
    _writers: set[asyncio.StreamWriter] = field(factory=set)

    def lose(self, marker: bytes) -> None:
        self._marker = marker

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        self._writers |= {writer, up_writer}
        cutting = asyncio.Event()
        pumps = [
            asyncio.create_task(self._requests(reader, up_writer, cutting)),
            asyncio.create_task(self._answers(up_reader, writer, cutting)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for one in (writer, up_writer):
            one.close()
        await asyncio.gather(*pumps, writer.wait_closed(), up_writer.wait_closed(), return_exceptions=True)
        self._writers -= {writer, up_writer}
        self._tasks.discard(task)

    async def _requests(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, cutting: asyncio.Event) -> None:
        while data := await reader.read(1 << 20):
            if self._marker is not None and self._marker in data:
                self._marker = None
                cutting.set()
            out.write(data)
            await out.drain()

    async def _answers(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, cutting: asyncio.Event) -> None:
        while data := await reader.read(1 << 20):
            if cutting.is_set():  # the server has answered: it has done what was asked
                self.lost += 1
                return
            out.write(data)
            await out.drain()

    async def end(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def proxy_of(target_port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
        await server.wait_closed()
