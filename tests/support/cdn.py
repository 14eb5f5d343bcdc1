"""What stands before a store in the world: a name of its own, behind which requests are passed on.

A CDN asks the store by the store's name; a custom domain that merely leads to the store keeps the viewer's `Host`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from attrs import define, field
from yarl import URL

_PASSED_ON = ("Content-Type", "Content-Length", "Content-Range", "Content-Disposition", "ETag")


@define
class Edge:
    """`url` is its address; `asked` are the paths and queries that it was asked for."""

    url: str
    asked: list[str] = field(factory=list)


@asynccontextmanager
async def edge(origin: str, *, keeps_host: bool, prefix: str = "") -> AsyncIterator[Edge]:
    """Passes what is below `prefix` on to `origin`, by its name or by the viewer's."""

    async def pass_on(request: web.Request) -> web.Response:
        found.asked.append(request.raw_path)
        target = URL(origin + request.raw_path.removeprefix(prefix), encoded=True)
        headers = {name: request.headers[name] for name in ("Range",) if name in request.headers}
        if keeps_host:
            headers["Host"] = request.headers["Host"]
        async with session.request(request.method, target, headers=headers, allow_redirects=False) as answer:
            kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    app = web.Application()
    app.router.add_route("*", prefix + "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None)
    async with aiohttp.ClientSession() as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found = Edge(f"http://127.0.0.1:{runner.addresses[0][1]}{prefix}")
        try:
            yield found
        finally:
            await runner.cleanup()
