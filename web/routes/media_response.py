"""The published files of a job, and answers with a file: its bytes, or a redirect to its store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta

from aiohttp import hdrs, web

from eventflow.domain.state import Publication
from eventflow.domain.values import FileRef
from eventflow.domain.view import JobView
from eventflow.requests.errors import Fault
from eventflow.requests.json_reader import shown
from eventflow.storage import Method, ObjectStore
from web.deps import DEPS, PLAYBACK
from web.http.errors import RETRY, Problem, invalid
from web.http.file_response import Representation, send_read
from web.readmodel.hls_editions import FileLocation
from web.requests.http_input import query_choice, query_number
from web.routes.job_access import watched_job

#: `Cache-Control` of small files that pages request often.
SHORT_CACHE = "private, max-age=300"
#: Headers for pages of any origin, which is safe because no cookie identifies anybody. No `Referer` may show the query,
#: which may hold a token.
ANY_PAGE = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*", "Referrer-Policy": "no-referrer"}
#: The query parameter that holds a playback token.
PLAYBACK_QUERY = "token"
_FLAGS = ("true", "false", "1", "0")


async def publication(request: web.Request) -> tuple[JobView, Publication]:
    """The job of the path and its publication. Raises Problem 404, 410, and 409 before there is one."""
    view = (await watched_job(request)).view
    if view.job.published is None:
        raise not_ready(view)
    return view, view.job.published


def not_ready(view: JobView) -> Problem:
    """409 for a job without anything to play yet."""
    headers = {} if view.job.finished else RETRY
    detail = f"The job has nothing to play yet: it is {view.status.value}."
    return Problem(409, "not_ready", detail, headers=headers, job_status=view.status.value)


def unknown_quality(quality: str, available: Iterable[str]) -> Problem:
    """404 for a quality that the video doesn't have."""
    qualities = list(available)
    detail = f"unknown quality {shown(quality)!r}; available: {', '.join(qualities) or 'none'}"
    return Problem(404, "unknown_quality", detail, qualities=qualities)


def no_captions(language: str | None, available: Iterable[str]) -> Problem:
    """404 for captions that the video doesn't have: none at all, or none in `language`."""
    languages = list(dict.fromkeys(available))
    asked = "no captions" if language is None else f"no captions in {shown(language)!r}"
    return Problem(404, "no_captions", f"{asked}; available: {', '.join(languages) or 'none'}", languages=languages)


def wants_proxy(request: web.Request) -> bool:
    """Whether the app is to send the bytes itself. Raises Problem 422."""
    proxy = query_choice(request.query, "proxy", _FLAGS) in ("true", "1")
    if proxy and "expires_in" in request.query:
        reason = "has no use with proxy, where no URL is signed; leave one of them out"
        raise invalid([Fault("?expires_in", "conflict", reason)])
    return proxy


def store_of(request: web.Request, file: FileRef | FileLocation) -> ObjectStore:
    """The store that holds the file. Raises Problem 503 if this process has no store of that role."""
    store = request.app[DEPS].stores.get(file.store)
    if store is None:
        raise Problem(503, "storage_unavailable", f"This process has no {file.store} store configured.")
    return store


def lifetime_s(request: web.Request) -> int:
    """Seconds that the URLs of an answer are valid: `?expires_in=` within the settings' limits. Raises Problem 422.

    Holders of a playback token can't choose it.
    """
    if request.get(PLAYBACK) is not None and "expires_in" in request.query:
        raise invalid([Fault("?expires_in", "conflict", "can't be chosen with a playback token; leave it out")])
    settings = request.app[DEPS].settings
    limits = settings.delivery
    return query_number(
        request.query, "expires_in", settings.signed_url_seconds, limits.min_seconds, limits.max_seconds
    )


async def signed(
    request: web.Request, file: FileRef | FileLocation, name: str | None = None, *, method: Method = "GET"
) -> str:
    """A URL of the file, valid for `lifetime_s`: shown inline, or saved under `name`."""
    store, lifetime = store_of(request, file), timedelta(seconds=lifetime_s(request))
    return await store.signed_url(
        file.key, expires_in=lifetime, download_name=name, media_type=file.media_type, method=method
    )


async def redirect(request: web.Request, file: FileRef | FileLocation, name: str | None = None) -> web.Response:
    """307 to the file, signed for the request's method. Never cached, because the URL expires.

    Pages of any origin may follow it, as players do.
    """
    url = await signed(request, file, name, method="HEAD" if request.method == "HEAD" else "GET")
    headers = {hdrs.LOCATION: url, hdrs.CACHE_CONTROL: "no-store", **ANY_PAGE}
    return web.Response(status=307, headers=headers)


def representation(file: FileRef, cache_control: str, disposition: str | None = None) -> Representation:
    """The headers of the stored file; its ETag is its SHA-256."""
    return Representation(
        size_bytes=file.size_bytes,
        etag=f'"{file.sha256}"',
        media_type=file.media_type,
        cache_control=cache_control,
        disposition=disposition,
    )


async def send(request: web.Request, file: FileRef, described: Representation) -> web.StreamResponse:
    """Send the bytes of the file, whole or in part, as `described`. Raises Problem 416, 503, StorageError."""
    store = store_of(request, file)

    def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        return store.read(file.key, start=start, length=length)

    return await send_read(request, described, read)


async def send_bytes(request: web.Request, data: bytes, described: Representation) -> web.StreamResponse:
    """Send `data` as a file would be sent, with ranges and conditions. Raises Problem 416."""

    async def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        yield data[start : start + length]

    return await send_read(request, described, read)
