"""The app's dependencies, which its starter passes in, and the keys under which routes reach them.

This is the lowest room: an `AppKey` of a class in a room above is defined beside that class.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web
from attrs import frozen
from redis.asyncio import Redis

from eventflow.access.api_keys import ApiKeys, Principal
from eventflow.assets.store import Prepared
from eventflow.domain.values import Kind, StoreRole, VideoRequest
from eventflow.log.event_store import JobEventStore
from eventflow.settings import Settings
from eventflow.storage import ObjectStore, SigningKeys
from eventflow.telemetry.tracing import Tracing
from web.http.errors import FieldError


class Planner(Protocol):
    """What the app knows of scenes and of those who make them; everything blocks, and is called in threads.

    Lists are JSON objects with `name`, `description` and facts that `schemas` names.
    """

    @property
    def theme_names(self) -> frozenset[str]:
        """The themes that a request may name."""

    @property
    def scenes_schema(self) -> Mapping[str, Any]:
        """The JSON schema of `scenes[]`."""

    def check(self, request: VideoRequest, should_stop: Callable[[], bool]) -> Sequence[FieldError]:
        """What is wrong with a request that is well-formed, as far as that can be told in no time.

        `should_stop` tells when nobody waits for it any more; what it returns, or raises, then doesn't matter.
        """

    def plan(self, request: VideoRequest, should_stop: Callable[[], bool]) -> Mapping[str, Any]:
        """The scenes of the video that is asked for, with title, voice, style and warnings. Raises Problem 422."""

    def pipelines(self) -> Sequence[Mapping[str, Any]]: ...

    def themes(self) -> Sequence[Mapping[str, Any]]: ...

    def voices(self) -> Sequence[Mapping[str, Any]]: ...


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
    stores; "workspace" holds assets. `signing` verifies URLs of local stores. `pipelines` are the
    names that a request may give; `voices` likewise, or None to accept any well-formed name. `random_hex(n)` gives n
    hex digits from a cryptographic source. `inspector` takes in uploads; `remote` is None where no URL may be fetched.
    """

    settings: Settings
    log: JobEventStore
    redis: Redis
    blocking: Redis
    stores: Mapping[StoreRole, ObjectStore]
    api_keys: ApiKeys
    pipelines: frozenset[str]
    planner: Planner
    clock: Callable[[], datetime]
    random_hex: Callable[[int], str]
    inspector: Inspector
    remote: RemoteMedia | None = None
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
