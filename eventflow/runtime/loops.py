"""Background loops that survive lost connections and deleted groups; each reports to the watchdog."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Any, TypeVar

from redis.exceptions import ResponseError

from eventflow.backoff import Backoff
from eventflow.log.connection import DISCONNECTED, is_transient
from eventflow.log.consumer import GroupMember
from eventflow.runtime.watchdog import Pulse

T = TypeVar("T")

#: A worker tries a server that is unreachable again at first after 50 ms (it was restarted), later every 2 s.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0


class Loops:
    """The loops of one worker, which back off for each partition by itself while its server is unreachable."""

    def __init__(self, members: Sequence[GroupMember], pulse: Pulse, random: Random, log: Any) -> None:
        self._members, self._pulse, self._random, self._log = members, pulse, random, log
        self._backoffs: dict[tuple[GroupMember, ...], Backoff] = {}

    async def forever(
        self, action: Callable[[], Awaitable[None]], period_s: float, name: str = "", *members: GroupMember
    ) -> None:
        """Run `action` every `period_s` seconds, with jitter, until cancelled.

        `name` is the loop's in the watchdog (default: the action's). `members` are those it concerns (default: all).
        """
        name = name or getattr(action, "__name__", "loop").lstrip("_")
        while True:
            self._pulse.beat(name, period_s)
            await self.surviving(action, *(members or self._members))
            await asyncio.sleep(period_s * self._random.uniform(0.8, 1.0))

    def on_each(self, action: Callable[[GroupMember], Awaitable[None]], period_s: float) -> list[asyncio.Task[None]]:
        """Start a loop for each member: in a cluster, one partition's server may be unreachable while others answer."""
        kind = getattr(action, "__name__", "loop").lstrip("_")
        return [
            asyncio.create_task(
                self.forever(partial(action, member), period_s, f"{kind} {member.keys.partition:02x}", member)
            )
            for member in self._members
        ]

    async def surviving(self, action: Callable[[], Awaitable[T]], *members: GroupMember) -> T | None:
        """Run `action` once; after a lost connection or group, log it, pause, and return None.

        A group that was deleted is created again from the beginning of its streams. Pauses grow with each failure.
        """
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
            self._backoffs.pop(members, None)
            return result
        backoff = self._backoffs.get(members)
        if backoff is None:
            backoff = Backoff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S, random=self._random)
            self._backoffs[members] = backoff
        await asyncio.sleep(backoff.next_s())
        return None

    async def recreate(self, members: Sequence[GroupMember]) -> None:
        """Create missing groups. A failure is logged: the next read fails with NOGROUP and leads back here."""

        async def ensure(member: GroupMember) -> None:
            try:
                await member.ensure()
            except (ResponseError, *DISCONNECTED) as error:
                self._log.warning("group not created yet", error=str(error))

        await asyncio.gather(*map(ensure, members))

    async def notify(self, notification: Awaitable[object], subject: str) -> None:
        """Await a best-effort notification of the server; connection errors are logged."""
        try:
            await notification
        except (ResponseError, *DISCONNECTED) as error:
            self._log.warning(f"{subject}; the server was not notified", error=str(error))


async def cancel_all(tasks: Sequence[asyncio.Task[object]]) -> None:
    """Cancel `tasks` and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
