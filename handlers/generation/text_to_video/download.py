"""Fetches the clip that a service has made, from it or from where it redirects to.

Redirects are followed by hand: within the service's own address, or by https to the hosts that a setting names, and
there to public addresses only, which are checked when the name is resolved. The key stays with the service.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from attrs import field, frozen
from yarl import URL

from handlers.assets.public_addresses import Address, is_public, parse
from handlers.generation.http_services.client import Answer, Service, http_session, retry_after
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused

MAX_CLIP_BYTES: Final = 300_000_000
MAX_REDIRECTS: Final = 3
_MAX_REASON_BYTES: Final = 4_000
_CHUNK_BYTES: Final = 1 << 16
_REDIRECTS: Final = (301, 302, 303, 307, 308)
#: An address in disguise.
_ODD_NUMBER: Final = re.compile(r":|(^|\.)(\d+|0x[0-9a-f]*)\.*$", re.IGNORECASE)
_NOT_YET: Final = (404, 409, 410)


@frozen
class ContentFetcher:
    """`hosts` may be redirected to, by one of `schemes`, where `allowed` says yes to the address.

    Seconds: `silence_s` between two pieces, `total_s` for the whole.
    """

    service: Service
    hosts: tuple[str, ...] = ()
    schemes: frozenset[str] = frozenset({"https"})
    allowed: Callable[[Address], bool] = is_public
    silence_s: float = 30.0
    total_s: float = 600.0

    async def fetch(self, session: aiohttp.ClientSession, path: str, target: Path) -> None:
        """What is at `path` of the service, into `target`. Raises ServiceFailed, ServiceRefused."""
        try:
            async with asyncio.timeout(self.total_s), http_session(_Checked(self.allowed)) as elsewhere:
                url = self.service.address(path)
                for _ in range(MAX_REDIRECTS + 1):
                    at_home = self._at_home(url)
                    following = await self._get(session if at_home else elsewhere, url, target, at_home=at_home)
                    if following is None:
                        return
                    url = self._checked(following)
        except TimeoutError as error:
            raise ServiceFailed(f"{self.service.title} is too slow with its clip") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ServiceFailed(f"the clip can't be fetched: {self.service.told(error)}") from error
        raise ServiceFailed(f"{self.service.title} redirects its clip more than {MAX_REDIRECTS} times")

    async def _get(self, session: aiohttp.ClientSession, url: URL, target: Path, *, at_home: bool) -> URL | None:
        """Where it is redirected to, or None when it is in `target`."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=self.silence_s)
        headers = self.service.headers if at_home else {}
        async with session.get(url, headers=headers, allow_redirects=False, timeout=timeout) as answer:
            location = answer.headers.get("Location")
            if answer.status in _REDIRECTS and location:
                return _joined(url, location)
            if answer.status != 200:
                reason = await answer.content.read(_MAX_REASON_BYTES)
                raise self._refusal(Answer(answer.status, answer.headers, reason), at_home=at_home)
            await self._save(answer, target)
            return None

    async def _save(self, answer: aiohttp.ClientResponse, target: Path) -> None:
        """A body that ends before its `Content-Length` raises ClientPayloadError."""
        size = 0
        with target.open("wb") as file:
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_CLIP_BYTES:
                    raise ServiceFailed(f"the clip has more than {MAX_CLIP_BYTES // 1_000_000} MB")
                file.write(chunk)

    def _refusal(self, answer: Answer, *, at_home: bool) -> ServiceFailed | ServiceRefused:
        """A finished clip may not be there yet; elsewhere, a new redirect may help where this one has expired."""
        if at_home and answer.status not in _NOT_YET:
            return self.service.refusal(answer)
        told = f"the clip can't be fetched ({answer.status}): {self.service.told(answer.body)}"
        return ServiceFailed(told, retry_after_s=retry_after(answer.headers))

    def _at_home(self, url: URL) -> bool:
        return url.origin() == self.service.address("").origin()

    def _checked(self, url: URL) -> URL:
        """Raises ServiceRefused."""
        if url.scheme not in ("http", "https") or not url.host:
            raise self._refused(url)
        if self._at_home(url):
            return url
        literal = parse(url.host)
        if literal is None and _ODD_NUMBER.search(url.host):  # 127.1: connected to without being resolved, too
            raise self._refused(url)
        if url.scheme not in self.schemes or not self._named(url) or url.user or url.password:
            raise self._refused(url)
        if literal is not None and not self.allowed(literal):  # connected to without being resolved
            raise self._refused(url)
        return url

    def _named(self, url: URL) -> bool:
        host = (url.host or "").lower()
        return any(
            host == name or f"{host}:{url.port}" == name or (name.startswith("*.") and host.endswith(name[1:]))
            for name in self.hosts
        )

    def _refused(self, url: URL) -> ServiceRefused:
        host = str(url.host)[:100]
        reason = f"it redirects its clip to {host}, which isn't in EVENTFLOW_REMOTE_CONTENT_HOSTS or isn't public"
        return ServiceRefused(f"{self.service.title} is not followed: {reason}", 0)


def _joined(base: URL, location: str) -> URL:
    try:
        return base.join(URL(location))
    except ValueError:
        raise ServiceFailed("the clip's address can't be read") from None


@frozen
class _Checked(AbstractResolver):
    """A name is refused as a whole where one of its addresses may not be connected to."""

    allowed: Callable[[Address], bool]
    found: ThreadedResolver = field(factory=ThreadedResolver)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self.found.resolve(host, port, family)
        addresses = [parse(result["host"]) for result in results]
        if not all(address is not None and self.allowed(address) for address in addresses):
            raise ServiceRefused(f"the clip is at {host[:100]}, which isn't on the public internet", 0)
        return results

    async def close(self) -> None:
        """Nothing is held."""
