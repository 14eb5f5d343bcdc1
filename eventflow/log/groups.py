"""The registry of consumer groups, which trimming waits for; their states; and removing a group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from attrs import frozen
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.domain.topics import LANES, Topic
from eventflow.log.connection import load_script
from eventflow.log.keys import Keyspace, PartitionKeys


@frozen
class RegisteredGroup:
    """A group that reads `topics`; it was registered at `since` (Unix time, s)."""

    name: str
    topics: tuple[Topic, ...]
    since: int


@frozen(kw_only=True)
class GroupState:
    """A group over all partitions.

    `lag` counts entries not delivered to it yet, None where the server can't tell.

    `live` counts consumers that were active within the asked time. A group that isn't `registered` is an orphan.
    """

    name: str
    registered: bool
    topics: tuple[str, ...]
    consumers: int
    live: int
    pending: int
    lag: int | None


async def register_group(redis: Redis, keys: PartitionKeys, group: str, topics: Iterable[Topic]) -> None:
    """Register that `group` reads `topics`, besides those of earlier calls.

    Trimming waits for it from now on.
    """
    await load_script(redis, "register_group")(keys=[keys.groups], args=[group, *(topic.value for topic in topics)])


async def registered_groups(redis: Redis, keys: PartitionKeys) -> dict[str, RegisteredGroup]:
    """The registered groups of a partition by name."""
    rows: Any = await redis.hgetall(keys.groups)
    found = {}
    for name, raw in rows.items():
        body = orjson.loads(raw)
        found[name.decode()] = RegisteredGroup(name.decode(), tuple(map(Topic, body["topics"])), body["since"])
    return found


async def group_states(redis: Redis, keyspace: Keyspace, *, live_ms: int) -> list[GroupState]:
    """Every group that is registered, or exists on a topic's stream.

    `live_ms`: a consumer idle for less is live.
    """
    found: dict[str, dict[str, Any]] = {}
    for keys in keyspace.all:
        for name, entry in (await registered_groups(redis, keys)).items():
            state = found.setdefault(name, _blank())
            state["registered"] = True
            state["topics"] |= {topic.value for topic in entry.topics}
        for topic in Topic:
            for lane in LANES:
                await _add_stream(redis, keys.topic(topic, lane), topic, found, live_ms)
    return [
        GroupState(
            name=name,
            registered=state["registered"],
            topics=tuple(sorted(state["topics"])),
            consumers=len(state["consumers"]),
            live=len(state["live"]),
            pending=state["pending"],
            lag=state["lag"],
        )
        for name, state in sorted(found.items())
    ]


def _blank() -> dict[str, Any]:
    return {"registered": False, "topics": set(), "consumers": set(), "live": set(), "pending": 0, "lag": 0}


async def _add_stream(redis: Redis, stream: str, topic: Topic, found: dict[str, dict[str, Any]], live_ms: int) -> None:
    try:
        groups: Any = await redis.xinfo_groups(stream)
    except ResponseError:  # there is no such stream
        return
    for group in groups:
        state = found.setdefault(group["name"].decode(), _blank())
        state["topics"].add(topic.value)
        state["pending"] += group["pending"]
        lag = group.get("lag")
        state["lag"] = None if lag is None or state["lag"] is None else state["lag"] + lag
        consumers: Any = await redis.xinfo_consumers(stream, group["name"])
        for consumer in consumers:
            state["consumers"].add(consumer["name"])
            if consumer["idle"] < live_ms:
                state["live"].add(consumer["name"])


async def remove_group(redis: Redis, keyspace: Keyspace, group: str) -> int:
    """Destroy `group` on every topic, delete its retries, and unregister it.

    Returns on how many streams it was.

    A running member creates it again.
    """
    destroyed = 0
    for keys in keyspace.all:
        for topic in Topic:
            for lane in LANES:
                try:
                    destroyed += bool(await redis.xgroup_destroy(keys.topic(topic, lane), group))
                except ResponseError:  # there is no such stream
                    continue
            await redis.delete(keys.retry(group, topic))
        await redis.hdel(keys.groups, group)
    return destroyed
