"""The app's dependencies, which its starter passes in, and the keys under which routes reach them.

This is the lowest room: an `AppKey` of a class in a room above is defined beside that class.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from aiohttp import web
from attrs import frozen
from redis.asyncio import Redis

from eventflow.access.api_keys import ApiKeys, Principal
from eventflow.assets.store import Prepared
from eventflow.domain.values import Kind, StoreRole
from eventflow.log.event_store import JobEventStore
from eventflow.requests.limits import PipelineFacts
from eventflow.requests.planner import Planner
from eventflow.settings import Settings
from eventflow.storage import ObjectStore, SigningKeys
from eventflow.telemetry.tracing import Tracing


class Inspector(Protocol):
    """Takes in untrusted files: identifies them, and re-encodes them for use in videos."""

    def kind_of(self, head: bytes) -> Kind:
        """The kind of a file that begins with `head` (at least 64 bytes, if it has them). Raises UnsupportedMedia."""

    async def prepare(self, upload: Path, folder: Path, limits: Mapping[Kind, int]) -> Prepared:
        """Decode and re-encode into `folder`. `limits` are bytes by kind. Raises MediaRefused, MediaBusy."""


class RemoteMedia(Protocol):
    """Fetches files from URLs of users, never from a private network."""

    def fetch(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The file in chunks. Raises RemoteRefused and RemoteFailed, at the start and while it is read."""


@frozen(kw_only=True)
class WebDeps:
    """The app's dependencies. The caller who made the clients and stores closes them.

    `blocking` is a client of its own (`connect(url, blocking=True)`) for the feed's tail. `stores` maps roles to
    stores; "workspace" holds assets. `signing` verifies URLs of local stores. `pipelines` are those that a request may
    name; `voices` likewise, or None to accept any well-formed name. `random_hex(n)` gives n hex digits from a
    cryptographic source. `inspector` takes in uploads; `remote` is None where no URL may be fetched as an upload,
    `picture_urls` where none may for a script.
    """

    settings: Settings
    log: JobEventStore
    redis: Redis
    blocking: Redis
    stores: Mapping[StoreRole, ObjectStore]
    api_keys: ApiKeys
    pipelines: Mapping[str, PipelineFacts]
    planner: Planner
    clock: Callable[[], datetime]
    random_hex: Callable[[int], str]
    inspector: Inspector
    remote: RemoteMedia | None = None
    picture_urls: RemoteMedia | None = None
    signing: SigningKeys | None = None
    tracing: Tracing = Tracing()
    voices: frozenset[str] | None = None


DEPS = web.AppKey("deps", WebDeps)

#: The id in the headers, problems and log lines of a request.
REQUEST_ID = web.RequestKey("request_id", str)
#: The principal of the request's API key; set below /api only.
PRINCIPAL = web.RequestKey("principal", Principal)
#: The playback token that replaced the API key, valid for the job of the path only.
PLAYBACK = web.RequestKey("playback", str)
