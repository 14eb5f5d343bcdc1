"""Fetching in a user's name: nothing of a private network, nothing without end. On a server of the test's own."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, evolve, field, frozen

from eventflow.assets.errors import RemoteFailed, RemoteRefused
from handlers.assets.public_addresses import Address, is_public
from handlers.assets.url_fetch import FetchTimeouts, RemoteFetcher

LOOPBACK = "127.0.0.1"
NAME = "media.example.org"


def own_server_or_public(address: Address) -> bool:
    """The test's own server is allowed, by an argument that no setting can give."""
    return str(address) == LOOPBACK or is_public(address)


@define
class Names:
    """What names mean, now; every question is noted. A list of answers is given one after the other."""

    meaning: dict[str, list[Sequence[str]]]
    asked: list[str] = field(factory=list)

    async def __call__(self, name: str, port: int) -> Sequence[str]:
        self.asked.append(name)
        answers = self.meaning.get(name)
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@frozen
class Site:
    """A server that misbehaves by path."""

    server: TestServer
    seen: list[web.Request]

    def url(self, path: str, host: str = NAME) -> str:
        return f"http://{host}:{self.server.port}{path}"


async def _drip(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "1000000"})
    await answer.prepare(request)
    while True:
        await answer.write(b"x")
        await asyncio.sleep(0.01)


async def _hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3_600)
    raise AssertionError


async def _short(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b"too few")
    assert request.transport is not None
    request.transport.close()
    return answer


async def _packed(request: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(b"\0" * 10_000_000), headers={"Content-Encoding": "gzip"})


async def _redirect(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": request.query["to"]})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    seen: list[web.Request] = []

    @web.middleware
    async def note(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        seen.append(request)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def file(_: web.Request) -> web.Response:
        return web.Response(body=b"a file", content_type="text/html", headers={"Set-Cookie": "a=b"})

    app = web.Application(middlewares=[note])
    handlers = {"/file": file, "/drip": _drip, "/hang": _hang, "/short": _short, "/packed": _packed, "/to": _redirect}
    for path, handler in handlers.items():
        app.router.add_get(path, handler)
    server = TestServer(app, host=LOOPBACK)
    await server.start_server()
    yield Site(server, seen)
    await server.close()


def fetcher(names: Names | None = None, **changes: Any) -> RemoteFetcher:
    made = RemoteFetcher(
        schemes=frozenset({"http"}), resolve=names or Names({NAME: [[LOOPBACK]]}), allowed=own_server_or_public
    )
    return evolve(made, **changes)


async def fetched(remote: RemoteFetcher, url: str) -> bytes:
    async with remote.fetch(url) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_file_comes_as_it_is_whatever_it_is_called(site: Site) -> None:
    names = Names({NAME: [[LOOPBACK]]})
    assert await fetched(fetcher(names), site.url("/file")) == b"a file"
    assert names.asked == [NAME]
    request = site.seen[0]
    assert request.headers["Accept-Encoding"] == "identity"
    assert not {"Authorization", "Cookie", "Referer"} & set(request.headers)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/file",
        "file:///etc/passwd",
        "ftp://media.example.org/a",
        "https://media.example.org/a",
        "gopher://media.example.org",
        "concat:/etc/passwd|/etc/hosts",
        "data:image/png;base64,AAAA",
        "http://",
        "http://user@media.example.org/",
        "http://user:secret@media.example.org/",
        "http://media.example.org:99999/",
        "http://[::1/",
        "http://media.example.org/" + "a" * 3_000,
    ],
)
async def test_urls_that_are_refused_before_anybody_is_asked(url: str) -> None:
    names = Names({NAME: [[LOOPBACK]]})
    with pytest.raises(RemoteRefused, match="the URL"):
        await fetched(fetcher(names), url)
    assert names.asked == []


HOSTS = "10.0.0.1 169.254.169.254 0.0.0.0 [::1] [::ffff:127.0.0.1] [64:ff9b::7f00:1] [fe80::1] 127.1 2130706433 0x7f.1 0x7f000001 017700000001 127.0.0.1. ①②⑦.0.0.1"  # noqa: E501


