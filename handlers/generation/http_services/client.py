"""A client of one service: JSON in both directions, limits of time and size, no redirects.

One request per call; callers decide on retries. The key is sent in one header, to the service's own address only, and
is removed from messages that quote the service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver
from attrs import field, frozen
from yarl import URL

from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused

MAX_ANSWER_BYTES: Final = 4_000_000
_MAX_QUOTED_CHARS: Final = 300
_CONNECT_S: Final = 10.0
_CHUNK_BYTES: Final = 1 << 16
#: HTTP statuses of temporary refusals.
_PASSING: Final = frozenset({408, 409, 425, 429})


@frozen
class Answer:
    """A complete answer of any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


@frozen(kw_only=True)
class Service:
    """A service: its `title` in messages ("the planner"), the prefix of its settings, and its address without a slash.

    `timeout_s` is for a whole request with its answer.
    """

    title: str
    setting: str
    url: str
    key: str = field(default="", repr=False)
    timeout_s: float = 60.0

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request to the service's own address."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def address(self, path: str) -> URL:
        """Return the URL of `path`, which begins with a slash and is percent-encoded already."""
        return URL(f"{self.url}{path}", encoded=True)

    async def ask(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send `body` as JSON, or as it is if it is bytes, and return the answer, whatever its status.

        Raises ServiceFailed without an answer.
        """
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        sent = {**self.headers, **({"Content-Type": "application/json"} if data else {}), **(headers or {})}
        timeout = aiohttp.ClientTimeout(total=self.timeout_s, sock_connect=_CONNECT_S)
        try:
            async with session.request(
                method, self.address(path), data=data, headers=sent, allow_redirects=False, timeout=timeout
            ) as answer:
                return Answer(answer.status, answer.headers, await self._body(answer))
        except TimeoutError as error:
            raise ServiceFailed(f"{self.title} did not answer within {self.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ServiceFailed(f"{self.title} can't be reached: {self.safe(error)}") from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        data = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            data += chunk
            if len(data) > MAX_ANSWER_BYTES:
                raise ServiceFailed(f"{self.title} answers with more than {MAX_ANSWER_BYTES // 1_000_000} MB")
        return bytes(data)

    def json(self, answer: Answer) -> dict[str, Any]:
        """Return the JSON object of an answer with status 2xx. Raises ServiceFailed, ServiceRefused."""
        if not answer.good:
            raise self.refusal(answer)
        try:
            value = orjson.loads(answer.body)
        except ValueError:
            raise ServiceFailed(f"the answer of {self.title} is not JSON: {self.safe(answer.body)}") from None
        if not isinstance(value, dict):
            raise ServiceFailed(f"the answer of {self.title} is not a JSON object: {self.safe(answer.body)}")
        return value

    def refusal(self, answer: Answer) -> ServiceFailed | ServiceRefused:
        """Make the error for an answer with another status than 2xx."""
        status = answer.status
        if status in _PASSING or status >= 500:
            message = f"{self.title} answers {status}: {self.safe(answer.body)}"
            return ServiceFailed(message, retry_after_s=retry_after(answer.headers))
        if status in (401, 403):
            return ServiceRefused(f"{self.title} refuses the key ({status}): correct {self.setting}_KEY", status)
        if 300 <= status < 400:
            return ServiceRefused(f"{self.title} redirects ({status}): correct {self.setting}_URL", status)
        return ServiceRefused(f"{self.title} refuses the request ({status}): {self.safe(answer.body)}", status)

    def safe(self, message: object) -> str:
        """Shorten a foreign message and remove the key from it."""
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
        if self.key:  # before shortening: even a part of the key must not remain
            text = text.replace(self.key, "[key]")
        return " ".join(text.split())[:_MAX_QUOTED_CHARS] or "no reason"


@asynccontextmanager
async def http_session(resolver: AbstractResolver | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session without cookies, proxies from the environment, or decompression."""
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "eventflow", "Accept-Encoding": "identity"},
        trust_env=False,
        auto_decompress=False,
    ) as session:
        yield session


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` as seconds; a date is taken relative to the answer's `Date`. None without a valid one."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value)
        return seconds if 0 <= seconds < float("inf") else None
    except ValueError:
        pass
    try:
        return max(0.0, (_date(value) - _date(headers.get("Date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None


def _date(text: str) -> datetime:
    return parsedate_to_datetime(text)
