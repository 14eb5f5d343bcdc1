"""A client of the HTTP API."""

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
from eventflow.requests.pictures import may_name_pictures
from ops.cli.common import KEY_VARIABLES, CommandError
from ops.cli.tables import printable

_GENERATE = "/api/v1/videos/generate"
_JOBS, _ADMIN = "/api/v1/videos/jobs", "/api/v1/admin"
#: Jobs on a page: the most that the API gives.
_PAGE = 100
#: Pause between two requests for a job's status.
POLL_S = 0.4
#: Failures in a row (no connection, 5xx) after which a wait ends with an error.
_PATIENCE = 20
#: How often a request is sent at most, and the answers (a gateway's too) after which its outcome is unknown.
_SENDINGS = 8
_LONGEST_PAUSE_S = 5.0
_PASSING = (502, 503, 504)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
#: The service re-encodes a clip before it answers.
_ASSET_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=900)
#: It may fetch pictures, and wait for a model.
_PLAN_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=300)
_CHUNK_BYTES = 256 * 1024
_FINISHED = ("completed", "failed", "cancelled")

Json = dict[str, Any]


class ApiError(CommandError):
    """An answer that is an error, in the service's words. `status` 0: the service can't be reached.

    `unanswered`: the service may have accepted the request nevertheless, or may accept it if it is sent again.
    """

    def __init__(self, status: int, message: str, *, unanswered: bool = False) -> None:
        super().__init__(message)
        self.status, self.unanswered = status, unanswered


