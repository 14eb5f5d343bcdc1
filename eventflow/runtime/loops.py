"""Loops that go on: over a server that goes away, over groups that are gone, each beating in the pulse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Any, TypeVar

from redis.exceptions import ResponseError

from eventflow.log.connection import DISCONNECTED, is_transient
from eventflow.log.consumer import GroupMember
from eventflow.runtime.watchdog import Pulse

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


class Loops:
    """The loops of one worker. Each partition has a pause of its own, which grows while its server can't be reached."""

    def __init__(self, members: Sequence[GroupMember], pulse: Pulse, random: Random, log: Any) -> None:
        self._members, self._pulse, self._random, self._log = members, pulse, random, log
        self._pauses: dict[tuple[GroupMember, ...], float] = {}

    async def forever(
        self, action: Callable[[], Awaitable[None]], period_s: float, name: str = "", *members: GroupMember
    ) -> None:
        """`action` every `period_s` seconds, with jitter, until cancelled. `members` are those it is about, or all."""
        name = name or getattr(action, "__name__", "loop").lstrip("_")
        while True:
            self._pulse.beat(name, period_s)
            await self.surviving(action, *(members or self._members))
            await asyncio.sleep(period_s * self._random.uniform(0.8, 1.0))

    def on_each(self, action: Callable[[GroupMember], Awaitable[None]], period_s: float) -> list[asyncio.Task[None]]:
        """A loop for each member: in a cluster one partition's server may be away while the others' are there."""
        kind = getattr(action, "__name__", "loop").lstrip("_")
        return [
            asyncio.create_task(
                self.forever(partial(action, member), period_s, f"{kind} {member.keys.partition:02x}", member)
            )
            for member in self._members
        ]

    async def surviving(self, action: Callable[[], Awaitable[T]], *members: GroupMember) -> T | None:
        """`action`, over lost connections and lost groups, with growing pauses; None after a pause."""
        try:
            result = await action()
        except DISCONNECTED as error:
            self._log.warning("log unreachable", error=str(error))
        except ResponseError as error:
            if is_transient(error):
                self._log.warning("log refuses for now", error=str(error))
            elif "NOGROUP" not in str(error):
                self._log.error("log refused", error=str(error))
            else:
                self._log.warning("group is gone; creating it again from the beginning")
                for member in members:
                    member.rebuilt = True
                await self.recreate(members)
        else:
            self._pauses.pop(members, None)
            return result
        pause_s = self._pauses.get(members, _FIRST_PAUSE_S)
        self._pauses[members] = min(_LONGEST_PAUSE_S, pause_s * 2)
        await asyncio.sleep(pause_s * self._random.uniform(0.5, 1.0))
        return None

    async def recreate(self, members: Sequence[GroupMember]) -> None:
        """Create the groups that are missing; where that fails now, NOGROUP brings us back to it."""

        async def ensure(member: GroupMember) -> None:
            try:
                await member.ensure()
            except (ResponseError, *DISCONNECTED) as error:
                self._log.warning("group not created yet", error=str(error))

        await asyncio.gather(*map(ensure, members))

    async def told(self, telling: Awaitable[object], what: str) -> None:
        """Tell the server before we go, if it can be reached."""
        try:
            await telling
        except (ResponseError, *DISCONNECTED) as error:
            self._log.warning(f"{what} without telling the server", error=str(error))


async def end(tasks: Sequence[asyncio.Task[object]]) -> None:
    """Cancel `tasks` and wait until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
