"""What viewers get of a published job: metadata, captions, downloads, streams. `pictures` are apart."""

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
from web.readmodel.metadata_json import best, metadata_of
from web.requests.query import known_query, query_choice
from web.routes.media_response import (
    NO_CACHE,
    PLAYBACK_QUERY,
    lifetime_s,
    publication,
    redirect,
    representation,
    send,
    signed,
    wants_proxy,
)

_CAPTION_FORMATS = ("vtt", "srt")
#: The ending of the path that stands for the sound alone.
_SOUND = "m4a"


async def metadata(request: web.Request) -> web.Response:
    known_query(request.query, "expires_in")
    lifetime = lifetime_s(request)
    view, published = await publication(request)
    settings = request.app[DEPS].settings

    async def sign(file: FileRef) -> str:
        return await signed(request, file)

    body = await metadata_of(view, published, sign, expires_in_s=lifetime, links=media_links(settings, view.id))
    return json_response(body, headers={hdrs.CACHE_CONTROL: "no-store"})


async def captions(request: web.Request) -> web.StreamResponse:
    """Text tracks: a redirect to the store, or with ?proxy=true the bytes, as <track> needs them from this origin."""
    known_query(request.query, *_format(request), "language", "proxy", "expires_in", PLAYBACK_QUERY)
    wanted = _ending(request) or query_choice(request.query, "format", _CAPTION_FORMATS) or _CAPTION_FORMATS[0]
    proxy, _ = wants_proxy(request), lifetime_s(request)
    _, published = await publication(request)
    file = _captions(published.captions, wanted, request.query.get("language")).file
    if not proxy:
        return await redirect(request, file)
    return await send(request, file, representation(file, NO_CACHE))


async def download(request: web.Request) -> web.StreamResponse:
    """A recording, to be saved: `download.mp4` is a video, `download.m4a` the sound, and `download` either."""
    known_query(request.query, "quality", "proxy", "expires_in", PLAYBACK_QUERY)
    proxy, _ = wants_proxy(request), lifetime_s(request)
    view, published = await publication(request)
    quality, file = _recording(request, published)
    name = _name(view, quality, file)
    if not proxy:
        return await redirect(request, file, name)
    return await send(request, file, representation(file, NO_CACHE, attachment(name)))


async def whole_video(request: web.Request) -> web.Response:
    """A recording, to be watched or heard rather than saved; the path's endings are those of `download`."""
    known_query(request.query, *_format(request), "quality", "expires_in", PLAYBACK_QUERY)
    lifetime_s(request)
    _, published = await publication(request)
    return await redirect(request, _recording(request, published)[1])


def _ending(request: web.Request) -> str | None:
    """The extension that the request's path ends in, for a route that takes several."""
    return request.match_info.get("ending")


def _format(request: web.Request) -> tuple[str, ...]:
    """The query's name for the format, where the path doesn't say it."""
    return () if _ending(request) else ("format",)


def _recording(request: web.Request, published: Publication) -> tuple[str, FileRef]:
    """(quality, file) that `?quality=` asks for: a video, the best one by default, or the sound alone."""
    quality = _quality(request)
    files = {video.quality: video.file for video in published.videos}
    if published.companions.audio is not None:
        files[AUDIO] = published.companions.audio.file
    if quality is None:
        if not published.videos:
            raise Problem(404, "no_video", "The job has no video file.")
        quality = best(published).quality
    if quality not in files:
        detail = f"The video has no such quality; there is: {', '.join(files) or 'none'}."
        raise Problem(404, "unknown_quality", detail, qualities=list(files))
    return quality, files[quality]


def _quality(request: web.Request) -> str | None:
    """The quality that the path and the query ask for. Raises Problem 422 where they contradict each other."""
    quality, ending = request.query.get("quality"), _ending(request)
    if ending is None:
        return quality
    if quality is None:
        return AUDIO if ending == _SOUND else None
    if (quality == AUDIO) != (ending == _SOUND):
        reason = f"the path ends in .{ending}: .{_SOUND} is the sound alone, .mp4 a video; leave one of them out"
        raise invalid([Fault("?quality", "conflict", reason)])
    return quality


def _captions(tracks: tuple[CaptionFile, ...], wanted: str, language: str | None) -> CaptionFile:
    for track in tracks:
        if track.format == wanted and (language is None or track.language.lower() == language.lower()):
            return track
    there_is = list(dict.fromkeys(track.language for track in tracks))
    detail = f"The video has no such captions; there are: {', '.join(there_is) or 'none'}."
    raise Problem(404, "no_captions", detail, languages=there_is)


def _name(view: JobView, quality: str, file: FileRef) -> str:
    """What a download is saved as; made safe by whoever writes the header."""
    return f"{view.job.title or view.id}-{quality}{PurePosixPath(file.key).suffix or '.mp4'}"
