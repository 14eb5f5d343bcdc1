"""Who waits at which partition."""

from __future__ import annotations

from collections import Counter

from eventflow.runtime.shares import PARTITIONS_AT_LEAST, WORKERS_AT_LEAST, share_of

WORKERS = [f"host-{number}" for number in range(12)]
PARTITIONS = range(64)


def test_few_partitions_are_everybodys() -> None:
    for worker in WORKERS:
        assert share_of(worker, WORKERS, range(PARTITIONS_AT_LEAST)) == set(range(PARTITIONS_AT_LEAST))
    assert share_of("alone", [], PARTITIONS) == set(PARTITIONS)


def test_every_partition_has_readers_and_nobody_has_all() -> None:
    shares = [share_of(worker, WORKERS, PARTITIONS) for worker in WORKERS]
    readers = Counter(partition for share in shares for partition in share)
    assert set(readers.values()) == {WORKERS_AT_LEAST}
    assert max(map(len, shares)) < len(PARTITIONS) // 2


def test_a_worker_that_goes_moves_only_its_own_share() -> None:
    gone, *rest = WORKERS
    lost = share_of(gone, WORKERS, PARTITIONS)
    for worker in rest:
        before, after = share_of(worker, WORKERS, PARTITIONS), share_of(worker, rest, PARTITIONS)
        assert before <= after
        assert after - before <= lost
