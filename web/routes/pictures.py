"""Pictures of a published job: thumbnails, the poster, the storyboard for scrubbing, the moving preview.

They are stored in a few sizes and formats and sent as stored, so every process sends the same bytes and the same strong
ETag. The app sends them itself, because they are small: a redirect would cost an <img> a second request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web

from eventflow.domain.values import Picture, Storyboard, Thumbnail
from eventflow.requests.json_reader import shown
from web.http.errors import Problem
from web.http.file_response import Representation
from web.requests.http_input import known_query, query_choice, query_number
from web.routes.media_response import PLAYBACK_QUERY, SHORT_CACHE, publication, representation, send, send_bytes

_Picture = TypeVar("_Picture", Thumbnail, Picture)

#: Media types by the names of `?format=`; the first is the default.
FORMATS = {"jpeg": "image/jpeg", "webp": "image/webp"}
MAX_INDEX = 10_000
#: Accepted values of `?width=`, in pixels. The smallest picture that is at least as wide is sent, else the largest.
WIDTHS = (1, 8_192)


async def thumbnail(request: web.Request) -> web.StreamResponse:
    """Thumbnail `?index=` in the smallest stored size that is at least `?width=` wide."""
    known_query(request.query, "index", "width", "format", PLAYBACK_QUERY)
    index = query_number(request.query, "index", 0, 0, MAX_INDEX)
    width = query_number(request.query, "width", WIDTHS[1], *WIDTHS)
    media_type = _format(request)
    _, published = await publication(request)
    sizes = [each for each in published.thumbnails if each.index == index]
    if not sizes:
        count = len({each.index for each in published.thumbnails})
        detail = f"unknown thumbnail {index}; available: {_range(count)}"
        raise Problem(404, "no_thumbnail", detail, thumbnails=count)
    file = fitting(_of_format(sizes, media_type, "no_thumbnail"), width).file
    return await send(request, file, representation(file, SHORT_CACHE))


async def poster(request: web.Request) -> web.StreamResponse:
    """The picture that players show before the video starts."""
    known_query(request.query, "format", PLAYBACK_QUERY)
    media_type = _format(request)
    _, published = await publication(request)
    (picture, *_) = _of_format(published.companions.poster, media_type, "no_poster")
    return await send(request, picture.file, representation(picture.file, SHORT_CACHE))


async def preview(request: web.Request) -> web.StreamResponse:
    """A few moving seconds of the video, as animated WebP."""
    known_query(request.query, PLAYBACK_QUERY)
    _, published = await publication(request)
    if (picture := published.companions.preview) is None:
        raise Problem(404, "no_preview", "The job has no preview.")
    return await send(request, picture.file, representation(picture.file, SHORT_CACHE))


async def storyboard(request: web.Request) -> web.StreamResponse:
    """WebVTT whose cues name parts of sheets (Media Fragments, #xywh), by URLs relative to this one."""
    known_query(request.query, "format", PLAYBACK_QUERY)
    media_type = _format(request)
    _, published = await publication(request)
    board = _storyboard(published.companions.storyboard)
    _of_format(board.sheets, media_type, "no_storyboard")
    form = request.query.get("format", next(iter(FORMATS)))
    data = as_vtt(board, form, request.query.get(PLAYBACK_QUERY, "")).encode()
    etag = f'"{hashlib.sha256(data).hexdigest()}"'
    return await send_bytes(
        request, data, Representation(size_bytes=len(data), etag=etag, media_type="text/vtt", cache_control=SHORT_CACHE)
    )


async def sheet(request: web.Request) -> web.StreamResponse:
    """A sheet of the storyboard, whose parts the cues of `storyboard` name."""
    known_query(request.query, "format", PLAYBACK_QUERY)
    media_type = _format(request)
    _, published = await publication(request)
    sheets = _of_format(_storyboard(published.companions.storyboard).sheets, media_type, "no_storyboard")
    number = request.match_info["sheet"]
    if not (number.isascii() and number.isdigit() and len(number) < 4 and int(number) < len(sheets)):
        detail = f"unknown sheet {shown(number)!r}; available: {_range(len(sheets))}"
        raise Problem(404, "no_sheet", detail, sheets=len(sheets))
    file = sheets[int(number)].file
    return await send(request, file, representation(file, SHORT_CACHE))


def fitting(pictures: Sequence[Thumbnail], width: int) -> Thumbnail:
    """The smallest picture at least `width` pixels wide, else the largest."""
    enough = [each for each in pictures if each.width >= width]
    return min(enough, key=lambda each: each.width) if enough else max(pictures, key=lambda each: each.width)


def as_vtt(board: Storyboard, form: str, token: str = "") -> str:
    """WebVTT with a cue for each tile: its time, and its part of a sheet in `form`. Every URL carries `token`."""
    query = f"format={form}" + (f"&{PLAYBACK_QUERY}={token}" if token else "")
    cues = ["WEBVTT"]
    for number in range(board.count):
        start = number * board.interval_s
        end = min(start + board.interval_s, board.duration_s) if number < board.count - 1 else board.duration_s
        sheet_number, tile = divmod(number, board.columns * board.rows)
        row, column = divmod(tile, board.columns)
        part = f"{column * board.tile_width},{row * board.tile_height},{board.tile_width},{board.tile_height}"
        cues.append(f"{_clock(start)} --> {_clock(end)}\nstoryboard/{sheet_number}?{query}#xywh={part}")
    return "\n\n".join(cues) + "\n"


def _clock(seconds: float) -> str:
    """HH:MM:SS.mmm"""
    milliseconds = round(seconds * 1000)
    return (
        f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}"
        f":{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"
    )


def _range(count: int) -> str:
    return f"0 to {count - 1}" if count else "none"


def _format(request: web.Request) -> str:
    """The media type of `?format=`. Raises Problem 422."""
    return FORMATS[query_choice(request.query, "format", tuple(FORMATS)) or next(iter(FORMATS))]


def _storyboard(board: Storyboard | None) -> Storyboard:
    if board is None:
        raise Problem(404, "no_storyboard", "The job has no storyboard.")
    return board


def _of_format(pictures: Sequence[_Picture], media_type: str, code: str) -> list[_Picture]:
    """The pictures of the media type, in order. Raises Problem 404 if there are none."""
    found = [picture for picture in pictures if picture.file.media_type == media_type]
    if not found:
        available = [name for name, kind in FORMATS.items() if any(p.file.media_type == kind for p in pictures)]
        detail = f"The job has no such picture as {media_type}; available: {', '.join(available) or 'none'}."
        raise Problem(404, code, detail, formats=available)
    return found
