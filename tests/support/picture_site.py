"""A site of pictures that scripts name by URL, at names that lead to this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, evolve, field

from handlers.assets.public_addresses import Address, is_public
from handlers.assets.url_fetch import RemoteFetcher
from tests.support.mediafiles import picture, tone

RED, BLUE = picture("PNG"), picture("PNG", colour=(0, 0, 250))
HOST = "media.example.org"


def here(fetcher: RemoteFetcher) -> RemoteFetcher:
    """`fetcher` where every name is this machine's, but those of `inside`, which are of a private network."""

    async def resolve(name: str, port: int) -> list[str]:
        return ["10.0.0.7"] if name.startswith("inside.") else ["127.0.0.1"]

    def allowed(address: Address) -> bool:
        return str(address) == "127.0.0.1" or is_public(address)

    return evolve(fetcher, resolve=resolve, allowed=allowed)


@define
class Site:
    """A server of pictures by path, and what it was asked for."""

    files: dict[str, bytes] = field(factory=lambda: {"/red.png": RED, "/sound": tone(0.1), "/page": b"<html>"})
    asked: list[str] = field(factory=list)
    port: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": f"http://elsewhere.example.net:{self.port}/red.png"})
        body = self.files.get(request.path)
        return web.Response(status=404) if body is None else web.Response(body=body)

    def url(self, path: str, host: str = HOST) -> str:
        return f"http://{host}:{self.port}{path}"

    def fetcher(self, *hosts: str) -> RemoteFetcher:
        return here(RemoteFetcher(schemes=frozenset({"http"}), hosts=hosts))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, app = Site(), web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    made.port = server.port or 0
    yield made
    await server.close()
