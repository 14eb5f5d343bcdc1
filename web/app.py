"""The app: its routes, and the services that they share. `web.server` runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from eventflow.log.feed import FeedTail
from web.deps import DEPS, WebDeps
from web.http.auth import AUTH, Auth, OpenAccess
from web.http.cors import ORIGINS
from web.http.links import JOBS
from web.http.middleware import middleware
from web.http.origins import Origins
from web.openapi import spec
from web.readmodel.job_status import render_status
from web.readmodel.playlist_cache import PLAYLISTS, PlaylistCache
from web.readmodel.projection import PROJECTION, Projection, running
from web.readmodel.queue import BACKPRESSURE, QUEUE_POSITIONS, Backpressure, QueuePositions
from web.requests.http_input import MAX_BODY_BYTES
from web.requests.uploads import UPLOADS, uploads
from web.routes import (
    assets,
    dead_letters,
    generate,
    health,
    jobs,
    listing,
    media,
    pictures,
    playback,
    signed_files,
    streaming,
)

_JOB = JOBS + "/{job_id}"


def routes() -> list[web.RouteDef]:
    """All routes, which `openapi` describes. aiohttp tries them in order: the most requested ones come first."""
    return [
        web.get(_JOB + "/status", jobs.status),
        web.get(_JOB + "/stream.m3u8", streaming.stream),
        web.get(_JOB + "/stream/{quality}/{name}", streaming.segment),
        web.post(generate.ROUTE, generate.generate),
        web.post(generate.PLAN_ROUTE, generate.plan),
        web.get(generate.PIPELINES_ROUTE, generate.pipelines),
        web.get(generate.THEMES_ROUTE, generate.themes),
        web.get(generate.VOICES_ROUTE, generate.voices),
        web.get(JOBS, listing.jobs),
        web.get(_JOB + "/events", jobs.events),
        web.post(_JOB + "/cancel", jobs.cancel),
        web.delete(_JOB, jobs.delete),
        web.get(_JOB + "/metadata", media.metadata),
        web.get(_JOB + "/thumbnail", pictures.thumbnail),
        web.get(_JOB + "/poster", pictures.poster),
        web.get(_JOB + "/preview", pictures.preview),
        web.get(_JOB + "/storyboard", pictures.storyboard),
        web.get(_JOB + "/storyboard/{sheet}", pictures.sheet),
        web.get(_JOB + "/captions.{ending:vtt|srt}", media.captions),
        web.get(_JOB + "/download.{ending:mp4|m4a}", media.download),
        web.get(_JOB + "/stream.{ending:mp4|m4a}", media.whole_video),
        web.get(_JOB + "/stream", streaming.stream),
        web.get(_JOB + "/captions", media.captions),
        web.get(_JOB + "/download", media.download),
        web.post(_JOB + "/playback-token", playback.issue),
        web.get("/api/v1/admin/jobs/{job_id}/status", jobs.any_status),
        web.post("/api/v1/admin/jobs/{job_id}/reprocess", jobs.reprocess),
        web.get("/api/v1/admin/parked", dead_letters.listed),
        web.get("/api/v1/admin/parked/{parked_id}", dead_letters.shown),
        web.delete("/api/v1/admin/parked/{parked_id}", dead_letters.drop),
        web.post("/api/v1/admin/parked/{parked_id}/redrive", dead_letters.redrive),
        web.post(assets.ROUTE, assets.add),
        web.get(assets.ROUTE + "/{asset_id}", assets.show),
        web.get(assets.ROUTE + "/uploads/{sha256}", assets.of_upload),
        web.delete(assets.ROUTE + "/{asset_id}", assets.remove),
        web.get("/media/{store}/{key:.+}", signed_files.media),
        web.get("/healthz", health.healthz),
        web.get("/readyz", health.readyz),
        web.get("/openapi.json", spec.document),
    ]


def create_app(deps: WebDeps) -> web.Application:
    """The app on `deps`, which outlive it. It starts without a reachable log, and answers 503 until there is one."""
    app = web.Application(middlewares=[middleware(deps)], client_max_size=MAX_BODY_BYTES)
    app[DEPS] = deps
    app[ORIGINS] = Origins(deps.settings.web.cors_origins)
    app[UPLOADS] = uploads(deps.settings)
    app.cleanup_ctx.append(_services)
    app.cleanup_ctx.append(generate.planning)
    app.add_routes(routes())
    return app


async def _services(app: web.Application) -> AsyncIterator[None]:
    deps = app[DEPS]
    monotonic = asyncio.get_running_loop().time
    if AUTH not in app:
        access = OpenAccess(deps.settings, app[ORIGINS]) if deps.settings.web.open_access else None
        app[AUTH] = Auth(deps.api_keys, monotonic=monotonic, access=access)
    app[health.HEALTH] = health.Health(deps=deps, monotonic=monotonic)
    redis, keyspace, limit = deps.redis, deps.log.keyspace, deps.settings.queue_limit
    app[BACKPRESSURE] = Backpressure(redis=redis, keyspace=keyspace, limit=limit, monotonic=monotonic)
    app[QUEUE_POSITIONS] = QueuePositions(redis=redis, keyspace=keyspace, monotonic=monotonic)
    playlists = app[PLAYLISTS] = PlaylistCache(deps.log)
    tail = FeedTail(deps.blocking, deps.log.keyspace)
    capacity = deps.settings.view_cache_jobs
    projection = Projection(deps.log, tail, capacity=capacity, render=render_status, on_events=playlists.feed)
    app[PROJECTION] = projection
    async with running(projection):
        yield
