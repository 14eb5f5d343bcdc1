"""The app: routes and what they share. See `web.serve` for running it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from eventflow.log.feed import FeedTail
from web import (
    assets,
    generate,
    health,
    jobs,
    listing,
    local_media,
    media,
    openapi,
    parked,
    pictures,
    planning,
    playback,
    streaming,
)
from web.access import OpenAccess
from web.auth import AUTH, Auth
from web.backpressure import BACKPRESSURE, Backpressure
from web.bodies import MAX_BODY_BYTES
from web.cors import ORIGINS
from web.deps import DEPS, WebDeps
from web.links import JOBS
from web.middleware import middleware
from web.origins import Origins
from web.projection import PROJECTION, Projection, running
from web.queueing import QUEUEING, Queueing
from web.render import render_status
from web.streams import STREAMS, Streams
from web.uploads import UPLOADS, uploads

_JOB = JOBS + "/{job_id}"


def routes() -> list[web.RouteDef]:
    """Every route that there is; `openapi` describes the same. They are tried in turn: the most asked comes first."""
    return [
        web.get(_JOB + "/status", jobs.status),
        web.get(_JOB + "/stream.m3u8", streaming.stream),
        web.get(_JOB + "/stream/{quality}/{name}", streaming.segment),
        web.post(generate.ROUTE, generate.generate),
        web.post(planning.PLAN_ROUTE, planning.plan),
        web.get(planning.PIPELINES_ROUTE, planning.pipelines),
        web.get(planning.THEMES_ROUTE, planning.themes),
        web.get(planning.VOICES_ROUTE, planning.voices),
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
        web.get("/api/v1/admin/parked", parked.listed),
        web.get("/api/v1/admin/parked/{parked_id}", parked.shown),
        web.delete("/api/v1/admin/parked/{parked_id}", parked.drop),
        web.post("/api/v1/admin/parked/{parked_id}/redrive", parked.redrive),
        web.post(assets.ROUTE, assets.add),
        web.get(assets.ROUTE + "/{asset_id}", assets.show),
        web.delete(assets.ROUTE + "/{asset_id}", assets.remove),
        web.get("/media/{store}/{key:.+}", local_media.media),
        web.get("/healthz", health.healthz),
        web.get("/readyz", health.readyz),
        web.get("/openapi.json", openapi.document),
    ]


def create_app(deps: WebDeps) -> web.Application:
    """The app on `deps`, which outlive it. Needs nothing running: it starts without the log, and answers 503."""
    app = web.Application(middlewares=[middleware(deps)], client_max_size=MAX_BODY_BYTES)
    app[DEPS] = deps
    app[ORIGINS] = Origins(deps.settings.web.cors_origins)
    app[UPLOADS] = uploads(deps.settings)
    app.cleanup_ctx.append(_services)
    app.cleanup_ctx.append(planning.threads)
    app.add_routes(routes())
    return app


async def _services(app: web.Application) -> AsyncIterator[None]:
    deps = app[DEPS]
    monotonic = asyncio.get_running_loop().time
    if AUTH not in app:
        access = OpenAccess(deps.settings, app[ORIGINS]) if deps.settings.web.open_access else None
        app[AUTH] = Auth(deps.api_keys, monotonic=monotonic, access=access)
    app[health.HEALTH] = health.Health(deps, monotonic)
    app[BACKPRESSURE] = Backpressure(deps.redis, deps.log.keyspace, deps.settings.queue_limit, monotonic)
    app[QUEUEING] = Queueing(deps.redis, deps.log.keyspace, monotonic)
    streams = app[STREAMS] = Streams(deps.log)
    tail = FeedTail(deps.blocking, deps.log.keyspace)
    jobs_kept = deps.settings.view_cache_jobs
    projection = Projection(deps.log, tail, capacity=jobs_kept, render=render_status, hear=streams.hear)
    app[PROJECTION] = projection
    async with running(projection):
        yield