@frozen
class Api:
    """A client of the service at `base`. The key goes to the service only, never to the stores that it redirects to."""

    session: aiohttp.ClientSession
    base: URL
    key: str | None = None

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def url(self, link: str) -> str:
        """Return a link of an answer, which may be relative, as an absolute URL."""
        return str(self.base.join(URL(link)))

    async def generate(self, request: Mapping[str, Any], key: str | None = None) -> Json:
        """Submit a request and return the answer of POST generate. Raises ApiError.

        If the answer is lost, the request is sent again under the same idempotency `key`, so that it makes one job.
        """
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        options: Json = {"json": request, "headers": headers}
        if may_name_pictures(request.get("script") or ""):
            options["timeout"] = _PLAN_TIMEOUT
        lost, backoff = False, Backoff(first_s=POLL_S, longest_s=_LONGEST_PAUSE_S, random=Random())  # noqa: S311 - jitter
        for left in reversed(range(_SENDINGS)):
            try:
                return (await self._call("POST", _GENERATE, **options))[1]
            except ApiError as error:
                lost = lost or error.unanswered
                passing = error.unanswered or (lost and error.status == 0)
                if not passing or not left:
                    raise
            await asyncio.sleep(backoff.next_s())
        raise AssertionError("the last try returns or raises")

    async def jobs(self, limit: int, owner: str | None) -> list[Json]:
        """Return the newest jobs: those of the key's owner, or of `owner` ("*": everybody's), which needs an admin."""
        found: list[Json] = []
        query = {} if owner is None else {"owner": owner}
        while len(found) < limit:
            page = query | {"limit": str(min(_PAGE, limit - len(found)))}
            answer = (await self._call("GET", f"{_JOBS}?{urlencode(page)}"))[1]
            found += answer["jobs"]
            if answer["next_cursor"] is None:
                break
            query["cursor"] = answer["next_cursor"]
        return found

    async def status(self, job_id: str) -> Json:
        """Return a job's status; with an admin's key also that of another owner's job."""
        try:
            return (await self._call("GET", f"{_job(job_id)}/status"))[1]
        except ApiError as error:
            if error.status != 404:
                raise
            try:
                return (await self._call("GET", f"{_ADMIN}/jobs/{job_id}/status"))[1]
            except ApiError as refused:
                raise (error if refused.status == 403 else refused) from refused

    async def events(self, job_id: str) -> list[Json]:
        """Return a job's events, oldest first."""
        found: list[Json] = []
        after: int | None = 0
        while after is not None:
            answer = (await self._call("GET", f"{_job(job_id)}/events?after={after}"))[1]
            found += answer["events"]
            after = answer["next_after"]
        return found

    async def cancel(self, job_id: str) -> Json:
        """Request the cancellation of a job; returns the answer, which has the job's `version`."""
        return (await self._call("POST", f"{_job(job_id)}/cancel"))[1]

    async def delete(self, job_id: str) -> Json:
        """Request the deletion of a finished job's files; returns the answer, which has the job's `version`."""
        return (await self._call("DELETE", _job(job_id)))[1]

    async def reprocess(self, job_id: str, body: Mapping[str, Any]) -> Json:
        """Do a finished job again from a stage on, with an admin's key; returns the answer, which has its `version`."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return (await self._call("POST", f"{_ADMIN}/jobs/{job_id}/reprocess", json=body, headers=headers))[1]

    async def dead_letters(self) -> AsyncIterator[Json]:
        """Yield the stopped deliveries, newest first. Needs an admin's key, like the three that follow."""
        query: dict[str, str] = {}
        while True:
            answer = (await self._call("GET", f"{_ADMIN}/parked?{urlencode(query)}"))[1]
            for entry in answer["entries"]:
                yield entry
            if answer["next_cursor"] is None:
                return
            query = {"cursor": answer["next_cursor"]}

    async def dead_letter(self, entry_id: str) -> Json:
        """Return a stopped delivery with its input, its cause and its job."""
        return (await self._call("GET", f"{_ADMIN}/parked/{quote(entry_id, safe='')}"))[1]

    async def redrive(self, entry_id: str) -> Json:
        """Send a stopped delivery to its group again."""
        return (await self._call("POST", f"{_ADMIN}/parked/{quote(entry_id, safe='')}/redrive"))[1]

    async def drop(self, entry_id: str) -> Json:
        """Remove a stopped delivery; a job that waits for it fails."""
        return (await self._call("DELETE", f"{_ADMIN}/parked/{quote(entry_id, safe='')}"))[1]

    async def metadata(self, job_id: str) -> Json:
        """Return the metadata of a published job."""
        return (await self._call("GET", f"{_job(job_id)}/metadata"))[1]

    async def add_asset(self, file: Path, name: str) -> Json:
        """Upload a file and return the asset. Raises ApiError, CommandError."""
        path = "/api/v1/assets?" + urlencode({"name": name})
        headers = {"Content-Type": "application/octet-stream"}
        try:
            with file.open("rb") as data:
                return (await self._call("POST", path, data=data, headers=headers, timeout=_ASSET_TIMEOUT))[1]
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.") from error

    async def add_data(self, data: bytes) -> Json:
        """Upload what isn't in a file and return the asset. Raises ApiError."""
        headers = {"Content-Type": "application/octet-stream"}
        return (await self._call("POST", "/api/v1/assets", data=data, headers=headers, timeout=_ASSET_TIMEOUT))[1]

    async def asset_of(self, sha256: str) -> Json | None:
        """Return your asset that a file with this SHA-256 became, or None."""
        try:
            return (await self._call("GET", f"/api/v1/assets/uploads/{sha256}"))[1]
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def plan(self, request: Mapping[str, Any]) -> Json:
        """Return the scenes of a request, of which no video is made."""
        return (await self._call("POST", "/api/v1/videos/plan", json=request, timeout=_PLAN_TIMEOUT))[1]

    async def asset(self, asset_id: str) -> Json:
        """Return what the service knows about an asset."""
        return (await self._call("GET", f"/api/v1/assets/{quote(asset_id, safe='')}"))[1]

    async def remove_asset(self, asset_id: str) -> None:
        """Remove an asset; videos that are being made with it fail."""
        await self._call("DELETE", f"/api/v1/assets/{quote(asset_id, safe='')}")

    async def watch(self, job_id: str, version: int) -> AsyncIterator[Json]:
        """Yield the job's status, from `version` on, each time it changes; the last one is that of the finished job.

        Raises ApiError. A service that doesn't answer is asked again, up to 20 times in a row.
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
        """Download into `target`, which appears whole or not at all, and return the URL that the bytes came from."""
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
                return answer, {} if answer.status in (204, 304) else await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            way_out = "Is it running? `eventflow up` starts one; --url or EVENTFLOW_URL names another."
            lost = not isinstance(error, aiohttp.ClientConnectorError)
            raise ApiError(0, f"{self.base} doesn't answer ({error}). {way_out}", unanswered=lost) from error


def _job(job_id: str) -> str:
    return f"{_JOBS}/{job_id}"


async def _problem(answer: aiohttp.ClientResponse) -> ApiError:
    """Return the error of a problem+json answer, with each field's reason."""
    try:
        body: Json = await answer.json(content_type=None)
        message = str(body["detail"])
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        message = f"{answer.url.origin()} answers {answer.status} {answer.reason}."
    if answer.status == 401:
        message += f" Give it with --api-key or {KEY_VARIABLES[0]}."
    return ApiError(answer.status, printable(message), unanswered=answer.status in _PASSING)
