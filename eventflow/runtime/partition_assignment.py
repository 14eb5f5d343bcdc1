"""Which partitions a worker waits at, where there are many: without a leader, each works it out from who is alive.

It looks at the others now and then, so that a busy partition can use every worker. Two views of who is alive may
differ: then a partition has more or fewer that wait at it for a while, which consumer groups don't mind.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection

from eventflow.log.members import LiveMembers

#: A worker waits at so many partitions at least, and at each partition so many workers do.
PARTITIONS_AT_LEAST, WORKERS_AT_LEAST = 8, 2


def assigned_partitions(worker: str, alive: Collection[str], partitions: Collection[int]) -> frozenset[int]:
    """The partitions that `worker` waits at, by rendezvous hashing: who comes or goes moves only their own share."""
    workers = {*alive, worker}
    readers = max(WORKERS_AT_LEAST, math.ceil(PARTITIONS_AT_LEAST * len(workers) / len(partitions)))
    if readers >= len(workers):
        return frozenset(partitions)

    def is_near(partition: int) -> bool:
        mine = _weight(worker, partition)
        return sum(_weight(other, partition) > mine for other in workers) < readers

    return frozenset(filter(is_near, partitions))


def _weight(worker: str, partition: int) -> bytes:
    return hashlib.blake2b(f"{partition}/{worker}".encode(), digest_size=8).digest()


class PartitionAssignment:
    """The share of one worker, as of its last sign of life; everything until the first."""

    def __init__(self, members: LiveMembers, worker: str, partitions: Collection[int]) -> None:
        self._members, self._worker, self._partitions = members, worker, tuple(partitions)
        self._alive = frozenset[str]()
        self.mine = frozenset(partitions)

    async def renew(self) -> None:
        """Say that the worker is alive, and see who else is. Raises connection errors."""
        alive = await self._members.heartbeat(self._worker)
        if alive != self._alive:
            self._alive, self.mine = alive, assigned_partitions(self._worker, alive, self._partitions)

    async def leave(self) -> None:
        await self._members.leave(self._worker)
