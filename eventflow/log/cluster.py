"""A client of a Redis Cluster: sends every command to the master of its key.

Each node has a pool of its own.

redis-py's cluster client manages its own connections: it raises where a burst finds none free, closes those in use when
the cluster changes, and may send ASKING over another connection than its command (decision 65). Here each node has the
client of a single server, and this module only routes to the nodes. A refusal during a failover is raised as a lost
connection, which every caller handles.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventflow.log.deadline import WithinDeadline

T = TypeVar("T")
Address = tuple[str, int]
#: An action on one node. The flag: ASKING has to go before its command, over the same connection.
OnNode = Callable[[Redis, bool], Awaitable[T]]

_LOST = (RedisConnectionError, RedisTimeoutError, OSError)
#: A node that doesn't serve the slot, and doesn't know which node does.
_UNSERVED = (ClusterDownError, MasterDownError, ReadOnlyError)
_REDIRECTED = (AskError, TryAgainError, *_UNSERVED)
_MOST_REDIRECTIONS = 8
#: Wait before a command on several keys of a slot that is being moved is sent again.
_TRY_AGAIN_S = 0.05
#: Time-out for one node's list of slots; the next node is asked then.
_SLOTS_TIMEOUT_S = 2.0
_KEYLESS = frozenset({"CLUSTER", "CONFIG", "DBSIZE", "FLUSHALL", "INFO", "PING", "SCRIPT", "TIME"})


class ClusterRedis(Redis):
    """One client for all nodes.

    A command without a key goes to every master; returns the first one's answer.

    `open_node` makes the client of one node; `seeds` are the nodes that are asked for the others.
    """

    def __init__(self, seeds: Sequence[Address], open_node: Callable[[Address], Redis]) -> None:
        self._seeds, self._open_node = tuple(seeds), open_node
        self._nodes: dict[Address, Redis] = {}
        self._owners: list[Address | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        #: Counts the times that the client has read which node serves which slots.
        self.epoch = 0
        self._refreshing = asyncio.Lock()
        super().__init__(connection_pool=self._node(self._seeds[0]).connection_pool)  # for its encoder

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        key = key_of(args)
        if key is not None:
            return await self.on_node(key, partial(_execute, args, options))
        nodes: list[Any] = await self.masters()
        answers = [await node.execute_command(*args, **options) for node in nodes]
        return answers[0]

    async def on_node(self, key: str | bytes, action: OnNode[T]) -> T:
        """Run `action` on the master of `key`; after a redirection it runs again, on another node.

        Raises its errors; connection errors also where no node serves the key for now.
        """
        async with WithinDeadline():
            return await self._on_node(slot_of(key), action)

    async def _on_node(self, slot: int, action: OnNode[T]) -> T:
        asked, again = None, True
        for _ in range(_MOST_REDIRECTIONS):
            address, epoch = asked or await self._owner(slot), self.epoch
            asking, asked = asked is not None, None
            try:
                return await action(self._node(address), asking)
            except MovedError as moved:
                await self._refresh(epoch)
                self._owners[slot] = _target(moved, address)  # the list of slots may not show it yet
            except AskError as ask:
                asked = _target(ask, address)
            except TryAgainError:
                await asyncio.sleep(_TRY_AGAIN_S)
            except (*_LOST, *_UNSERVED) as error:
                await self._refresh(epoch, avoid=address)
                if self._owners[slot] == address or not again:
                    if isinstance(error, _UNSERVED):
                        raise RedisConnectionError(
                            f"the cluster takes no commands for this slot for now: {error}"
                        ) from error
                    raise
                again = False
        raise RedisConnectionError(f"slot {slot} of the cluster is being moved: no node takes the command for now")

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """A pipeline whose commands are sent to each node together. Raises ValueError for a transaction."""
        if transaction:
            raise ValueError("a pipeline over a cluster can't be a transaction: pass transaction=False")
        return _ClusterPipeline(self)

    async def execute_many(self, stack: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> list[Any]:
        """Each command's answer or error, in order.

        Raises connection errors; some commands may have been executed then.
        """
        shares: dict[Address, list[int]] = {}
        for place, (args, _) in enumerate(stack):
            key = key_of(args)
            if key is None:
                raise ValueError(f"{args[0]} has no key: it can't go into a pipeline over a cluster")
            shares.setdefault(await self._owner(slot_of(key)), []).append(place)
        answers: list[Any] = [None] * len(stack)

        async def send(address: Address, places: Sequence[int]) -> None:
            epoch = self.epoch
            try:
                async with self._node(address).pipeline(transaction=False) as pipe:
                    for place in places:
                        args, options = stack[place]
                        pipe.execute_command(*args, **options)
                    found = await pipe.execute(raise_on_error=False)
            except _LOST:
                await self._refresh(epoch, avoid=address)
                raise
            for place, answer in zip(places, found, strict=True):
                answers[place] = answer

        _raise_first(await asyncio.gather(*(send(*share) for share in shares.items()), return_exceptions=True))
        for place, answer in enumerate(answers):
            if isinstance(answer, _REDIRECTED):
                args, options = stack[place]
                try:
                    answers[place] = await self.execute_command(*args, **options)
                except ResponseError as error:
                    answers[place] = error
        return answers

    @property
    def nodes(self) -> tuple[Redis, ...]:
        """A client of each node that was ever used."""
        return tuple(self._nodes.values())

    async def masters(self) -> list[Redis]:
        """A client of each master, in the order of their addresses. Raises connection errors."""
        if not self.epoch:
            await self._refresh(0)
        return [self._node(address) for address in sorted({owner for owner in self._owners if owner})]

    async def scan_iter(self, *args: Any, **options: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        """The keys of all masters."""
        for node in await self.masters():
            async for key in node.scan_iter(*args, **options):
                yield key

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        for node in self._nodes.values():
            await node.aclose()

    def _node(self, address: Address) -> Redis:
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = self._open_node(address)
        return node

    async def _owner(self, slot: int) -> Address:
        if self._owners[slot] is None:
            await self._refresh(self.epoch)
        owner = self._owners[slot]
        if owner is None:
            raise RedisConnectionError(f"slot {slot} of the cluster is served by no node for now")
        return owner

    async def _refresh(self, epoch: int, avoid: Address | None = None) -> None:
        """Read which node serves which slots, unless that was done since `epoch`. Asks `avoid` last."""
        async with self._refreshing:
            if self.epoch != epoch:
                return
            known = dict.fromkeys((*(owner for owner in self._owners if owner), *self._seeds))
            last: Exception | None = None
            for address in sorted(known, key=lambda one: one == avoid):
                try:
                    async with asyncio.timeout(_SLOTS_TIMEOUT_S):
                        node: Any = self._node(address)
                        ranges = await node.execute_command("CLUSTER SLOTS")
                except (*_LOST, ResponseError) as error:
                    last = error
                    continue
                if ranges:
                    await self._learn(ranges, address)
                    return
            raise RedisConnectionError(f"no node of the cluster lists its slots: {last}")

    async def _learn(self, ranges: list[Any], asked: Address) -> None:
        self.epoch += 1
        self._owners = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, (host, port, *_), *_ in ranges:
            master = (host.decode() if host else asked[0], int(port))
            self._owners[first : last + 1] = [master] * (last + 1 - first)
        for address in self._nodes.keys() - set(self._owners) - set(self._seeds):
            await self._nodes[address].connection_pool.disconnect(inuse_connections=False)


class _ClusterPipeline(Pipeline):
    """A pipeline over all nodes."""

    def __init__(self, cluster: ClusterRedis) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, False, None)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        stack, self.command_stack = self.command_stack, []
        async with WithinDeadline():
            answers = await self._cluster.execute_many(stack)
        if raise_on_error:
            _raise_first(answers)
        return answers


async def masters_of(redis: Redis) -> list[Redis]:
    """The servers that take writes: the single server, or each master of a cluster."""
    return await redis.masters() if isinstance(redis, ClusterRedis) else [redis]


async def on_master(redis: Redis, key: str | bytes, action: OnNode[T]) -> T:
    """Run `action` on the server of `key`: for commands that have to go over one connection."""
    return await (redis.on_node(key, action) if isinstance(redis, ClusterRedis) else action(redis, False))


def slot_of(key: str | bytes) -> int:
    """The cluster slot of a key, 0 to 16383."""
    return key_slot(key.encode() if isinstance(key, str) else key)


def key_of(args: Sequence[Any]) -> Any:
    """The first key of a command, whose slot all its keys share; None for a command to the server itself."""
    name = str(args[0]).upper()
    if name in ("EVAL", "EVALSHA"):
        return args[3] if int(args[2]) else None
    if name in ("XREAD", "XREADGROUP"):
        return args[args.index(b"STREAMS") + 1]
    return None if name.split()[0] in _KEYLESS else args[1]


async def _execute(args: tuple[Any, ...], options: Mapping[str, Any], node: Any, asking: bool) -> Any:
    if not asking:
        return await node.execute_command(*args, **options)
    async with node.pipeline(transaction=False) as pipe:
        pipe.execute_command("ASKING")
        pipe.execute_command(*args, **options)
        return (await pipe.execute())[1]


def _target(error: AskError, asked: Address) -> Address:
    """The node of a redirection; without a host it is on the host of the node that was asked."""
    return (error.host or asked[0], error.port)


def _raise_first(answers: Iterable[Any]) -> None:
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
