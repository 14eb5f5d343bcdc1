"""Whose a store is: the first mark stays, in every adapter."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from eventflow.storage import ObjectStore, StorageUnavailable
from eventflow.storage.owner_mark import MARK, Owner, claimed, give, owner_of
from tests.contract.storage.conftest import Backend


@pytest.fixture
def store(backend: Backend) -> ObjectStore:
    return backend.store


ONE, OTHER = Owner("1" * 32, "ef"), Owner("2" * 32, "ef-staging")


async def test_the_first_that_comes_marks_it_and_others_are_told_whose_it_is(store: ObjectStore) -> None:
    await store.put_bytes("videos/j/a.mp4", b"film", media_type="video/mp4")
    assert await owner_of(store) is None
    assert await claimed(store, ONE) == ONE
    assert await claimed(store, ONE) == ONE
    assert await claimed(store, OTHER) == ONE
    await give(store, OTHER)
    assert await claimed(store, ONE) == OTHER
    assert [info.key async for info in store.list("videos/")] == ["videos/j/a.mp4"]


async def test_of_those_that_come_at_once_all_find_the_same_when_they_look_again(store: ObjectStore) -> None:
    owners = [Owner(f"{number:032x}", "ef") for number in range(8)]
    await asyncio.gather(*(_claimed_at_last(store, owner) for owner in owners))
    [found] = {await owner_of(store) for _ in owners}
    assert found in owners
    assert {await claimed(store, owner) for owner in owners} == {found}


async def _claimed_at_last(store: ObjectStore, owner: Owner) -> Owner:
    """rclone's server gives half of a file that is being written anew, S3 never: then it is asked again."""
    while True:
        with suppress(StorageUnavailable):
            return await claimed(store, owner)


async def test_a_mark_that_cannot_be_read_is_nobodys_we_know(store: ObjectStore) -> None:
    await store.put_bytes(MARK, b"{", media_type="application/json")
    assert await claimed(store, ONE) == Owner("unreadable", "unknown")


async def test_what_is_put_as_new_replaces_nothing_where_the_store_can_tell(store: ObjectStore) -> None:
    assert await store.put_new("a/b.txt", b"first", media_type="text/plain")
    kept = b"".join([chunk async for chunk in store.read("a/b.txt")])
    assert kept == b"first"
    if await store.put_new("a/b.txt", b"second", media_type="text/plain"):
        assert store.description.startswith("s3:"), "a file system can tell"
        kept = b"second"
    assert b"".join([chunk async for chunk in store.read("a/b.txt")]) == kept
