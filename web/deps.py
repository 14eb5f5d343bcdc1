"""What the app is made of: passed in by whoever starts it, reached by handlers through `web.AppKey`s."""

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
    """Looks at files that nobody has any reason to trust, and makes of them what videos can show."""

    def kind_of(self, head: bytes) -> Kind:
        """What a file that begins with `head` (its first 64 bytes or more) may be. Raises UnsupportedMedia."""

    async def prepare(self, upload: Path, folder: Path, limits: Mapping[Kind, int]) -> Prepared:
        """Decode and encode anew, into `folder`. `limits` are bytes for each kind. Raises MediaRefused, MediaBusy."""


class RemoteMedia(Protocol):
    """Fetches files from URLs that users name, and never from a private network."""

    def fetch(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The file in pieces. Raises RemoteRefused, RemoteFailed, while it is read, too."""


@frozen(kw_only=True)
class WebDeps:
    """Everything that the app needs from outside; whoever made the clients and stores closes them.

    `blocking` is a client of its own (`connect(url, blocking=True)`) for the feed's tail. `stores` maps roles to
    stores; "workspace" holds assets. `signing` verifies URLs of local stores. `pipelines` are
    those that a request may name; `voices` likewise, or None to accept any well-formed name. `random_hex(n)` gives n
    random hex digits, unguessable. `inspector` looks at uploads; `remote` is None where nothing is fetched.
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
    signing: SigningKeys | None = None
    tracing: Tracing = Tracing()
    voices: frozenset[str] | None = None


DEPS = web.AppKey("deps", WebDeps)

#: The id that a request's answer, problem and log lines carry.
REQUEST_ID = web.RequestKey("request_id", str)
#: Who is asking; only on routes below /api.
PRINCIPAL = web.RequestKey("principal", Principal)
#: The playback token that was shown in place of an API key: it is for the job of the path, and no other.
PLAYBACK = web.RequestKey("playback", str)