@pytest.mark.parametrize("host", HOSTS.split())
async def test_addresses_as_hosts(host: str) -> None:
    names = Names({})
    with pytest.raises(RemoteRefused, match=r"public internet|can't be read|absolute"):
        await fetched(fetcher(names, allowed=is_public), f"http://{host}:9/")
    assert names.asked == []


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], [LOOPBACK, "10.0.0.1"], ["fd00::1", LOOPBACK], ["::ffff:127.0.0.1"]]
)
async def test_a_name_with_any_private_address_is_refused(addresses: list[str], site: Site) -> None:
    with pytest.raises(RemoteRefused, match="public internet"):
        await fetched(fetcher(Names({NAME: [addresses]})), site.url("/file"))
    assert site.seen == []


async def test_a_name_that_changes_its_meaning_is_connected_to_where_it_was_checked(site: Site) -> None:
    names = Names({NAME: [[LOOPBACK], ["10.0.0.1"]]})
    assert await fetched(fetcher(names), site.url("/file")) == b"a file"
    with pytest.raises(RemoteRefused):  # nothing is remembered either: each request is checked on its own
        await fetched(fetcher(names), site.url("/file"))
    assert names.asked == [NAME, NAME]
    assert len(site.seen) == 1


async def test_redirects_are_followed_and_checked(site: Site) -> None:
    names = Names({NAME: [[LOOPBACK]], "inside.example.org": [["192.168.0.7"]]})
    assert await fetched(fetcher(names), site.url("/to?to=/to?to=/to?to=/file")) == b"a file"
    for target in ("http://inside.example.org/", "http://169.254.169.254/latest/meta-data/", "//10.0.0.1/"):
        with pytest.raises(RemoteRefused, match="public internet"):
            await fetched(fetcher(names), site.url(f"/to?to={target}"))
    for target in ("file:///etc/passwd", "https://media.example.org/", "http://a:b@media.example.org/"):
        with pytest.raises(RemoteRefused):
            await fetched(fetcher(names), site.url(f"/to?to={target}"))


async def test_a_redirect_is_resolved_anew(site: Site) -> None:
    names = Names({NAME: [[LOOPBACK], ["10.0.0.1"]]})
    with pytest.raises(RemoteRefused, match="public internet"):
        await fetched(fetcher(names), site.url("/to?to=/file"))


async def test_too_many_redirects(site: Site) -> None:
    path = "/file"
    for _ in range(4):
        path = f"/to?to={path}"
    with pytest.raises(RemoteRefused, match="more than 3 times"):
        await fetched(fetcher(), site.url(path))


@pytest.mark.parametrize("path", ["/drip", "/hang"])
@pytest.mark.parametrize("patience", [FetchTimeouts(total_s=0.3), FetchTimeouts(silence_s=0.2, total_s=1)])
async def test_slow_servers(path: str, patience: FetchTimeouts, site: Site) -> None:
    with pytest.raises(RemoteFailed, match="too slow"):
        await fetched(fetcher(patience=patience), site.url(path))


async def test_a_length_that_lies(site: Site) -> None:
    with pytest.raises(RemoteFailed, match="can't be read"):
        await fetched(fetcher(), site.url("/short"))


async def test_nothing_is_unpacked(site: Site) -> None:
    with pytest.raises(RemoteFailed, match="compressed"):
        await fetched(fetcher(), site.url("/packed"))


async def test_other_answers_and_no_answer(site: Site, unused_tcp_port: int) -> None:
    with pytest.raises(RemoteFailed, match="answers 404"):
        await fetched(fetcher(), site.url("/none"))
    with pytest.raises(RemoteFailed, match="no address"):
        await fetched(fetcher(Names({})), site.url("/file"))
    with pytest.raises(RemoteFailed, match="can't be reached"):
        await fetched(fetcher(), f"http://{NAME}:{unused_tcp_port}/")


async def test_an_error_of_the_reader_is_its_own(site: Site) -> None:
    with pytest.raises(OSError, match="disk"):
        async with fetcher().fetch(site.url("/file")):
            raise OSError("disk full")


async def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://10.0.0.1:1")
    assert await fetched(fetcher(), site.url("/file")) == b"a file"
