"""A replica takes a master's place, and the connections that there are stay open: as behind a name or a proxy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
import redis as sync_redis
from attrs import define

from eventflow.log import connection
from eventflow.log.connection import connect
from eventflow.log.errors import LogUnfit, WrongServer
from eventflow.log.feed import FeedTail
from eventflow.log.server_check import check_server
from ops.chaos.proxy import Proxy, proxy_of
from tests.support.log_server import LogServer, log_server
from tests.support.runtime import CHAIN, Chain, RawRedis, Space, open_space, working
from tests.support.waiting import wait_until, wait_until_sync

#: Far less than it takes until a connection is renewed for its age.
_SOON_S = 15.0


@define
class Pair:
    """`first` is the master, `second` its replica; `proxy` leads to the first one, for now."""

    first: LogServer
    second: LogServer
    proxy: Proxy

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.proxy.port}/0"

    def fail_over(self) -> None:
        """The replica is the master from now on, and the master its replica. Nobody is cut off."""
        self.promote()
        _command(self.first, "REPLICAOF", "127.0.0.1", str(self.second.port))

    def promote(self) -> None:
        _command(self.second, "REPLICAOF", "NO", "ONE")
        self.proxy.target_port = self.second.port


def _command(server: LogServer, *words: str) -> None:
    with sync_redis.Redis(port=server.port) as client:
        client.execute_command(*words)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(log_server(tmp_path / name, aof=True, repl_diskless_sync_delay="0"))
            for name in ("first", "second")
        )
        _command(second, "REPLICAOF", "127.0.0.1", str(first.port))
        wait_until_sync(lambda: _in_step(second), what="the replica")
        async with proxy_of(first.port) as proxy:
            yield Pair(first, second, proxy)


def _in_step(replica: LogServer) -> bool:
    with sync_redis.Redis(port=replica.port) as client:
        return client.info("replication")["master_link_status"] == "up"


async def test_work_goes_on_within_seconds_over_connections_that_stay_open(pair: Pair) -> None:
    """Workers of all groups, and who submits: each has connections to the old master by then."""
    async with open_space(pair.url) as space, AsyncExitStack() as stack:
        for group in Chain().groups:
            await stack.enter_async_context(working(space, group))
        before = await space.submit()
        await wait_until(lambda: space.ended(before))
        pair.fail_over()
        began = time.monotonic()
        after = await _submitted(space)
        await wait_until(lambda: space.ended(after), _SOON_S)
        print(f"\nfailover with open connections: published after {time.monotonic() - began:.2f} s")
        assert await space.types(after) == CHAIN
    with sync_redis.Redis(port=pair.second.port) as client:
        assert client.exists(space.keys.events(after)) == 1


async def test_reader_of_the_feed_follows_the_new_master(pair: Pair) -> None:
    """It only reads, which a replica lets it do: what its process learns by a write counts for it as well."""
    async with open_space(pair.url) as space:
        blocking = connect(pair.url, blocking=True, max_connections=2, beside=space.redis)
        try:
            tail = FeedTail(blocking, space.keyspace)
            await space.submit()
            await tail.start_at_end()
            pair.fail_over()
            _command(pair.first, "REPLICAOF", "127.0.0.1", "1")  # it hears no more of the new master
            job_id = await _submitted(space)
            with pytest.raises(ConnectionError, match="lost and replaced"):
                await _noted(tail, job_id)
            await tail.start_at_end()
            later = await space.submit()
            await wait_until(lambda: _noted(tail, later), _SOON_S)
        finally:
            await blocking.aclose()


async def test_connections_are_renewed_in_time_where_nothing_tells(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old master doesn't know that it was replaced: it takes writes, which nobody will ever see."""
    monkeypatch.setattr(connection, "MAX_AGE_S", 0.2)
    redis = connect(pair.url)
    try:
        await redis.set("before", 1)
        pair.promote()
        await wait_until(lambda: _writes_to(redis, pair.second), _SOON_S)
    finally:
        await redis.aclose()


async def test_replica_is_refused_by_the_check_and_by_each_new_connection(pair: Pair) -> None:
    replica, master = connect(pair.second.url), connect(pair.first.url)
    try:
        assert (await check_server(master, durable_ack=True))["aof"] == "on"
        with pytest.raises(WrongServer, match="is a replica"):
            await check_server(replica, durable_ack=False)
        with pytest.raises(WrongServer, match="is a replica"):
            await replica.get("x")
        _command(pair.first, "REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(WrongServer, match="is a replica"):  # over a connection from before
            await check_server(master, durable_ack=False)
    finally:
        await replica.aclose()
        await master.aclose()


async def test_replica_without_its_master_leads_on(pair: Pair) -> None:
    """MASTERDOWN: it doesn't even read."""
    redis = connect(pair.url)
    try:
        await redis.set("x", 1)
        _command(pair.first, "CONFIG", "SET", "replica-serve-stale-data", "no")
        pair.fail_over()
        _command(pair.first, "REPLICAOF", "127.0.0.1", "1")
        assert await redis.get("x") == b"1"
        assert await _writes_to(redis, pair.second)
    finally:
        await redis.aclose()


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[str]:
    """The URL of a Sentinel."""
    with log_server(tmp_path / "watched") as watched:
        folder = tmp_path / "sentinel"
        folder.mkdir()
        server = LogServer(folder)
        (folder / "sentinel.conf").write_text(f"sentinel monitor m 127.0.0.1 {watched.port} 1\n")
        server.start_as_sentinel(folder / "sentinel.conf")
        try:
            yield server.url
        finally:
            server.kill()


async def test_sentinel_is_told_from_a_server(sentinel: str) -> None:
    redis = connect(sentinel)
    try:
        with pytest.raises(LogUnfit, match="this is a Sentinel"):
            await check_server(redis, durable_ack=False)
    finally:
        await redis.aclose()


async def _submitted(space: Space) -> str:
    """A job that was taken; those that are refused meanwhile are answered 503 in the web app."""

    async def submit() -> str | None:
        try:
            return await space.submit()
        except (sync_redis.RedisError, OSError):
            return None

    job_id = await wait_until(submit, _SOON_S, what="a submitted job")
    assert job_id is not None
    return job_id


async def _noted(tail: FeedTail, job_id: str) -> bool:
    try:
        return job_id in {note.job_id for note in await tail.read(block_ms=500)}
    except sync_redis.ConnectionError as error:
        raise ConnectionError(str(error)) from error


async def _writes_to(redis: RawRedis, server: LogServer) -> bool:
    await redis.set("probe", secret := str(time.monotonic()))
    with sync_redis.Redis(port=server.port) as client:
        return client.get("probe") == secret.encode()


def test_redis_says_the_same_of_its_role(redis_server: str, tmp_path: Path) -> None:
    """HELLO's words, which the check goes by."""
    server = LogServer(tmp_path, program=redis_server)
    server.start()
    try:
        _command(server, "REPLICAOF", "127.0.0.1", "1")

        async def check() -> None:
            redis = connect(server.url)
            try:
                with pytest.raises(WrongServer, match="is a replica"):
                    await redis.ping()
            finally:
                await redis.aclose()

        asyncio.run(check())
    finally:
        server.kill()
