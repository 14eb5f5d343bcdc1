"""Fetches a file from a URL given by a user, who may be hostile.

Each name is resolved here, once per request; all its addresses are checked, and the connection goes to a checked one,
so DNS rebinding has no effect. Redirects are followed here and checked like the first URL. There are no proxies,
cookies, credentials or decompression.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import field, frozen
from yarl import URL

from eventflow.assets.errors import RemoteFailed, RemoteRefused
from handlers.assets.public_addresses import Address, is_public, parse

#: Resolves (name, port) to addresses as text. Raises OSError.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_REDIRECTS = 3
MAX_URL_CHARS = 2_048
_CHUNK_BYTES = 64 * 1024
_ODD_NUMBER = re.compile(r":|(^|\.)(\d+|0x[0-9a-f]*)\.*$", re.IGNORECASE)
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"User-Agent": "eventflow", "Accept": "image/*, video/*, audio/*", "Accept-Encoding": "identity"}


@frozen
class FetchTimeouts:
    """Timeouts in seconds: of a connection, between two chunks, of the whole fetch."""

    connect_s: float = 10.0
    silence_s: float = 15.0
    total_s: float = 120.0


async def resolve_by_system(name: str, port: int) -> Sequence[str]:
    """Resolve `name` by the operating system. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@frozen(kw_only=True)
class RemoteFetcher:
    """Fetches URLs with one of `schemes` from addresses that `allowed` accepts.

    `hosts`: only from these, None: from any. `*.example.org` are the hosts below example.org, `*` is any.
    """

    schemes: frozenset[str] = frozenset({"https"})
    resolve: Resolve = resolve_by_system
    allowed: Callable[[Address], bool] = is_public
    patience: FetchTimeouts = field(factory=FetchTimeouts)
    hosts: tuple[str, ...] | None = None

    def fetch(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Fetch `url` in chunks, within a `with` block. Raises RemoteRefused, RemoteFailed, also while it is read."""
        return self._fetched(url)

    @asynccontextmanager
    async def _fetched(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        total = aiohttp.ClientTimeout(
            total=self.patience.total_s, sock_connect=self.patience.connect_s, sock_read=self.patience.silence_s
        )
        resolver = _CheckedResolver(self.resolve, self.allowed)
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True, limit=1)
        try:
            async with (
                asyncio.timeout(self.patience.total_s),
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers=_HEADERS,
                    timeout=total,
                    trust_env=False,
                    auto_decompress=False,
                ) as session,
                await self._answer(session, url) as answer,
            ):
                yield _pieces(answer)
        except TimeoutError as error:
            raise _too_slow() from error

    async def _answer(self, session: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
        """Follow redirects; return the first other answer, checked."""
        target = self._checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            with _as_fetch_errors():
                answer = await session.get(target, allow_redirects=False)
            location = answer.headers.get("Location") if answer.status in _REDIRECTS else None
            if location is None:
                return _good(answer)
            answer.close()
            target = self._checked(str(_joined(target, location)))
        raise RemoteRefused(f"the URL redirects more than {MAX_REDIRECTS} times")

    def _checked(self, text: str) -> URL:
        """Parse and check a URL. Raises RemoteRefused."""
        schemes = " or ".join(sorted(self.schemes))
        if len(text) > MAX_URL_CHARS:
            raise RemoteRefused(f"the URL is longer than {MAX_URL_CHARS} characters")
        try:
            url = URL(text)
            host, port = url.raw_host, url.port
        except ValueError as error:
            raise RemoteRefused("the URL can't be parsed") from error
        if url.scheme not in self.schemes or not host or not port:
            raise RemoteRefused(f"the URL must be absolute, with {schemes}")
        if url.user is not None or url.password is not None:
            raise RemoteRefused("the URL must not have a user name or password")
        if self.hosts is not None and not _is_among(host.lower().rstrip("."), self.hosts):
            raise RemoteRefused(f"{host} isn't among the hosts of EVENTFLOW_ASSET_URLS")
        literal = parse(host)
        if literal is None and _ODD_NUMBER.search(host):  # 127.1, 0x7f.1, 2130706433: systems take these for addresses
            raise _not_public()
        if literal is not None and not self.allowed(literal):  # connects without resolution
            raise _not_public()
        return url


def _is_among(host: str, hosts: Sequence[str]) -> bool:
    return any(each in ("*", host) or (each.startswith("*.") and host.endswith(each[1:])) for each in hosts)


def _joined(base: URL, location: str) -> URL:
    try:
        return base.join(URL(location))
    except ValueError as error:
        raise RemoteRefused("the URL redirects to something that is no URL") from error


def _not_public() -> RemoteRefused:
    """Make the error for refused addresses: always the same, so that it reveals nothing about internal names."""
    return RemoteRefused("the URL, or one that it redirects to, isn't on the public internet")


def _good(answer: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    if answer.status != 200:
        answer.close()
        raise RemoteFailed(f"the URL's server answers {answer.status}")
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        answer.close()
        raise RemoteFailed("the URL's server sends the file compressed, though it was asked not to")
    return answer


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    while True:
        with _as_fetch_errors():
            chunk = await answer.content.read(_CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


@contextmanager
def _as_fetch_errors() -> Iterator[None]:
    """Turn errors of the connection into RemoteFailed, with messages that reveal nothing about the network."""
    try:
        yield
    except TimeoutError as error:
        raise _too_slow() from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise RemoteFailed("the URL's server can't be reached, or its answer can't be read") from error


def _too_slow() -> RemoteFailed:
    return RemoteFailed("the URL's server is too slow")


@frozen
class _CheckedResolver(AbstractResolver):
    """Resolves names; refuses a name if `allowed` refuses any of its addresses."""

    found: Resolve
    allowed: Callable[[Address], bool]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            addresses = [parse(text) for text in await self.found(host, port)]
        except (OSError, UnicodeError) as error:
            raise RemoteFailed("the URL's server has no address") from error
        if not addresses:
            raise RemoteFailed("the URL's server has no address")
        if not all(address is not None and self.allowed(address) for address in addresses):
            raise _not_public()
        return [_result(host, port, address) for address in addresses if address is not None]

    async def close(self) -> None:
        """Do nothing: no resources are held."""


def _result(host: str, port: int, address: Address) -> ResolveResult:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=str(address), port=port, family=family, proto=0, flags=flags)
