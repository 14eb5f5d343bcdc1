"""Turns of the partitions that fill the same room: one at a time, but nobody waits for one whose server doesn't answer.

In a cluster a master may be away while the others are there. Its partitions then go on beside the others, out of turn,
until it answers again, and what is held of them counts only while a handler really works on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from eventflow.log.connection import DISCONNECTED

T = TypeVar("T")

#: How long an answer may take before the others go on; much longer than any that comes, even of a busy server.
PATIENCE_S = 0.5


class Turns:
    """Of so many `partitions`. `changed` hears when one turns out to be away, or back."""

    def __init__(self, partitions: int, changed: Callable[[], None], *, patience_s: float = PATIENCE_S) -> None:
        self._alone, self._changed, self._patience_s = partitions == 1, changed, patience_s
        self.away: set[int] = set()

    async def take(self, line: asyncio.Lock, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        """`action` in the partition's turn in `line`. Raises what it raises."""
        if partition in self.away:
            return await self.watch(partition, action)
        if self._alone:  # nobody else waits: needs no task of its own
            async with line:
                return await self.watch(partition, action)
        doing: asyncio.Task[T] | None = None
        try:
            async with line:
                doing = asyncio.ensure_future(self._told(partition, action))
                await asyncio.wait([doing], timeout=self._patience_s)
            self._not_yet(partition, doing)
            return await doing
        finally:
            if doing is not None:
                doing.cancel()

    async def watch(self, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        """`action` without a turn; the partition is away while it isn't answered. Raises what it raises."""
        late = asyncio.get_running_loop().call_later(self._patience_s, self._note, partition, True)
        try:
            return await self._told(partition, action)
        finally:
            late.cancel()

    async def _told(self, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await action()
        except DISCONNECTED:
            self._note(partition, True)
            raise
        self._note(partition, False)
        return result

    def _not_yet(self, partition: int, doing: asyncio.Task[T]) -> None:
        if not doing.done():
            self._note(partition, True)

    def _note(self, partition: int, away: bool) -> None:
        if away != (partition in self.away):
            (self.away.add if away else self.away.discard)(partition)
            self._changed()
