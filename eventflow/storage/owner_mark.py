"""Whose a store is: a small object in it names the environment that has its files there.

Two environments in one place would take each other's files for leavings of their own. The mark is made by the first
that comes to a store without one, and read by each process that starts.
"""

from __future__ import annotations

import orjson
from attrs import asdict, frozen

from eventflow.storage.errors import ObjectMissing
from eventflow.storage.port import ObjectStore

#: Beside the folders of jobs, assets and segments, so that no list of theirs has it.
MARK = "eventflow-environment.json"
_MEDIA_TYPE = "application/json"


@frozen
class Owner:
    """`environment` is the id of a log, `namespace` the prefix of its keys: for people."""

    environment: str
    namespace: str


async def owner_of(store: ObjectStore) -> Owner | None:
    """Whose mark the store has. One that can't be read is nobody's we know. Raises StorageError."""
    try:
        data = b"".join([chunk async for chunk in store.read(MARK)])
    except ObjectMissing:
        return None
    try:
        found = orjson.loads(data)
        return Owner(str(found["environment"]), str(found["namespace"]))
    except (ValueError, KeyError, TypeError):
        return Owner("unreadable", "unknown")


async def claimed(store: ObjectStore, owner: Owner) -> Owner:
    """Mark a store that has no mark; returns whose it is then. Raises StorageError.

    Of several that come at once one wins where the store can tell; where it can't, the last one, and the others find
    its mark when they look again.
    """
    found = await owner_of(store)
    if found is None:
        await store.put_new(MARK, orjson.dumps(asdict(owner)), media_type=_MEDIA_TYPE)
        found = await owner_of(store)
    return found or owner


async def give(store: ObjectStore, owner: Owner) -> None:
    """Put `owner`'s mark in place of any other. Raises StorageError."""
    await store.put_bytes(MARK, orjson.dumps(asdict(owner)), media_type=_MEDIA_TYPE)
