"""Writes that are answered only when the server has synced them to disk."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.log.commit import Commit, Committer, script_call, version_from
from eventflow.log.connection import syncs_always
from eventflow.log.errors import NotDurable


async def commit_durably(redis: Redis, committer: Committer, commit: Commit, timeout_ms: int) -> None:
    """Write `commit` and wait for its sync. Raises what `Committer.commit` raises, and NotDurable."""
    keys, args = script_call([commit], committer.limit)
    call = ("EVAL", str(committer.script.script), len(keys), *keys, *args)
    (row,) = await wait_for_sync(redis, call, timeout_ms)
    version_from(commit, row)


async def wait_for_sync(redis: Redis, write: tuple[Any, ...], timeout_ms: int) -> Any:
    """Send `write` and wait until it is synced, on one connection; returns its answer. Raises NotDurable."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.execute_command(*write)
        pipe.execute_command("WAITAOF", 1, 0, timeout_ms)
        answer, synced = await pipe.execute(raise_on_error=False)
    if isinstance(answer, Exception):
        raise answer
    if isinstance(synced, ResponseError) and "unknown command" in str(synced):
        if not await syncs_always(redis):
            raise NotDurable("this server can't tell when it has synced: set appendfsync always")
    elif isinstance(synced, Exception):
        raise NotDurable(f"the server can't sync the event to disk: {synced}")
    elif synced[0] < 1:
        raise NotDurable(f"the server hasn't synced the event to disk within {timeout_ms} ms")
    return answer
