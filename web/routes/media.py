"""Metadata, captions and whole recordings of a published job."""

from __future__ import annotations

from pathlib import PurePosixPath

from aiohttp import hdrs, web

from eventflow.domain.state import Publication
from eventflow.domain.values import AUDIO, CaptionFile, FileRef
from eventflow.domain.view import JobView
from eventflow.requests.errors import Fault
from eventflow.storage import attachment
from web.deps import DEPS
from web.http.errors import Problem, invalid
from web.http.json_response import json_response
from web.http.links import media_links
from web.http.ranges import REVALIDATE
from web.readmodel.metadata_json import best, metadata_of
from web.requests.http_input import known_query, query_choice
from web.routes.media_response import (
    PLAYBACK_QUERY,
    lifetime_s,
    no_captions,
    publication,
    redirect,
    representation,
    send,
    signed,
    unknown_quality,
    wants_proxy,
)

_CAPTION_FORMATS = ("vtt", "srt")
#: The extension of paths to the sound alone.
_SOUND = "m4a"


async def metadata(request: web.Request) -> web.Response:
    """The published video's facts, and signed URLs of its files."""
    known_query(request.query, "expires_in")
    lifetime = lifetime_s(request)
    view, published = await publication(request)
    settings = request.app[DEPS].settings

    async def sign(file: FileRef) -> str:
        return await signed(request, file)

    body = await metadata_of(view, published, sign, expires_in_s=lifetime, links=media_links(settings, view.id))
    return json_response(body, headers={hdrs.CACHE_CONTROL: "no-store"})


async def captions(request: web.Request) -> web.StreamResponse:
    """A text track: a redirect to the store, or with ?proxy=true the bytes, for a <track> that needs this origin."""
    known_query(request.query, *_format(request), "language", "proxy", "expires_in", PLAYBACK_QUERY)
    wanted = _ending(request) or query_choice(request.query, "format", _CAPTION_FORMATS) or _CAPTION_FORMATS[0]
    proxy, _ = wants_proxy(request), lifetime_s(request)
    _, published = await publication(request)
    file = _captions(published.captions, wanted, request.query.get("language")).file
    if not proxy:
        return await redirect(request, file)
    return await send(request, file, representation(file, REVALIDATE))


async def download(request: web.Request) -> web.StreamResponse:
    """A recording, to be saved: `download.mp4` is a video, `download.m4a` its sound, and `download` either."""
    known_query(request.query, "quality", "proxy", "expires_in", PLAYBACK_QUERY)
    proxy, _ = wants_proxy(request), lifetime_s(request)
    view, published = await publication(request)
    quality, file = _recording(request, published)
    name = _name(view, quality, file)
    if not proxy:
        return await redirect(request, file, name)
    return await send(request, file, representation(file, REVALIDATE, attachment(name)))


async def whole_video(request: web.Request) -> web.Response:
    """A recording, to be played rather than saved; the path has the same extensions as `download`."""
    known_query(request.query, *_format(request), "quality", "expires_in", PLAYBACK_QUERY)
    lifetime_s(request)
    _, published = await publication(request)
    return await redirect(request, _recording(request, published)[1])


def _ending(request: web.Request) -> str | None:
    """The extension of the request's path, on routes that have several."""
    return request.match_info.get("ending")


def _format(request: web.Request) -> tuple[str, ...]:
    """The query parameter that gives the format, on routes without an extension."""
    return () if _ending(request) else ("format",)


def _recording(request: web.Request, published: Publication) -> tuple[str, FileRef]:
    """(quality, file) of `?quality=`: a video (by default the best), or its sound. Raises Problem 404, 422."""
    quality = _quality(request)
    files = {video.quality: video.file for video in published.videos}
    if published.companions.audio is not None:
        files[AUDIO] = published.companions.audio.file
    if quality is None:
        if not published.videos:
            raise Problem(404, "no_video", "The job has no video file.")
        quality = best(published).quality
    if quality not in files:
        raise unknown_quality(quality, files)
    return quality, files[quality]


def _quality(request: web.Request) -> str | None:
    """The quality that the path and the query name, None for the best. Raises Problem 422 if they contradict."""
    quality, ending = request.query.get("quality"), _ending(request)
    if ending is None:
        return quality
    if quality is None:
        return AUDIO if ending == _SOUND else None
    if (quality == AUDIO) != (ending == _SOUND):
        reason = f"contradicts the path, which ends in .{ending} (.{_SOUND}: the sound, .mp4: a video); leave one out"
        raise invalid([Fault("?quality", "conflict", reason)])
    return quality


def _captions(tracks: tuple[CaptionFile, ...], wanted: str, language: str | None) -> CaptionFile:
    for track in tracks:
        if track.format == wanted and (language is None or track.language.lower() == language.lower()):
            return track
    raise no_captions(language, [track.language for track in tracks if track.format == wanted])


def _name(view: JobView, quality: str, file: FileRef) -> str:
    """The file name of a download; `attachment` makes it safe."""
    return f"{view.job.title or view.id}-{quality}{PurePosixPath(file.key).suffix or '.mp4'}"
