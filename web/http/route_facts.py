"""Facts about routes that the middleware and the CORS headers go by; computed once for each route."""

from __future__ import annotations

from functools import lru_cache

from aiohttp import web
from attrs import frozen

from web.http.links import JOBS

_JOB = f"{JOBS}/{{job_id}}"
#: Routes where a playback token replaces an API key: all that a player, or a page around it, fetches of a job.
WATCHED = frozenset(
    f"{_JOB}/{name}"
    for name in (
        *("stream.m3u8", "stream/{quality}/{name}", "stream.{ending}", "captions.{ending}", "download.{ending}"),
        *("stream", "captions", "download"),
        *("thumbnail", "poster", "preview", "storyboard", "storyboard/{sheet}"),
    )
)
#: Routes that pages of any origin may read: `WATCHED`, and the targets of signed URLs of local stores.
MEDIA = WATCHED | {"/media/{store}/{key}"}
_FROM_MEMORY = frozenset({f"{_JOB}/status"})


@frozen(kw_only=True)
class RouteFacts:
    """`path` is the route's path as it was registered; empty where the request matches no route.

    `is_api`: an API key is needed. `is_watched`: a playback token replaces it. `is_media`: pages of any origin may read
    the answer. `is_from_memory`: most answers need no log; the handler starts the deadline for the log itself
    (`middleware.start_log_deadline`, decision 197).
    """

    path: str
    is_api: bool
    is_watched: bool
    is_media: bool
    is_from_memory: bool


def facts_of(match: web.UrlMappingMatchInfo) -> RouteFacts:
    """The facts of the matched route. They follow the registered path, however the request's path was written."""
    resource = match.route.resource
    return _NO_ROUTE if resource is None or match.http_exception is not None else _facts(resource.canonical)


@lru_cache(256)
def _facts(path: str) -> RouteFacts:
    return RouteFacts(
        path=path,
        is_api=path.startswith("/api/"),
        is_watched=path in WATCHED,
        is_media=path in MEDIA,
        is_from_memory=path in _FROM_MEMORY,
    )


_NO_ROUTE = _facts("")
