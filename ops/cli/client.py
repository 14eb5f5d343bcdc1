"""The HTTP API as a client sees it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from attrs import frozen
from yarl import URL

from eventflow.backoff import Backoff
from ops.cli.common import CLIENT_KEY, CommandError
from ops.cli.tables import printable

#: Pause between two questions for a job's status.
POLL_S = 0.4
#: Failures in a row (no connection, 5xx) before a wait is given up.
_PATIENCE = 20
#: How often a request is sent at most, and the answers (of a gateway, too) that say nothing of what became of it.
_SENDINGS = 8
_LONGEST_PAUSE_S = 5.0
_PASSING = (502, 503, 504)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
#: A clip is decoded and encoded anew before the answer comes.
_ASSET_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=900)
_CHUNK_BYTES = 256 * 1024
_FINISHED = ("completed", "failed", "cancelled")

Json = dict[str, Any]


class ApiError(CommandError):
    """What the service has answered instead, with its own words. `status` 0: it can't be reached.

    `unanswered`: the request may have been taken in all the same, or will be if it is sent again.
    """

    def __init__(self, status: int, message: str, *, unanswered: bool = False) -> None:
        super().__init__(message)
        self.status, self.unanswered = status, unanswered


@frozen
class Api:
    """One service at `base`. The key goes to the service alone, never to the stores that it redirects to."""

    session: aiohttp.ClientSession
    base: URL
    key: str | None = None

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def url(self, link: str) -> str:
        """A link of an answer, which may be relative, as an absolute URL."""
        return str(self.base.join(URL(link)))

    async def generate(self, request: Mapping[str, Any]) -> Json:
        """Submit a request; returns the answer of POST generate. Raises ApiError.

        Where the answer is lost, it is sent again under the same key, so that it makes one job.
        """
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        lost, backoff = False, Backoff(first_s=POLL_S, longest_s=_LONGEST_PAUSE_S, random=Random())  # noqa: S311 - jitter
        for left in reversed(range(_SENDINGS)):
            try:
                return (await self._call("POST", "/api/v1/videos/generate", json=request, headers=headers))[1]
            except ApiError as error:
                lost = lost or error.unanswered
                passing = error.unanswered or (lost and error.status == 0)
                if not passing or not left:
                    raise
            await asyncio.sleep(backoff.next_s())
        raise AssertionError("the last try returns or raises")

    async def metadata(self, job_id: str) -> Json:
        return (await self._call("GET", f"{_job(job_id)}/metadata"))[1]

    async def add_asset(self, file: Path, name: str) -> Json:
        """Send a file; returns the asset. Raises ApiError, CommandError."""
        path = "/api/v1/assets?" + urlencode({"name": name})
        headers = {"Content-Type": "application/octet-stream"}
        try:
            with file.open("rb") as data:
                return (await self._call("POST", path, data=data, headers=headers, timeout=_ASSET_TIMEOUT))[1]
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.") from error

    async def asset(self, asset_id: str) -> Json:
        return (await self._call("GET", f"/api/v1/assets/{quote(asset_id, safe='')}"))[1]

    async def watch(self, job_id: str, version: int) -> AsyncIterator[Json]:
        """The job's status, from `version` on, whenever it changes; ends with the one at the job's end.

        Raises ApiError; a service that is away for a while is waited for.
        """
        etag, failures, path = "", 0, f"{_job(job_id)}/status?" + urlencode({"min_version": version})
        while True:
            try:
                answer, status = await self._call("GET", path, headers={"If-None-Match": etag} if etag else {})
            except ApiError as error:
                failures += 1
                if 0 < error.status < 500 or failures > _PATIENCE:
                    raise
            else:
                failures = 0
                if answer.status != 304:
                    etag = answer.headers.get("ETag", "")
                    yield status
                    if status["status"] in _FINISHED:
                        return
            await asyncio.sleep(POLL_S)

    async def save(self, link: str, target: Path) -> str:
        """Download into `target`, which appears whole or not at all; returns the URL that the bytes came from."""
        url = self.base.join(URL(link))
        async with await self._get(url, self._headers) as first:
            location = first.headers.get("Location") if first.status in (302, 303, 307, 308) else None
            if location is None:
                await self._write(first, target)
                return str(url)
        signed = url.join(URL(location, encoded=True))
        async with await self._get(signed, {}) as answer:
            await self._write(answer, target)
        return str(signed)

    async def _get(self, url: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        try:
            return await self.session.get(url, headers=headers, allow_redirects=False, timeout=_TIMEOUT)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(0, f"{url.origin()} can't be reached: {error}.") from error

    async def _write(self, answer: aiohttp.ClientResponse, target: Path) -> None:
        if answer.status != 200:
            raise await _problem(answer)
        part = target.with_name(target.name + ".part")
        try:
            with part.open("wb") as file:
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    file.write(chunk)
            part.replace(target)
        except (aiohttp.ClientError, TimeoutError) as error:
            part.unlink(missing_ok=True)
            raise ApiError(0, f"The download of {target.name} broke off: {error}.") from error
        except OSError as error:
            raise CommandError(f"{target} can't be written: {error.strerror}.") from error

    async def _call(self, method: str, path: str, **options: Any) -> tuple[aiohttp.ClientResponse, Json]:
        headers = self._headers | options.pop("headers", {})
        options.setdefault("timeout", _TIMEOUT)
        url = self.base.join(URL(path, encoded=True))
        try:
            async with self.session.request(method, url, headers=headers, **options) as answer:
                if answer.status >= 400:
                    raise await _problem(answer)
                return answer, {} if answer.status == 304 else await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            way_out = "Is it running? `eventflow up`, or --url."
            lost = not isinstance(error, aiohttp.ClientConnectorError)
            raise ApiError(0, f"{self.base} doesn't answer ({error}). {way_out}", unanswered=lost) from error


def _job(job_id: str) -> str:
    return f"/api/v1/videos/jobs/{job_id}"


async def _problem(answer: aiohttp.ClientResponse) -> ApiError:
    """The error of a problem+json answer, each field's reason included."""
    try:
        body: Json = await answer.json(content_type=None)
        message = str(body["detail"])
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        message = f"{answer.url.origin()} answers {answer.status} {answer.reason}."
    if answer.status == 401:
        message += f" Give it with --api-key or {CLIENT_KEY}."
    return ApiError(answer.status, printable(message), unanswered=answer.status in _PASSING)
