"""What surrounds every handler has to know of its route; found once for each route."""

from __future__ import annotations

from functools import lru_cache

from aiohttp import web
from attrs import frozen

from web.http.links import JOBS

_JOB = f"{JOBS}/{{job_id}}"
#: Where a playback token does instead of an API key: all that a player, or a page around it, fetches of a job.
WATCHED = frozenset(
    f"{_JOB}/{what}"
    for what in (
        *("stream.m3u8", "stream/{quality}/{name}", "stream.{ending}", "captions.{ending}", "download.{ending}"),
        *("stream", "captions", "download"),
        *("thumbnail", "poster", "preview", "storyboard", "storyboard/{sheet}"),
    )
)
#: What pages of any origin may read: the above, and what signed URLs of local stores lead to.
MEDIA = WATCHED | {"/media/{store}/{key}"}
_FROM_MEMORY = frozenset({f"{_JOB}/status"})


@frozen
class RouteFacts:
    """`path` is the route's path as it was registered; empty where no route was found for the request.

    `is_api`: who asks must be known. `is_watched`: a playback token does for that. `is_media`: pages of any origin may
    read it. `is_from_memory`: mostly nothing is asked of the log; the handler begins the wait for it itself
    (`web.http.deadline`).
    """

    path: str
    is_api: bool
    is_watched: bool
    is_media: bool
    is_from_memory: bool


def facts_of(match: web.UrlMappingMatchInfo) -> RouteFacts:
    """Of the route that was found: it says more than how the request's path was written."""
    resource = match.route.resource
    return _NO_ROUTE if resource is None or match.http_exception is not None else _facts(resource.canonical)


@lru_cache(256)
def _facts(path: str) -> RouteFacts:
    return RouteFacts(path, path.startswith("/api/"), path in WATCHED, path in MEDIA, path in _FROM_MEMORY)


_NO_ROUTE = _facts("")
