"""What viewers get of a published job: metadata, thumbnails, captions, downloads, streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import PurePosixPath

from aiohttp import hdrs, web

from eventflow.domain.job import Publication
from eventflow.domain.values import CaptionFile, FileRef, Thumbnail, VideoFile
from eventflow.domain.view import JobView
from eventflow.storage import ObjectStore, attachment
from web.checks import known_query, query_choice, query_number
from web.deps import DEPS
from web.editions import Located
from web.errors import RETRY, Problem
from web.jobs import json_response
from web.links import job_links
from web.metadata import best, metadata_of, streamed
from web.playback import watched_job
from web.sending import Representation, send_read

THUMBNAIL_CACHE = "private, max-age=300"
#: For pages of other origins; who asks is told by a header or the query, never by a cookie. A query may hold a token.
ANY_PAGE = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*", "Referrer-Policy": "no-referrer"}
#: The query's name for a playback token.
PLAYBACK_QUERY = "token"
_NO_CACHE = "private, no-cache"
_FLAGS = ("true", "false", "1", "0")
_MAX_INDEX = 10_000
_CAPTION_FORMATS = ("vtt", "srt")


async def metadata(request: web.Request) -> web.Response:
    known_query(request.query)
    view, published = await _publication(request)
    settings = request.app[DEPS].settings

    async def sign(file: FileRef) -> str:
        return await signed(request, file)

    body = await metadata_of(
        view,
        published,
        sign,
        expires_in_s=settings.signed_url_seconds,
        stream_url=job_links(settings, view.id)["stream_url"] + ("" if streamed(view) else "?format=mp4"),
    )
    return json_response(body, headers={hdrs.CACHE_CONTROL: "no-store"})


async def thumbnail(request: web.Request) -> web.StreamResponse:
    """The picture's bytes: small, and so an <img> with a cache needs no second request."""
    known_query(request.query, "index", PLAYBACK_QUERY)
    index = query_number(request.query, "index", 0, 0, _MAX_INDEX)
    _, published = await _publication(request)
    file = _thumbnail(published.thumbnails, index).file
    what = Representation(file.size_bytes, f'"{file.sha256}"', file.media_type, THUMBNAIL_CACHE)
    return await _send(request, file, what)


async def captions(request: web.Request) -> web.StreamResponse:
    """Text tracks: a redirect to the store, or with ?proxy=true the bytes, as <track> needs them from this origin."""
    known_query(request.query, "format", "language", "proxy", PLAYBACK_QUERY)
    wanted = query_choice(request.query, "format", _CAPTION_FORMATS) or _CAPTION_FORMATS[0]
    proxy = query_choice(request.query, "proxy", _FLAGS) in ("true", "1")
    _, published = await _publication(request)
    file = _captions(published.captions, wanted, request.query.get("language")).file
    if not proxy:
        return redirect(await signed(request, file))
    what = Representation(file.size_bytes, f'"{file.sha256}"', file.media_type, _NO_CACHE, any_origin=True)
    return await _send(request, file, what)


async def download(request: web.Request) -> web.StreamResponse:
    known_query(request.query, "quality", "proxy", PLAYBACK_QUERY)
    proxy = query_choice(request.query, "proxy", _FLAGS) in ("true", "1")
    view, published = await _publication(request)
    video = _video(request, published)
    name = _name(view, video)
    if not proxy:
        return redirect(await signed(request, video.file, name))
    file = video.file
    what = Representation(file.size_bytes, f'"{file.sha256}"', file.media_type, _NO_CACHE, attachment(name))
    return await _send(request, file, what)


async def whole_video(request: web.Request) -> web.Response:
    """The MP4, to be watched rather than saved."""
    known_query(request.query, "quality", "format", PLAYBACK_QUERY)
    _, published = await _publication(request)
    return redirect(await signed(request, _video(request, published).file))


async def _publication(request: web.Request) -> tuple[JobView, Publication]:
    """The requester's job and what of it is published. Raises Problem 404, and 409 while there is nothing."""
    view = (await watched_job(request)).view
    if view.job.published is None:
        raise not_ready(view)
    return view, view.job.published


def not_ready(view: JobView) -> Problem:
    headers = {} if view.job.finished else RETRY
    detail = f"There is nothing to see yet: the job is {view.status.value}."
    return Problem(409, "not_ready", detail, headers=headers, job_status=view.status.value)


def _video(request: web.Request, published: Publication) -> VideoFile:
    if not published.videos:
        raise Problem(404, "no_video", "The job has no video file.")
    quality = request.query.get("quality")
    if quality is None:
        return best(published)
    for video in published.videos:
        if video.quality == quality:
            return video
    there_is = [video.quality for video in published.videos]
    detail = f"The video has no such quality; there is: {', '.join(there_is)}."
    raise Problem(404, "unknown_quality", detail, qualities=there_is)


def _thumbnail(thumbnails: tuple[Thumbnail, ...], index: int) -> Thumbnail:
    for thumbnail in thumbnails:
        if thumbnail.index == index:
            return thumbnail
    detail = f"There is no thumbnail {index}; the job has {len(thumbnails)}."
    raise Problem(404, "no_thumbnail", detail, thumbnails=len(thumbnails))


def _captions(tracks: tuple[CaptionFile, ...], wanted: str, language: str | None) -> CaptionFile:
    for track in tracks:
        if track.format == wanted and (language is None or track.language.lower() == language.lower()):
            return track
    there_is = list(dict.fromkeys(track.language for track in tracks))
    detail = f"The video has no such captions; there are: {', '.join(there_is) or 'none'}."
    raise Problem(404, "no_captions", detail, languages=there_is)


def _name(view: JobView, video: VideoFile) -> str:
    """What a download is saved as; made safe by whoever writes the header."""
    return f"{view.job.title or view.id}-{video.quality}{PurePosixPath(video.file.key).suffix or '.mp4'}"


def _store(request: web.Request, file: FileRef | Located) -> ObjectStore:
    store = request.app[DEPS].stores.get(file.store)
    if store is None:
        raise Problem(503, "storage_unavailable", f"No {file.store} store is configured in this process.")
    return store


async def signed(request: web.Request, file: FileRef | Located, name: str | None = None) -> str:
    lifetime = timedelta(seconds=request.app[DEPS].settings.signed_url_seconds)
    store = _store(request, file)
    return await store.signed_url(file.key, expires_in=lifetime, download_name=name, media_type=file.media_type)


def redirect(url: str) -> web.Response:
    """307, never cached: the next one gets a URL of its own. Pages of other origins may follow it, as players do."""
    headers = {hdrs.LOCATION: url, hdrs.CACHE_CONTROL: "no-store", **ANY_PAGE}
    return web.Response(status=307, headers=headers)


async def _send(request: web.Request, file: FileRef, what: Representation) -> web.StreamResponse:
    store = _store(request, file)

    def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        return store.read(file.key, start=start, length=length)

    return await send_read(request, what, read)
