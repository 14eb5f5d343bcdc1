"""How much more a worker may take on."""

from __future__ import annotations

import asyncio
from collections.abc import Set

from eventflow.runtime.held import Held


class Room:
    """Room for `concurrency` deliveries, those in `held` among them. A read is worth its round trip from `least` on.

    What only waits for a partition that is `away` takes no room and no slot: else its finished steps, which wait to be
    committed, would keep a worker from everything else. A handler that runs does, wherever its job is.
    """

    def __init__(self, concurrency: int, least: int, held: Set[Held], away: Set[int]) -> None:
        self._concurrency, self._held, self._away = concurrency, held, away
        self.least = least
        self._enough = asyncio.Event()
        self._enough.set()

    @property
    def free(self) -> int:
        held = len(self._held)
        return self._concurrency - (held - sum(map(self._waits, self._held)) if self._away else held)

    @property
    def lent(self) -> int:
        """Slots that others may use while their own deliveries wait."""
        return sum(held.task is not None and self._waits(held) for held in self._held) if self._away else 0

    def _waits(self, held: Held) -> bool:
        return held.member.keys.partition in self._away and not held.at_work and not held.given_up

    def changed(self) -> None:
        """There may be more room now."""
        if self.free >= self.least:
            self._enough.set()

    async def enough(self) -> None:
        """Until there is room for `least`."""
        while self.free < self.least:
            self._enough.clear()
            await self._enough.wait()
