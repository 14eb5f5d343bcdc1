"""HLS of a job, from its first scene on: playlists, and the segments that their lines lead to."""

from __future__ import annotations

import re
from functools import partial

from aiohttp import hdrs, web

from eventflow.domain.view import JobView
from eventflow.requests.errors import Fault
from web.http.errors import Problem, invalid
from web.http.ranges import matches_any
from web.readmodel.hls_editions import Edition, Editions
from web.readmodel.hls_playlists import MEDIA_TYPE, captions_playlist, master_playlist, media_playlist
from web.readmodel.playlist_cache import STREAMS, CachedPlaylists, Playlist
from web.requests.query import known_query, query_choice, query_number
from web.routes.job_access import watched_job
from web.routes.media import whole_video
from web.routes.media_response import ANY_PAGE, PLAYBACK_QUERY, not_ready, redirect

_FORMATS = ("hls", "mp4")
_MAX_RUN = 10**9
#: Asked again each time, and answered 304 where nothing was added.
_CACHE_CONTROL = "private, no-cache"
_NAME = re.compile(r"[0-9a-f]{32}\.(m4s|mp4)")


async def stream(request: web.Request) -> web.Response:
    """A playlist: of the renditions; with ?quality or ?captions that one's. ?format=mp4: the whole video.

    `stream.m3u8` is the address that is given out; `stream` means the same.
    """
    if query_choice(request.query, "format", _FORMATS) == "mp4":
        return await whole_video(request)
    known_query(request.query, "quality", "captions", "edition", "format", PLAYBACK_QUERY)
    number = query_number(request.query, "edition", 0, 0, _MAX_RUN)
    view = (await watched_job(request)).view
    watched = await request.app[STREAMS].at(view.id, view.version)
    edition = _edition(watched.editions, view, number)
    playlist = _playlist(request, watched, edition)
    headers = {hdrs.ETAG: playlist.etag, hdrs.CACHE_CONTROL: _CACHE_CONTROL, **ANY_PAGE}
    if matches_any(request.headers.get(hdrs.IF_NONE_MATCH), playlist.etag):
        return web.Response(status=304, headers=headers)
    body = playlist.body(request.query.get(PLAYBACK_QUERY, ""))
    return web.Response(body=body, headers={**headers, hdrs.CONTENT_TYPE: MEDIA_TYPE})


async def segment(request: web.Request) -> web.Response:
    """What a line of a playlist leads to: a segment, or what initialises its decoder. Raises Problem 404."""
    known_query(request.query, PLAYBACK_QUERY)
    quality, name = request.match_info["quality"], request.match_info["name"]
    view = (await watched_job(request)).view
    if not _NAME.fullmatch(name):
        raise _no_segment()
    streams = request.app[STREAMS]
    known = streams.known(view.id)
    file = known.editions.files.get((quality, name)) if known else None
    if file is None:  # not yet read here, or there is none
        file = (await streams.at(view.id, view.version)).editions.files.get((quality, name))
    if file is None:
        raise _no_segment()
    return await redirect(request, file)


def _edition(editions: Editions, view: JobView, number: int) -> Edition:
    """The edition of that number, or for 0 the one that is shown now. Raises Problem 404, 409."""
    edition = editions.edition(number) if number else editions.current
    if edition is not None and edition.scenes:
        return edition
    if number and edition is None:
        raise Problem(404, "no_edition", "The video has no such edition; without ?edition you get the present one.")
    if not view.job.request.enable_streaming or view.job.published:
        detail = "The video has no segments to stream; ask for format=mp4."
        raise Problem(404, "no_stream", detail)
    raise not_ready(view)


def _playlist(request: web.Request, watched: CachedPlaylists, edition: Edition) -> Playlist:
    quality, language = request.query.get("quality"), request.query.get("captions")
    if quality is not None and language is not None:
        raise invalid([Fault("?captions", "conflict", "there is a quality already; a playlist is of one of them")])
    tracks = _languages(watched.editions, edition)
    if quality is not None:
        if quality not in edition.qualities:
            detail = f"The video has no such quality; there is: {', '.join(edition.qualities)}."
            raise Problem(404, "unknown_quality", detail, qualities=list(edition.qualities))
        return watched.playlist(("quality", quality, edition.number), partial(media_playlist, edition, quality))
    if language is not None:
        if language not in tracks:
            detail = f"The video has no such captions; there are: {', '.join(tracks) or 'none'}."
            raise Problem(404, "no_captions", detail, languages=list(tracks))
        return watched.playlist(("captions", language, edition.number), partial(captions_playlist, edition, language))
    return watched.playlist(("", "", edition.number), partial(master_playlist, edition, tracks))


def _languages(editions: Editions, edition: Edition) -> tuple[str, ...]:
    """What there are captions in: they are of the whole video, and so of an edition that is published."""
    published = editions.job.published if editions.job else None
    if published is None or edition.number != editions.published:
        return ()
    return tuple(dict.fromkeys(track.language for track in published.captions if track.format == "vtt"))


def _no_segment() -> Problem:
    return Problem(404, "no_segment", "The video has no such segment.")
