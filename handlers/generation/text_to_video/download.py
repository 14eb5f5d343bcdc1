"""Downloads a service's clip, from the service itself or from a host that it names.

Addresses come from the state of a clip, from redirects, and from JSON in place of a clip. Redirects are followed here,
not by aiohttp. All lead to the service's own origin, or by https to hosts named in a setting, and there only to public
addresses, which are checked at the resolution of the name. The key is sent to the service alone.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from attrs import field, frozen
from yarl import URL

from handlers.assets.public_addresses import Address, is_public, parse
from handlers.generation.http_services.client import Answer, Service, http_session, retry_after
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.text_to_video.errors import ClipNotThere
from handlers.generation.text_to_video.json_pointers import text_at

MAX_CLIP_BYTES: Final = 300_000_000
MAX_REDIRECTS: Final = 3
_MAX_REASON_BYTES: Final = 4_000
_MAX_JSON_BYTES: Final = 100_000
_CHUNK_BYTES: Final = 1 << 16
_REDIRECTS: Final = (301, 302, 303, 307, 308)
#: Hosts that operating systems take for addresses although they are not in the usual form, such as 127.1.
_ODD_NUMBER: Final = re.compile(r":|(^|\.)(\d+|0x[0-9a-f]*)\.*$", re.IGNORECASE)
#: Statuses of the service itself for a clip that isn't there, or not yet, or no more: services differ.
_NOT_YET: Final = (202, 204, 206, 400, 403, 404, 405, 409, 410, 425)
_GOOD: Final = (200, 201, 203, 206)
_PART: Final = re.compile(r"bytes 0-(\d{1,15})/(\d{1,15})")


@frozen(kw_only=True)
class ContentFetcher:
    """Downloads clips. They may be at `hosts` by one of `schemes`, if `allowed` accepts the address.

    `addresses` are pointers to a clip's address in JSON that comes in place of a clip. Timeouts in seconds:
    `silence_s` between two chunks, `total_s` for the whole download.
    """

    service: Service
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ("/url",)
    schemes: frozenset[str] = frozenset({"https"})
    allowed: Callable[[Address], bool] = is_public
    silence_s: float = 30.0
    total_s: float = 600.0

    async def fetch(self, session: aiohttp.ClientSession, source: URL | str, target: Path) -> None:
        """Download `source`, a URL of the service or an address that it told, into `target`.

        Raises ServiceFailed, ServiceRefused; ClipNotThere if there is none, or not yet.
        """
        try:
            async with asyncio.timeout(self.total_s), http_session(_CheckedResolver(self.allowed)) as elsewhere:
                url = self._start(source)
                for _ in range(MAX_REDIRECTS + 1):
                    own = self._is_own(url)
                    following = await self._get(session if own else elsewhere, url, target, own=own)
                    if following is None:
                        return
                    url = self._checked(following)
        except TimeoutError as error:
            raise ServiceFailed(f"the clip of {self.service.title} was not downloaded in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ServiceFailed(f"the clip can't be downloaded: {self.service.safe(error)}") from error
        raise ServiceFailed(f"{self.service.title} redirects its clip more than {MAX_REDIRECTS} times")

    async def _get(self, session: aiohttp.ClientSession, url: URL, target: Path, *, own: bool) -> URL | None:
        """Download into `target`; return the address of a redirect instead. `own`: from the service itself."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=self.silence_s)
        headers = self.service.headers if own else {}
        async with session.get(url, headers=headers, allow_redirects=False, timeout=timeout) as answer:
            location = answer.headers.get("Location")
            if answer.status in _REDIRECTS and location:
                return _joined(url, location)
            if answer.status not in _GOOD or not _whole(answer):
                reason = await answer.content.read(_MAX_REASON_BYTES)
                raise self._refusal(Answer(answer.status, answer.headers, reason), own=own)
            if "json" in answer.content_type:
                return _joined(url, self._address_in(await answer.content.read(_MAX_JSON_BYTES)))
            await self._save(answer, target)
            return None

    def _start(self, source: URL | str) -> URL:
        """Return the URL of `source`; text is an address that the service told, which is checked."""
        if isinstance(source, URL):
            return source
        return self._checked(_joined(self.service.address("/"), source))

    def _address_in(self, body: bytes) -> str:
        """Return the address in JSON that comes in place of a clip. Raises ClipNotThere without one."""
        try:
            address = text_at(orjson.loads(body), self.addresses)
        except ValueError:
            address = ""
        if not address:
            raise ClipNotThere(
                f"{self.service.title} answers with JSON in place of the clip: {self.service.safe(body)}"
            )
        return address

    async def _save(self, answer: aiohttp.ClientResponse, target: Path) -> None:
        """Write the body to `target`. Raises aiohttp's ClientPayloadError for a truncated one, ServiceFailed."""
        size = 0
        with target.open("wb") as file:
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_CLIP_BYTES:
                    raise ServiceFailed(f"the clip has more than {MAX_CLIP_BYTES // 1_000_000} MB")
                file.write(chunk)

    def _refusal(self, answer: Answer, *, own: bool) -> ServiceFailed | ServiceRefused:
        """Make the error of a bad answer: the clip may not be there yet, and an expired redirect may be renewed."""
        if own and answer.status not in _NOT_YET:
            return self.service.refusal(answer)
        message = f"the clip can't be downloaded ({answer.status}): {self.service.safe(answer.body)}"
        passing = answer.status in (202, 206, 408, 429) or answer.status >= 500
        kind = ServiceFailed if passing else ClipNotThere
        return kind(message, retry_after_s=retry_after(answer.headers))

    def _is_own(self, url: URL) -> bool:
        """Tell whether the URL has the service's own origin."""
        return url.origin() == self.service.address("").origin()

    def _checked(self, url: URL) -> URL:
        """Return `url` if a clip may be fetched there. Raises ServiceRefused."""
        if url.scheme not in ("http", "https") or not url.host:
            raise self._refused(url)
        if self._is_own(url):
            return url
        literal = parse(url.host)
        if literal is None and _ODD_NUMBER.search(url.host):  # 127.1: connects without resolution
            raise self._refused(url)
        if url.scheme not in self.schemes or not self._named(url) or url.user or url.password:
            raise self._refused(url)
        if literal is not None and not self.allowed(literal):  # connects without resolution
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
        reason = f"{host}, which is not in EVENTFLOW_REMOTE_CONTENT_HOSTS or not public"
        way_out = "name it there, and reprocess the scene: the clip is fetched, not ordered again"
        return ServiceRefused(f"the clip of {self.service.title} is at {reason}: {way_out}", 0)


def _whole(answer: aiohttp.ClientResponse) -> bool:
    """Tell whether an answer has all of the clip: a partial one (206) may say that it has only a part."""
    told = answer.headers.get("Content-Range", "")
    part = _PART.fullmatch(told)
    return answer.status != 206 or not told or (part is not None and int(part[1]) + 1 == int(part[2]))


def _joined(base: URL, location: str) -> URL:
    try:
        return base.join(URL(location))
    except ValueError:
        raise ServiceFailed("the clip's address can't be read") from None


@frozen
class _CheckedResolver(AbstractResolver):
    """Resolves names; refuses a name if `allowed` refuses any of its addresses."""

    allowed: Callable[[Address], bool]
    found: ThreadedResolver = field(factory=ThreadedResolver)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self.found.resolve(host, port, family)
        addresses = [parse(result["host"]) for result in results]
        if not all(address is not None and self.allowed(address) for address in addresses):
            raise ServiceRefused(f"the clip is at {host[:100]}, which is not on the public internet", 0)
        return results

    async def close(self) -> None:
        """Do nothing: no resources are held."""
