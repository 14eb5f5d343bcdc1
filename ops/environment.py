"""The owner of stores: each start marks the stores as this environment's, and refuses those of another one.

An environment is a log: one namespace of one server. Its id is a key in the log, so that backups and replicas have it
too.
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


#: Longest wait of a start for a store's mark: without its stores a web process still answers from the log.
_PATIENCE_S = 5.0
_NO_ID = "none yet"


class ForeignStore(Exception):
    """A store has another environment's mark; the message names both, and the ways out."""


async def known_environment(redis: Redis, keyspace: Keyspace) -> str | None:
    """Return the log's id, or None if it has none yet. Raises connection errors."""
    client: Any = redis
    found = await client.get(keyspace.environment)
    return found.decode() if isinstance(found, bytes) else found


async def environment_of(redis: Redis, keyspace: Keyspace, proposed: str = "") -> str:
    """Return the log's id; one that has none gets `proposed` or a new one. Raises connection errors.

    An existing id causes no write, so that processes can start while the server accepts none.
    """
    client: Any = redis
    found = await known_environment(redis, keyspace)
    if found is None:
        await client.set(keyspace.environment, proposed or secrets.token_hex(16), nx=True)
        found = await known_environment(redis, keyspace)
    return str(found)


async def this_owner(parts: Parts) -> Owner:
    """Return the mark of this environment; a log without an id gets one. Raises connection errors."""
    return Owner(await environment_of(parts.redis, parts.keyspace), parts.settings.namespace)


async def _owner_if_known(parts: Parts) -> Owner:
    """Return the mark of this environment; a log without an id keeps none: no store can have its mark."""
    return Owner(await known_environment(parts.redis, parts.keyspace) or _NO_ID, parts.settings.namespace)


def stores_of(parts: Parts) -> Mapping[str, ObjectStore]:
    """Return all stores by role, with that of the archive."""
    found: dict[str, ObjectStore] = dict(parts.stores.items())
    return found | ({"archive": parts.segment_store.store} if parts.segment_store is not None else {})


async def claim_stores(parts: Parts) -> None:
    """Mark the stores for a process that starts. A store that doesn't answer within 5 s is skipped with a warning.

    A log without an id gets a new one only if no store has a mark: a log that was lost gets its id from its archive, or
    from the operator who adopts the stores. Raises ForeignStore, connection errors.
    """
    owner = await _owner_if_known(parts)
    if owner.environment == _NO_ID:
        try:
            await _check_marks(parts, owner_of, owner)
        except ForeignStore:  # unless another process of this log has created its id and marked stores meanwhile
            if await known_environment(parts.redis, parts.keyspace) is None:
                raise
        owner = await this_owner(parts)
    await _check_marks(parts, partial(claimed, owner=owner), owner)


async def _check_marks(parts: Parts, read_mark: Callable[[ObjectStore], Awaitable[Owner | None]], owner: Owner) -> None:
    """Read the mark of every store. Raises ForeignStore if one isn't that of `owner`."""

    async def check(role: str, store: ObjectStore) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await read_mark(store)
        except (StorageError, TimeoutError) as error:
            structlog.get_logger().warning("a store's owner is unknown", store=role, error=str(error))
            return
        if found is not None and found.environment != owner.environment:
            raise ForeignStore(foreign(role, store, found, owner))

    checked = await asyncio.gather(*(check(*one) for one in stores_of(parts).items()), return_exceptions=True)
    for error in checked:
        if isinstance(error, BaseException):
            raise error


async def warn_if_viewers_fail(parts: Parts) -> None:
    """Log an error if viewers can't get files. The web process starts anyway: viewers may use another network."""
    store = parts.stores["delivery"]
    if isinstance(store, LocalStore):
        return
    try:
        found = await check_as_viewer(store, MARK)
    except StorageError:
        return  # the check of marks has warned already
    if found is not None and found.problem and not found.missing:
        log = structlog.get_logger()
        log.error("viewers can't get files from the delivery store", problem=found.problem, way_out=found.way_out)


async def refuse_foreign_stores(parts: Parts) -> None:
    """Check the marks for a tool that removes files. Raises ForeignStore, StorageError, connection errors."""
    owner = await _owner_if_known(parts)
    for role, store in stores_of(parts).items():
        found = await owner_of(store)
        if found is not None and found.environment != owner.environment:
            raise ForeignStore(foreign(role, store, found, owner))


def foreign(role: str, store: ObjectStore, found: Owner, owner: Owner) -> str:
    """Return the message of ForeignStore."""
    return (
        f"The {role} store {store.description} is another environment's (namespace {found.namespace}, id "
        f"{found.environment}); this one has namespace {owner.namespace}, id {owner.environment}. Give this one a "
        "bucket, prefix or folder of its own, or the right server and namespace. If its log was lost and has an "
        "archive, run `eventflow archive restore`; if it was lost or moved otherwise, and the files are this "
        "environment's, `eventflow storage adopt` (or `eventflow up --adopt`) marks them as its own."
    )


async def adopt_stores(parts: Parts) -> list[tuple[str, Owner | None]]:
    """Mark every store as this environment's; returns (role, earlier owner). Raises StorageError, connection errors."""
    owner, before = await this_owner(parts), list[tuple[str, Owner | None]]()
    for role, store in stores_of(parts).items():
        before.append((role, await owner_of(store)))
        await give(store, owner)
    return before


async def adopt_archive_id(parts: Parts) -> None:
    """Give a restored log the id of its archive's environment, unless it has one already."""
    if parts.segment_store is not None and (found := await owner_of(parts.segment_store.store)) is not None:
        await environment_of(parts.redis, parts.keyspace, proposed=found.environment)
