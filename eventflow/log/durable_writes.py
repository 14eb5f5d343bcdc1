"""Writes that return only when the server has synced them to disk, or replicas have them."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.log.cluster import on_master
from eventflow.log.commit import Commit, Committer, script_call, version_from
from eventflow.log.connection import syncs_always
from eventflow.log.errors import NotDurable


async def commit_durably(
    redis: Redis, committer: Committer, commit: Commit, timeout_ms: int, *, replicas: int = 0
) -> None:
    """Write `commit` and wait as `write_durably` does. Raises as `Committer.commit` and `write_durably`."""
    keys, args = script_call([commit], committer.limit)
    call = ("EVAL", str(committer.script.script), len(keys), *keys, *args)
    (row,) = await write_durably(redis, keys[0], call, timeout_ms, replicas=replicas)
    version_from(commit, row)


async def write_durably(
    redis: Redis, key: str, write: tuple[Any, ...], timeout_ms: int, *, replicas: int = 0, **options: Any
) -> Any:
    """Send `write` to the server of `key` and wait until it is on disk there (WAITAOF).

    With `replicas`, wait until so many replicas have it (WAIT) instead. Both commands go over one connection, because
    such a wait covers the writes of its own connection. Returns the answer to `write`. Raises NotDurable where the wait
    fails or takes longer than `timeout_ms`; the write may have been executed all the same.
    """
    wait = ("WAIT", replicas, timeout_ms) if replicas else ("WAITAOF", 1, 0, timeout_ms)

    async def send(server: Redis, asking: bool) -> Any:
        async with server.pipeline(transaction=False) as pipe:
            if asking:
                pipe.execute_command("ASKING")
            pipe.execute_command(*write, **options)
            pipe.execute_command(*wait)
            *_, answer, waited = await pipe.execute(raise_on_error=False)
        if isinstance(answer, Exception):
            raise answer
        if replicas:
            _check_replicated(waited, replicas, timeout_ms)
        else:
            await _check_synced(server, waited, timeout_ms)
        return answer

    return await on_master(redis, key, send)


def _check_replicated(reached: Any, replicas: int, timeout_ms: int) -> None:
    if isinstance(reached, Exception):
        raise NotDurable(f"the server can't tell which replicas have the event: {reached}")
    if reached < replicas:
        raise NotDurable(f"only {reached} of {replicas} replicas have confirmed the event within {timeout_ms} ms")


async def _check_synced(server: Redis, synced: Any, timeout_ms: int) -> None:
    if isinstance(synced, ResponseError) and "unknown command" in str(synced):
        if not await syncs_always(server):
            raise NotDurable("this server doesn't know WAITAOF: set appendfsync always")
    elif isinstance(synced, Exception):
        raise NotDurable(f"the server can't sync the event to disk: {synced}")
    elif synced[0] < 1:
        raise NotDurable(f"the server hasn't synced the event to disk within {timeout_ms} ms")
