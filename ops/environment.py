"""This environment's stores: marked as its own when it starts, and refused where they are another's.

An environment is a log: one namespace of one server. Its id is a key there, so that it goes where the log goes, with
backups and replicas.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from redis.asyncio import Redis

from eventflow.log.keys import Keyspace
from eventflow.storage import LocalStore, ObjectStore, StorageError
from eventflow.storage.owner_mark import MARK, Owner, claimed, give, owner_of
from eventflow.storage.viewer_check import check_as_viewer

if TYPE_CHECKING:
    from ops.compose import Parts


#: How long a start waits for a store to say whose it is: without any of them a web process serves what it can.
_PATIENCE_S = 5.0
_NO_ID = "none yet"


class ForeignStore(Exception):
    """A store is another environment's; the message says which, and what to do."""


async def known_environment(redis: Redis, keyspace: Keyspace) -> str | None:
    """The log's id; None for one that has none yet. Raises connection errors."""
    client: Any = redis
    found = await client.get(keyspace.environment)
    return found.decode() if isinstance(found, bytes) else found


async def environment_of(redis: Redis, keyspace: Keyspace, proposed: str = "") -> str:
    """The log's id; made (or taken from `proposed`) where it has none. Raises connection errors.

    Nothing is written where there is one: a server that takes no writes for now doesn't keep processes from starting.
    """
    client: Any = redis
    found = await known_environment(redis, keyspace)
    if found is None:
        await client.set(keyspace.environment, proposed or secrets.token_hex(16), nx=True)
        found = await known_environment(redis, keyspace)
    return str(found)


async def this_owner(parts: Parts) -> Owner:
    return Owner(await environment_of(parts.redis, parts.keyspace), parts.settings.namespace)


async def _owner_if_known(parts: Parts) -> Owner:
    """The same, without an id for a log that has none yet: no store can have its mark."""
    return Owner(await known_environment(parts.redis, parts.keyspace) or _NO_ID, parts.settings.namespace)


def stores_of(parts: Parts) -> Mapping[str, ObjectStore]:
    """All stores by role, the archive's among them."""
    found: dict[str, ObjectStore] = dict(parts.stores.items())
    return found | ({"archive": parts.segment_store.store} if parts.segment_store is not None else {})


async def claim_stores(parts: Parts) -> None:
    """For a process that starts. A store that can't be asked now isn't waited for: what needs it says so.

    A log without an id gets one only where no store has a mark: one that was lost has its id from its archive, or from
    whoever adopts the stores. Raises ForeignStore, connection errors.
    """
    owner = await _owner_if_known(parts)
    if owner.environment == _NO_ID:
        try:
            await _ask_stores(parts, owner_of, owner)
        except ForeignStore:  # unless another process of this log has made its id and marked stores meanwhile
            if await known_environment(parts.redis, parts.keyspace) is None:
                raise
        owner = await this_owner(parts)
    await _ask_stores(parts, partial(claimed, owner=owner), owner)


async def _ask_stores(parts: Parts, whose: Callable[[ObjectStore], Awaitable[Owner | None]], owner: Owner) -> None:
    """Raises ForeignStore where one is another's than `owner`."""

    async def ask(role: str, store: ObjectStore) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await whose(store)
        except (StorageError, TimeoutError) as error:
            structlog.get_logger().warning("whose a store is can't be told", store=role, error=str(error))
            return
        if found is not None and found.environment != owner.environment:
            raise ForeignStore(foreign(role, store, found, owner))

    asked = await asyncio.gather(*(ask(*one) for one in stores_of(parts).items()), return_exceptions=True)
    for error in asked:
        if isinstance(error, BaseException):
            raise error


async def say_what_viewers_miss(parts: Parts) -> None:
    """In the log of a web process that starts: it serves all the same, since the address may be others' alone."""
    store = parts.stores["delivery"]
    if isinstance(store, LocalStore):
        return
    try:
        found = await check_as_viewer(store, MARK)
    except StorageError:
        return  # whose it is couldn't be told either, and that was said
    if found is not None and found.problem and not found.missing:
        log = structlog.get_logger()
        log.error("viewers can't get files from the delivery store", problem=found.problem, way_out=found.way_out)


async def refuse_foreign_stores(parts: Parts) -> None:
    """For a tool that is about to remove files; marks nothing. Raises ForeignStore, StorageError, connection errors."""
    owner = await _owner_if_known(parts)
    for role, store in stores_of(parts).items():
        found = await owner_of(store)
        if found is not None and found.environment != owner.environment:
            raise ForeignStore(foreign(role, store, found, owner))


def foreign(role: str, store: ObjectStore, found: Owner, owner: Owner) -> str:
    return (
        f"The {role} store {store.description} is another environment's (namespace {found.namespace}, id "
        f"{found.environment}); this one has namespace {owner.namespace}, id {owner.environment}. Give this one a "
        "bucket, prefix or folder of its own, or the right server and namespace. Where its log was lost and has an "
        "archive, run `eventflow archive restore`; where it was lost or moved otherwise, and the files are this "
        "environment's, `eventflow storage adopt` (or `eventflow up --adopt`) makes them so."
    )


async def adopt_stores(parts: Parts) -> list[tuple[str, Owner | None]]:
    """Mark every store as this environment's; returns (role, whose it was). Raises StorageError, connection errors."""
    owner, before = await this_owner(parts), list[tuple[str, Owner | None]]()
    for role, store in stores_of(parts).items():
        before.append((role, await owner_of(store)))
        await give(store, owner)
    return before


async def come_back(parts: Parts) -> None:
    """A log that is restored from an archive is the environment that the archive is of, unless it is one already."""
    if parts.segment_store is not None and (found := await owner_of(parts.segment_store.store)) is not None:
        await environment_of(parts.redis, parts.keyspace, proposed=found.environment)
