"""From a job to what is published of it, and from a file to an answer: the bytes, or a redirect to where they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

from aiohttp import hdrs, web

from eventflow.domain.state import Publication
from eventflow.domain.values import FileRef
from eventflow.domain.view import JobView
from eventflow.requests.errors import Fault
from eventflow.storage import Method, ObjectStore
from web.deps import DEPS, PLAYBACK
from web.http.errors import RETRY, Problem, invalid
from web.http.file_response import Representation, send_read
from web.readmodel.hls_editions import Located
from web.requests.query import query_choice, query_number
from web.routes.job_access import watched_job

#: What may change under its address: a cache has to ask each time, and is told 304.
NO_CACHE = "private, no-cache"
#: What is small, and often asked for by pages.
SHORT_CACHE = "private, max-age=300"
#: For pages of other origins; who asks is told by a header or the query, never by a cookie. A query may hold a token.
ANY_PAGE = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*", "Referrer-Policy": "no-referrer"}
#: The query's name for a playback token.
PLAYBACK_QUERY = "token"
_FLAGS = ("true", "false", "1", "0")


async def publication(request: web.Request) -> tuple[JobView, Publication]:
    """The requester's job and what of it is published. Raises Problem 404, 410, and 409 while there is nothing."""
    view = (await watched_job(request)).view
    if view.job.published is None:
        raise not_ready(view)
    return view, view.job.published


def not_ready(view: JobView) -> Problem:
    headers = {} if view.job.finished else RETRY
    detail = f"There is nothing to see yet: the job is {view.status.value}."
    return Problem(409, "not_ready", detail, headers=headers, job_status=view.status.value)


def wants_proxy(request: web.Request) -> bool:
    """Whether the bytes are to pass through the app. Raises Problem 422."""
    proxy = query_choice(request.query, "proxy", _FLAGS) in ("true", "1")
    if proxy and "expires_in" in request.query:
        reason = "the bytes come through the app: there is no URL that could expire; leave it out, or proxy"
        raise invalid([Fault("?expires_in", "conflict", reason)])
    return proxy


def store_of(request: web.Request, file: FileRef | Located) -> ObjectStore:
    """Raises Problem 503 where this process doesn't know the file's store."""
    store = request.app[DEPS].stores.get(file.store)
    if store is None:
        raise Problem(503, "storage_unavailable", f"No {file.store} store is configured in this process.")
    return store


def lifetime_s(request: web.Request) -> int:
    """How long the URLs of an answer live: `?expires_in=`, within the settings' limits. Raises Problem 422.

    Not for who has a playback token alone: its end is that of what it opens.
    """
    if request.get(PLAYBACK) is not None and "expires_in" in request.query:
        raise invalid([Fault("?expires_in", "conflict", "a playback token can't choose; leave it out")])
    settings = request.app[DEPS].settings
    limits = settings.delivery
    return query_number(
        request.query, "expires_in", settings.signed_url_seconds, limits.min_seconds, limits.max_seconds
    )


async def signed(
    request: web.Request, file: FileRef | Located, name: str | None = None, *, method: Method = "GET"
) -> str:
    """A URL that leads to the file for `lifetime_s`, shown inline, or saved under `name`."""
    store, lifetime = store_of(request, file), timedelta(seconds=lifetime_s(request))
    return await store.signed_url(
        file.key, expires_in=lifetime, download_name=name, media_type=file.media_type, method=method
    )


async def redirect(request: web.Request, file: FileRef | Located, name: str | None = None) -> web.Response:
    """307 to the file, for the method of the request; never cached: the next one gets a URL of its own.

    Pages of other origins may follow it, as players do.
    """
    url = await signed(request, file, name, method="HEAD" if request.method == "HEAD" else "GET")
    headers = {hdrs.LOCATION: url, hdrs.CACHE_CONTROL: "no-store", **ANY_PAGE}
    return web.Response(status=307, headers=headers)


def representation(file: FileRef, cache_control: str, disposition: str | None = None) -> Representation:
    """The file as it is: the ETag is that of its bytes."""
    return Representation(file.size_bytes, f'"{file.sha256}"', file.media_type, cache_control, disposition)


async def send(request: web.Request, file: FileRef, what: Representation) -> web.StreamResponse:
    """The bytes of the file, whole or in part."""
    store = store_of(request, file)

    def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        return store.read(file.key, start=start, length=length)

    return await send_read(request, what, read)


async def send_bytes(request: web.Request, data: bytes, what: Representation) -> web.StreamResponse:
    """What was made just now, under the same conditions as a file."""

    async def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        yield data[start : start + length]

    return await send_read(request, what, read)
