"""HLS of a job from its first scene on: playlists, and the segments that they list."""

from __future__ import annotations

import re
from functools import partial

from aiohttp import hdrs, web

from eventflow.domain.view import JobView
from eventflow.requests.errors import Fault
from web.http.errors import Problem, invalid
from web.http.ranges import REVALIDATE, matches_any
from web.readmodel.hls_editions import Edition, Editions
from web.readmodel.hls_playlists import MEDIA_TYPE, captions_playlist, master_playlist, media_playlist
from web.readmodel.playlist_cache import PLAYLISTS, JobPlaylists, Playlist
from web.requests.http_input import known_query, query_choice, query_number
from web.routes.job_access import watched_job
from web.routes.media import whole_video
from web.routes.media_response import ANY_PAGE, PLAYBACK_QUERY, no_captions, not_ready, redirect, unknown_quality

_FORMATS = ("hls", "mp4")
_MAX_RUN = 10**9
_NAME = re.compile(r"[0-9a-f]{32}\.(m4s|mp4)")


async def stream(request: web.Request) -> web.Response:
    """The master playlist; with ?quality or ?captions the playlist of that track. ?format=mp4: the whole video.

    Links name the path `stream.m3u8`; `stream` is the same resource.
    """
    if query_choice(request.query, "format", _FORMATS) == "mp4":
        return await whole_video(request)
    known_query(request.query, "quality", "captions", "edition", "format", PLAYBACK_QUERY)
    number = query_number(request.query, "edition", 0, 0, _MAX_RUN)
    view = (await watched_job(request)).view
    job = await request.app[PLAYLISTS].at(view.id, view.version)
    edition = _edition(job.editions, view, number)
    playlist = _playlist(request, job, edition)
    headers = {hdrs.ETAG: playlist.etag, hdrs.CACHE_CONTROL: REVALIDATE, **ANY_PAGE}
    if matches_any(request.headers.get(hdrs.IF_NONE_MATCH), playlist.etag):
        return web.Response(status=304, headers=headers)
    body = playlist.body(request.query.get(PLAYBACK_QUERY, ""))
    return web.Response(body=body, headers={**headers, hdrs.CONTENT_TYPE: MEDIA_TYPE})


async def segment(request: web.Request) -> web.Response:
    """A media segment or an init segment, by its name in playlists. Raises Problem 404."""
    known_query(request.query, PLAYBACK_QUERY)
    quality, name = request.match_info["quality"], request.match_info["name"]
    view = (await watched_job(request)).view
    if not _NAME.fullmatch(name):
        raise _no_segment()
    playlists = request.app[PLAYLISTS]
    cached = playlists.cached(view.id)
    file = cached.editions.files.get((quality, name)) if cached else None
    if file is None:  # it may be newer than the cached editions
        file = (await playlists.at(view.id, view.version)).editions.files.get((quality, name))
    if file is None:
        raise _no_segment()
    return await redirect(request, file)


def _edition(editions: Editions, view: JobView, number: int) -> Edition:
    """The edition of that number, or for 0 the default one. Raises Problem 404, 409."""
    edition = editions.edition(number) if number else editions.current
    if edition is not None and edition.scenes:
        return edition
    if number and edition is None:
        raise Problem(404, "no_edition", f"unknown edition {number}; leave ?edition out for the current one")
    if not view.job.request.enable_streaming or view.job.published:
        detail = "The video has no HLS segments; ask for format=mp4."
        raise Problem(404, "no_stream", detail)
    raise not_ready(view)


def _playlist(request: web.Request, job: JobPlaylists, edition: Edition) -> Playlist:
    quality, language = request.query.get("quality"), request.query.get("captions")
    if quality is not None and language is not None:
        raise invalid([Fault("?captions", "conflict", "can't be combined with quality; leave one of them out")])
    tracks = _languages(job.editions, edition)
    if quality is not None:
        if quality not in edition.qualities:
            raise unknown_quality(quality, edition.qualities)
        return job.playlist(("quality", quality, edition.number), partial(media_playlist, edition, quality))
    if language is not None:
        if language not in tracks:
            raise no_captions(language, tracks)
        return job.playlist(("captions", language, edition.number), partial(captions_playlist, edition, language))
    return job.playlist(("", "", edition.number), partial(master_playlist, edition, tracks))


def _languages(editions: Editions, edition: Edition) -> tuple[str, ...]:
    """The languages of the edition's captions: these are made for the whole video, so only for a published edition."""
    published = editions.job.published if editions.job else None
    if published is None or edition.number != editions.published:
        return ()
    return tuple(dict.fromkeys(track.language for track in published.captions if track.format == "vtt"))


def _no_segment() -> Problem:
    return Problem(404, "no_segment", "unknown segment; read the playlist again")
