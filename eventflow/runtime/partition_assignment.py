"""Assignment of partitions to workers without a leader: each worker computes its own from the live members.

A worker blocks on its assigned partitions and polls the others once a second, so that a busy partition can use every
worker. While two workers disagree on who is alive, a partition has more or fewer readers, which consumer groups allow.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection

from eventflow.log.members import LiveMembers

#: Least partitions of a worker, and least workers of a partition: one that dies leaves no partition without a reader.
PARTITIONS_AT_LEAST, WORKERS_AT_LEAST = 8, 2


def assigned_partitions(worker: str, alive: Collection[str], partitions: Collection[int]) -> frozenset[int]:
    """Return the partitions of `worker`, by rendezvous hashing: a worker that joins or leaves moves only its own."""
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
    """The partitions of one worker, as of its last heartbeat; all until the first."""

    def __init__(self, members: LiveMembers, worker: str, partitions: Collection[int]) -> None:
        self._members, self._worker, self._partitions = members, worker, tuple(partitions)
        self._alive = frozenset[str]()
        self.mine = frozenset(partitions)

    async def renew(self) -> None:
        """Record a heartbeat and assign the partitions again if the live workers changed. Raises connection errors."""
        alive = await self._members.heartbeat(self._worker)
        if alive != self._alive:
            self._alive, self.mine = alive, assigned_partitions(self._worker, alive, self._partitions)

    async def leave(self) -> None:
        await self._members.leave(self._worker)
