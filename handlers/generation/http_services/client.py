"""A client of one service: JSON in both directions, limits of time and size, no redirects.

One request per call; `busy_waits` repeats those that may be repeated. The key is sent to the service's own address
only, and is removed from messages that quote the service, as are the values of its other headers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver
from attrs import evolve, field, frozen
from yarl import URL

from eventflow.settings import ServiceAccess
from handlers.generation.http_services.bodies import TooLarge, decoded, json_in, merged
from handlers.generation.http_services.causes import Cause, cause_of
from handlers.generation.http_services.errors import AnswerLost, ServiceFailed, ServiceRefused
from handlers.generation.http_services.reasons import Reason, error_in, reason_in, reason_of
from handlers.generation.http_services.waits import retry_after, wait_of

__all__ = ["MAX_ANSWER_BYTES", "Answer", "Service", "http_session", "retry_after"]

MAX_ANSWER_BYTES: Final = 4_000_000
_MAX_QUOTED_CHARS: Final = 300
_CONNECT_S: Final = 10.0
_CHUNK_BYTES: Final = 1 << 16
#: Shorter secrets are words of messages, too.
_LEAST_SECRET_CHARS: Final = 8
#: Errors of requests that were never sent.
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


@frozen
class Answer:
    """A complete answer of any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def reason(self) -> Reason:
        """What the service says about a refusal."""
        return reason_of(self.body)


