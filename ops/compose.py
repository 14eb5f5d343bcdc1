"""The composition root: makes each part once from the settings, and passes it to the others.

The order is that of use: the parts that all processes share, their stores and keys, then the worker of a group, the
maintenance worker, the reconciler of the fallback store, and the web app. Handlers and web app are imported inside
functions, so that no process loads code that it doesn't run.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING, TypedDict

import structlog
from attrs import evolve, frozen
from redis.asyncio import Redis

from eventflow.access.api_keys import ApiKeys
from eventflow.archive.archiver import Archiver, ArchiveSettings
from eventflow.archive.deletion_policy import DeletionPolicy
from eventflow.archive.list_expiry import ListExpiry
from eventflow.archive.maintenance import MaintenanceWorker
from eventflow.archive.reader import ArchiveReader
from eventflow.archive.segment_store import SegmentStore
from eventflow.assets.store import Assets
from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, Topic
from eventflow.domain.values import StoreRole
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.log.members import LiveMembers, PausedWorkers
from eventflow.log.trim import Trimmer
from eventflow.runtime.context import Group
from eventflow.runtime.leases import StepLimits
from eventflow.runtime.partition_assignment import PartitionAssignment
from eventflow.runtime.pressure import PressureGate, PressureLimits
from eventflow.runtime.retry_policy import RetryPolicy
from eventflow.runtime.watchdog import Pulse
from eventflow.runtime.worker import Worker, WorkerSettings
from eventflow.settings import Environment, Settings, SettingsError
from eventflow.storage import ObjectStore, PublicAddress, SigningKeys, open_store
from eventflow.telemetry.exporters import tracer_provider
from eventflow.telemetry.tracing import Tracing
from ops.local_stack.data_dir import SIGNING_KEY_FILE, holds

if TYPE_CHECKING:
    from aiohttp.web import Application

    from eventflow.requests.video_request import RequestReader
    from handlers.assets.ingest import MediaInspector
    from handlers.assets.url_fetch import RemoteFetcher
    from handlers.scene_cache import SceneCache
    from handlers.upload.fallback_reconciler import FallbackReconciler
    from handlers.workspace import Workspace


def utc_now() -> datetime:
    """Return the time; the clock of all parts."""
    return datetime.now(UTC)


@frozen(kw_only=True)
class Parts:
    """The parts that commands share. `redis` is the pool for commands; `blocking` waits in XREAD and XREADGROUP.

    `segment_store` is None without an archive.
    """

    settings: Settings
    redis: Redis
    blocking: Redis
    keyspace: Keyspace
    log: JobEventStore
    pointers: ArchivePointers
    segment_store: SegmentStore | None
    stores: Mapping[StoreRole, ObjectStore]
    signing: SigningKeys
    api_keys: ApiKeys
    tracing: Tracing
    random: Random


@asynccontextmanager
async def open_parts(settings: Settings, *, folded_jobs: int = 4_096, serves: bool = True) -> AsyncIterator[Parts]:
    """Open all parts, and close them at the end. Contacts no server.

    `folded_jobs` is how many jobs the log caches; a web process has its projection and needs few. `serves`: a tool
    doesn't, so that no signing key is created for it.
    """
    redis = connect(settings.redis_url, max_connections=32)
    blocking = connect(settings.redis_url, blocking=True, max_connections=settings.partitions + 2, beside=redis)
    keyspace = Keyspace(settings.namespace, settings.partitions)
    random = SystemRandom()
    signing = signing_keys(settings, keep=serves)
    stores = open_stores(settings, signing)
    provider = tracer_provider(settings)
    codec, pointers, segments = Codec(), ArchivePointers(redis, keyspace), open_segment_store(settings)
    archive = ArchiveReader(pointers, segments, codec) if segments else None
    log = JobEventStore(
        redis,
        codec=codec,
        keyspace=keyspace,
        clock=utc_now,
        random=random,
        cache_size=folded_jobs,
        most_in_progress=settings.work_in_progress,
        archive=archive,
    )
    parts = Parts(
        settings=settings,
        redis=redis,
        blocking=blocking,
        keyspace=keyspace,
        log=log,
        pointers=pointers,
        segment_store=segments,
        stores=stores,
        signing=signing,
        api_keys=ApiKeys(redis, keyspace.api_keys, clock=utc_now),
        tracing=Tracing(provider),
        random=random,
    )
    try:
        yield parts
    finally:
        for store in (*stores.values(), *([segments.store] if segments else [])):
            await store.close()
        await blocking.aclose()
        await redis.aclose()
        if provider is not None:
            provider.shutdown()


def open_stores(settings: Settings, signing: SigningKeys) -> dict[StoreRole, ObjectStore]:
    """Return the workspace, delivery and fallback stores by role. Raises StorageError for a bad URL."""
    urls: dict[StoreRole, str] = {
        "workspace": settings.workspace_url,
        "delivery": settings.delivery_url,
        "fallback": settings.fallback_url,
    }
    delivery = settings.delivery
    address = PublicAddress(delivery.public_url, delivery.signed_for == "public") if delivery.public_url else None
    public: dict[str, PublicAddress | None] = {"delivery": address}
    # Outside of the data directory a web server that runs as another user may serve the files of the delivery store.
    served = {"delivery": not holds(settings.data_dir, settings.delivery_url)}
    return {
        role: open_store(
            url,
            now=utc_now,
            signing=signing,
            name=role,
            base_url=settings.public_url,
            public=public.get(role),
            public_files=served.get(role, False),
        )
        for role, url in urls.items()
    }


def open_segment_store(settings: Settings) -> SegmentStore | None:
    """Return the archive's store, or None. It isn't among the others, because no link ever leads into it."""
    return SegmentStore(open_store(settings.archive_url, now=utc_now, name="archive")) if settings.archive_url else None


def signing_keys(settings: Settings, *, keep: bool = True) -> SigningKeys:
    """Return the configured keys, or in development a key that is created once in the data directory.

    Without `keep` nothing is written: if there is no key yet, the result is one that fits no link. Raises
    SettingsError in production without a configured key.
    """
    if settings.signing_key:
        return SigningKeys.parse(settings.signing_key)
    if settings.env is Environment.PRODUCTION:
        raise SettingsError(["EVENTFLOW_SIGNING_KEY must be set in production"])
    path = settings.data_dir / SIGNING_KEY_FILE
    if not path.exists() and not keep:
        return SigningKeys.parse(_new_key())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        mine = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_new_key())
        try:
            os.link(mine, path)  # atomic: of several processes that start at once, one wins
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return SigningKeys.parse(path.read_text().strip())


def _new_key() -> str:
    return f"dev:{secrets.token_hex(32)}"


def group_of(parts: Parts, name: str, *, concurrency: int | None = None) -> Group:
    """Return the consumer group `name` with its handlers. Loads only these: uploads need no codecs.

    Raises KeyError for a group without handlers.
    """
    from handlers.workspace import Workspace

    settings, stores = parts.settings, parts.stores
    delivered: dict[str, ObjectStore] = {role: store for role, store in stores.items() if role != "workspace"}
    return _GROUPS[name](
        parts, Workspace(stores["workspace"], settings.scratch_dir, delivered), concurrency or settings.concurrency
    )


def _generation(parts: Parts, workspace: Workspace, concurrency: int) -> Group:
    from handlers.generation.handler import Generation
    from handlers.generation.pipelines.registry import get_pipeline

    return Generation(
        workspace=workspace,
        assets=Assets(workspace.store),
        cache=_scene_cache(parts, workspace),
        threads=max(1, (os.cpu_count() or 1) // concurrency),
        pipelines=partial(get_pipeline, settings=parts.settings),
    ).group


def _upload(parts: Parts, workspace: Workspace, _: int) -> Group:
    from handlers.upload.handler import Upload
    from handlers.upload.uploader import DeliveryStores

    stores, pause_s = parts.stores, parts.settings.upload_retry_base_seconds
    return Upload(workspace, DeliveryStores(stores["delivery"], stores["fallback"], pause_s)).group


def _metadata(parts: Parts, workspace: Workspace, _: int) -> Group:
    from handlers.metadata.handler import Metadata
    from handlers.scene_cache import CacheSweeper

    return Metadata(workspace, CacheSweeper(_scene_cache(parts, workspace))).group


_GROUPS = {"generation": _generation, "upload": _upload, "metadata": _metadata}


def _scene_cache(parts: Parts, workspace: Workspace) -> SceneCache:
    from handlers.scene_cache import CacheLimits, SceneCache

    limits = CacheLimits(timedelta(days=parts.settings.scene_cache_days), parts.settings.scene_cache_mb * 1_000_000)
    return SceneCache(workspace.store, utc_now, limits)


def worker(
    parts: Parts,
    group: Group,
    *,
    topics: Sequence[Topic] = (),
    concurrency: int | None = None,
    pulse: Pulse | None = None,
) -> Worker:
    """Return a worker of `group` that reads `topics` (none: all of the group's)."""
    settings = parts.settings
    wanted = tuple(topic for topic in group.topics if not topics or topic in topics)
    members = group_members(parts, group.name, wanted)
    consumer = members[0].consumer
    live = LiveMembers(parts.redis, parts.keyspace, group.name, clock=utc_now)
    worker_settings = WorkerSettings(
        concurrency=concurrency or settings.concurrency,
        lease_s=settings.lease_seconds,
        drain_s=settings.drain_seconds,
        retry=RetryPolicy(settings.retry_base_seconds),
        limits=StepLimits(settings.step_timeout_seconds, settings.step_timeouts),
    )
    return Worker(
        group,
        parts.log,
        members,
        worker_settings,
        clock=utc_now,
        random=parts.random,
        tracing=parts.tracing,
        pulse=pulse,
        gate=_gate(parts, group.name, consumer),
        assignment=PartitionAssignment(live, consumer, range(settings.partitions)),
    )


def group_members(parts: Parts, group: str, topics: tuple[Topic, ...]) -> list[GroupMember]:
    """Return one member of a group for each partition, with a consumer name that is new at each start."""
    consumer = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
    return [
        GroupMember(
            blocking=parts.blocking, redis=parts.redis, keys=keys, group=group, topics=topics, consumer=consumer
        )
        for keys in parts.keyspace.all
    ]


def _gate(parts: Parts, group: str, consumer: str) -> PressureGate:
    """Return a gate that is closed while this worker is short of disk or memory, and records the reason."""
    settings = parts.settings
    limits = PressureLimits(
        scratch=settings.scratch_dir or Path(tempfile.gettempdir()),
        min_free_bytes=settings.min_free_scratch_mb * 1_000_000,
        max_memory_bytes=settings.max_memory_mb * 1_000_000,
        max_container_share=settings.max_container_memory_percent / 100,
    )
    paused = PausedWorkers(parts.redis, parts.keyspace, clock=utc_now)
    return PressureGate(limits.reason, lambda reason: paused.note(consumer, group, reason))


def maintenance_worker(parts: Parts) -> MaintenanceWorker:
    """Return a worker that archives (if there is an archive), trims, and deletes jobs by the deletion policy."""
    archiver, list_expiry, pointers = None, None, None
    finished = parts.settings.finished_jobs
    if parts.segment_store is not None:
        pointers, segments = parts.pointers, parts.segment_store
        members = group_members(parts, ARCHIVE_GROUP, ARCHIVE_TOPICS)
        settings = ArchiveSettings.with_delay(finished.archive_after_seconds)
        archiver = Archiver(parts.log, members, segments, pointers, settings, clock=utc_now)
        list_expiry = ListExpiry(
            job_lists=parts.log.job_lists,
            pointers=pointers,
            segment_store=segments,
            listed_s=finished.listing_window_seconds,
            clock=utc_now,
            stays=finished.deletes,
        )
    trimmer = Trimmer(parts.redis, parts.keyspace, pointers)
    policy = DeletionPolicy(log=parts.log, settings=finished, clock=utc_now)
    return MaintenanceWorker(archiver, list_expiry, trimmer, clock=utc_now, random=parts.random, deletion=policy)


def fallback_reconciler(parts: Parts) -> FallbackReconciler:
    """Return the reconciler that moves files from the fallback store to the delivery store."""
    from handlers.upload.fallback_reconciler import FallbackReconciler
    from handlers.workspace import Workspace

    workspace = Workspace(parts.stores["workspace"], parts.settings.scratch_dir)
    settings = parts.settings  # a link into the fallback store may live as long
    grace = timedelta(seconds=max(settings.signed_url_seconds, settings.delivery.max_seconds))
    return FallbackReconciler(
        log=parts.log,
        workspace=workspace,
        delivery=parts.stores["delivery"],
        fallback=parts.stores["fallback"],
        clock=utc_now,
        grace=grace,
    )


@asynccontextmanager
async def reconciling(parts: Parts, group: str) -> AsyncIterator[None]:
    """Reconcile the fallback store in the background, if this is a worker of the upload group."""
    if group != "upload":
        yield
        return
    from handlers.upload.fallback_reconciler import reconcile_periodically

    pause_s = parts.settings.finished_jobs.reconcile_fallback_seconds
    async with reconcile_periodically(fallback_reconciler(parts), pause_s, parts.random):
        yield


def web_app(parts: Parts) -> Application:
    """Return the web app. It knows pipelines and voices only by the names that it gets here."""
    from handlers.generation.scene_planner import ScenePlanner
    from web.app import create_app
    from web.deps import WebDeps

    planner = ScenePlanner(parts.settings)
    deps = WebDeps(
        settings=parts.settings,
        log=parts.log,
        redis=parts.redis,
        blocking=parts.blocking,
        stores=parts.stores,
        api_keys=parts.api_keys,
        pipelines=planner.facts,
        planner=planner,
        clock=utc_now,
        random_hex=lambda digits: secrets.token_hex((digits + 1) // 2)[:digits],
        signing=parts.signing,
        tracing=parts.tracing,
        voices=known_voices(parts.settings),
        **media_parts(parts.settings, utc_now),
    )
    return create_app(deps)


class MediaParts(TypedDict):
    """Fields of `WebDeps` for assets."""

    inspector: MediaInspector
    remote: RemoteFetcher | None
    picture_urls: RemoteFetcher | None


def media_parts(settings: Settings, clock: Callable[[], datetime]) -> MediaParts:
    """Return the inspector of uploads, and the fetchers of URLs if they are allowed (http only in development)."""
    from handlers.assets.ingest import MediaInspector
    from handlers.assets.url_fetch import RemoteFetcher

    schemes = {"https", "http"} if settings.env is Environment.DEVELOPMENT else {"https"}
    fetcher, limits = RemoteFetcher(schemes=frozenset(schemes)), settings.asset_limits
    return MediaParts(
        inspector=MediaInspector(clock=clock),
        remote=fetcher if limits.allow_remote else None,
        picture_urls=evolve(fetcher, hosts=limits.url_hosts) if limits.url_hosts else None,
    )


def request_reader(settings: Settings) -> RequestReader:
    """Return the reader of requests under these settings and with the installed pipelines, voices and themes."""
    from eventflow.requests.limits import RequestLimits
    from eventflow.requests.video_request import RequestReader
    from handlers.generation.scene_planner import ScenePlanner

    planner = ScenePlanner(settings)
    limits = RequestLimits(
        pipelines=planner.facts,
        default_pipeline=settings.pipeline,
        max_script_chars=settings.max_script_chars,
        themes=planner.theme_names,
        voices=known_voices(settings),
    )
    return RequestReader(limits)


def known_voices(settings: Settings) -> frozenset[str] | None:
    """Return the voices of all configured narrators, or None if they can't be listed here."""
    from handlers.generation.errors import SpeechError
    from handlers.generation.narration.narrators.choice import narrators

    try:
        return frozenset(voice.name for voice in narrators(settings.speech).voices())
    except (SpeechError, OSError) as error:  # then the generation workers refuse unknown ones
        structlog.get_logger().warning("voices can't be listed", error=str(error))
        return None
