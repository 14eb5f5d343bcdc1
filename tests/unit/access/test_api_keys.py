"""API keys: added, listed, revoked, recognised; the store holds digests alone."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis

from eventflow.access.api_keys import ApiKeys, Principal

HASH = "ef:{keys}:api"


@pytest.fixture
async def redis() -> AsyncIterator[FakeAsyncRedis]:
    client = FakeAsyncRedis()
    yield client
    await client.aclose()


@pytest.fixture
def keys(redis: FakeAsyncRedis) -> ApiKeys:
    times = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(100))
    return ApiKeys(redis, HASH, clock=lambda: next(times))


async def test_a_key_is_known_by_its_token(keys: ApiKeys) -> None:
    assert not await keys.any()
    record, token = await keys.add("alice@example.org")
    assert await keys.any()
    assert await keys.authenticate(token) == Principal("alice@example.org") == record.principal
    assert not record.principal.is_admin


async def test_an_admin(keys: ApiKeys) -> None:
    record, token = await keys.add("root", ["admin", "admin"])
    principal = await keys.authenticate(token)
    assert principal is not None
    assert principal.is_admin
    assert record.scopes == ("admin",)


async def test_tokens_are_long_and_all_different(keys: ApiKeys) -> None:
    tokens = {(await keys.add("alice"))[1] for _ in range(20)}
    assert len(tokens) == 20
    assert all(re.fullmatch(r"ef_[0-9a-f]{8}_[\w-]{43}", token) for token in tokens)


async def test_the_store_holds_digests_alone(keys: ApiKeys, redis: FakeAsyncRedis) -> None:
    _, token = await keys.add("alice")
    stored: Any = await redis.hgetall(HASH)
    assert [len(digest) for digest in stored] == [64]
    assert token.rpartition("_")[2].encode() not in b"".join([*stored, *stored.values()])
    assert sorted(await redis.keys()) == [HASH.encode(), f"{HASH}:made".encode()]
    made: Any = await redis.get(f"{HASH}:made")
    assert token.encode() not in made


async def test_keys_are_listed_oldest_first(keys: ApiKeys) -> None:
    added = [(await keys.add(owner))[0] for owner in ("carol", "alice", "bob")]
    assert await keys.list() == added
    assert [key.created_at for key in added] == sorted(key.created_at for key in added)


async def test_a_revoked_key_is_unknown(keys: ApiKeys) -> None:
    (record, token), (_, other) = await keys.add("alice"), await keys.add("alice")
    assert await keys.revoke(record.id)
    assert await keys.authenticate(token) is None
    assert await keys.authenticate(other) == Principal("alice")
    assert not await keys.revoke(record.id)


async def test_it_is_known_that_there_were_keys(keys: ApiKeys, redis: FakeAsyncRedis) -> None:
    assert not await keys.ever()
    record, _ = await keys.add("alice")
    await redis.delete(f"{HASH}:made")  # as if the key were older than the mark
    assert await keys.ever()
    await keys.revoke(record.id)
    assert not await keys.any()
    assert await keys.ever()


@pytest.mark.parametrize("token", ["", "ef_00000000_x", "é", "\udcff", "x" * 10_000, "\0"], ids=ascii)
async def test_other_tokens_are_nobodys(keys: ApiKeys, token: str) -> None:
    await keys.add("alice")
    assert await keys.authenticate(token) is None


@pytest.mark.parametrize("owner", ["", "a b", "a:b", "x" * 65, "é", "a\n", "../a", "{a}"])
async def test_bad_owners(keys: ApiKeys, owner: str) -> None:
    with pytest.raises(ValueError, match="an owner is 1 to 64"):
        await keys.add(owner)
    assert not await keys.any()


async def test_unknown_scopes_are_named_with_what_there_is(keys: ApiKeys) -> None:
    with pytest.raises(ValueError, match="unknown scope Root, sudo; available: admin"):
        await keys.add("alice", ["sudo", "admin", "Root"])
    assert not await keys.any()