@frozen(kw_only=True)
class Service:
    """A service: its `title` in messages ("the planner"), the prefix of its settings, and its address without a slash.

    The address may have a query, which every request gets. `timeout_s` is for a whole request with its answer, and
    `most_bytes` is the size of an answer. `extra_headers` replace those of the same name; None takes one away. `params`
    are laid over the body of every request that has one.
    """

    title: str
    setting: str
    url: str
    key: str = field(default="", repr=False)
    timeout_s: float = 60.0
    extra_headers: Mapping[str, str | None] = field(factory=dict, repr=False)
    params: Mapping[str, Any] = field(factory=dict, repr=False)
    most_bytes: int = MAX_ANSWER_BYTES

    @classmethod
    def of(
        cls, access: ServiceAccess, *, title: str, setting: str, timeout_s: float, most_bytes: int = MAX_ANSWER_BYTES
    ) -> Service:
        """Return the service at the address of its settings."""
        return cls(
            title=title,
            setting=setting,
            url=access.url,
            key=access.key,
            timeout_s=timeout_s,
            extra_headers=access.headers,
            params=access.params,
            most_bytes=most_bytes,
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request to the service's own address."""
        own: dict[str, str | None] = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        replaced = {name.lower() for name in self.extra_headers}
        kept = {name: value for name, value in own.items() if name.lower() not in replaced}
        return {name: value for name, value in {**kept, **self.extra_headers}.items() if value is not None}

    def address(self, path: str) -> URL:
        """Return the URL of `path`, which begins with a slash and is percent-encoded already."""
        base, mark, query = self.url.partition("?")
        return URL(f"{base}{path}{mark}{query}", encoded=True)

    async def ask(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send `body` as JSON, or as it is if it is bytes, and return the answer, whatever its status.

        Raises AnswerLost where the request may have been carried out, else ServiceFailed.
        """
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(merged(body, dict(self.params)))
        sent = {**({"Content-Type": "application/json"} if data else {}), **self.headers, **(headers or {})}
        timeout = aiohttp.ClientTimeout(total=self.timeout_s, sock_connect=_CONNECT_S)
        try:
            async with session.request(
                method, self.address(path), data=data, headers=sent, allow_redirects=False, timeout=timeout
            ) as answer:
                return Answer(answer.status, answer.headers, await self._body(answer))
        except _NOT_SENT as error:
            raise ServiceFailed(f"{self.title} can't be reached: {self.safe(error)}", cause=Cause.LOADING) from error
        except TimeoutError as error:
            raise AnswerLost(f"{self.title} did not answer within {self.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerLost(f"{self.title} can't be reached: {self.safe(error)}") from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        data = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            data += chunk
            if len(data) > self.most_bytes:
                raise self._too_large()
        try:
            return decoded(bytes(data), answer.headers.get("Content-Encoding", ""), self.most_bytes)
        except TooLarge:
            raise self._too_large() from None
        except ValueError as error:
            raise AnswerLost(f"the answer of {self.title} {error}") from None

    def _too_large(self) -> AnswerLost:
        return AnswerLost(f"{self.title} answers with more than {self.most_bytes // 1_000_000} MB")

    def json(self, answer: Answer) -> dict[str, Any]:
        """Return the JSON object of an answer with status 2xx. Raises AnswerLost, ServiceFailed, ServiceRefused."""
        if not answer.good:
            raise self.refusal(answer)
        try:
            value = json_in(answer.body)
        except ValueError:
            raise AnswerLost(f"the answer of {self.title} is not JSON: {self.safe(answer.body)}") from None
        if not isinstance(value, dict):
            raise AnswerLost(f"the answer of {self.title} is not a JSON object: {self.safe(answer.body)}")
        return value

    def refusal(self, answer: Answer) -> ServiceFailed | ServiceRefused:
        """Make the error for an answer that isn't what was asked for, whatever its status."""
        return self._refusal(answer.status, answer.reason, wait_of(answer.headers, answer.reason))

    def error_in_answer(self, answer: Answer, told: Mapping[str, Any]) -> ServiceFailed | ServiceRefused | None:
        """Make the error that a good answer tells of in `told`, its JSON object or a part of it; None without one."""
        error = error_in(told)
        if error is None:
            return None
        reason = reason_in({"error": error})
        status = reason.status or (200 if answer.good else answer.status)
        return self._refusal(status, reason, wait_of(answer.headers, reason))

    async def trouble(
        self, session: aiohttp.ClientSession, error: ServiceFailed | ServiceRefused
    ) -> ServiceFailed | ServiceRefused:
        """Return `error`; where the address seems to be wrong, add whether the one with /v1 is right (one request)."""
        if error.cause is not Cause.ADDRESS:
            return error
        base, mark, query = self.url.partition("?")
        longer = evolve(self, url=f"{base}/v1{mark}{query}", timeout_s=min(self.timeout_s, 10.0))
        hint = f"correct {self.setting}_URL, which usually ends in /v1"
        try:
            answer = await longer.ask(session, "GET", "/models")
            if answer.status in (401, 403) or (answer.good and isinstance(json_in(answer.body), dict | list)):
                hint = f"set {self.setting}_URL to {base}/v1{mark}{query}"
        except (ServiceFailed, ValueError):
            pass
        return ServiceRefused(f"{error}; {hint}", getattr(error, "status", 0), cause=Cause.ADDRESS)

    def _refusal(self, status: int, reason: Reason, wait_s: float | None) -> ServiceFailed | ServiceRefused:
        cause = cause_of(status, reason)
        said = self.safe(reason.message or " ".join(reason.codes))
        if cause.passes:
            return ServiceFailed(f"{self.title} answers {status}: {said}", retry_after_s=wait_s, cause=cause)
        known = reason.message or reason.codes
        shown = f"{status}: {said}" if known else f"{status}"
        return ServiceRefused(self._remedy(cause, shown, status, bool(known)), status, cause=cause)

    def _remedy(self, cause: Cause, shown: str, status: int, known: bool) -> str:
        """Say what was refused and what to do."""
        match cause:
            case Cause.KEY:
                way_out = f"correct {self.setting}_KEY, or name its header in {self.setting}_HEADERS"
                return f"{self.title} refuses the key ({shown}): {way_out}"
            case Cause.CREDIT:
                return f"the account at {self.title} is used up ({shown}): add credit, or wait for its next period"
            case Cause.MODERATION:
                return f"the filter of {self.title} refuses the content ({shown}): word it differently"
            case Cause.MODEL:
                return f"{self.title} refuses the model ({shown}): correct {self.setting}_MODEL"
            case Cause.VOICE:
                return f"{self.title} refuses the voice ({shown}): correct {self.setting}_VOICES"
            case Cause.LENGTH:
                return f"{self.title} takes less at once ({shown})"
            case Cause.ADDRESS:
                return f"nothing of an OpenAI-compatible service is at {self.safe(self.url)} ({shown})"
            case Cause.REDIRECT:
                return f"{self.title} redirects ({status}): correct {self.setting}_URL"
        if status == 403 and not known:
            return f"{self.title} refuses the request (403): check {self.setting}_KEY"
        return f"{self.title} refuses the request ({status}): {shown.partition(': ')[2] or 'no reason'}"

    def safe(self, message: object) -> str:
        """Shorten a foreign message and remove secrets from it."""
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
        # Before shortening: even a part of a secret must not remain.
        for secret in (self.key, *self.extra_headers.values()):
            if secret and len(secret) >= _LEAST_SECRET_CHARS:
                text = text.replace(secret, "[key]")
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
