"""Who waits at which partition."""

from __future__ import annotations

from collections import Counter

from eventflow.runtime.partition_assignment import PARTITIONS_AT_LEAST, WORKERS_AT_LEAST, assigned_partitions

WORKERS = [f"host-{number}" for number in range(12)]
PARTITIONS = range(64)


def test_few_partitions_are_everybodys() -> None:
    for worker in WORKERS:
        assert assigned_partitions(worker, WORKERS, range(PARTITIONS_AT_LEAST)) == set(range(PARTITIONS_AT_LEAST))
    assert assigned_partitions("alone", [], PARTITIONS) == set(PARTITIONS)


def test_every_partition_has_readers_and_nobody_has_all() -> None:
    shares = [assigned_partitions(worker, WORKERS, PARTITIONS) for worker in WORKERS]
    readers = Counter(partition for share in shares for partition in share)
    assert set(readers.values()) == {WORKERS_AT_LEAST}
    assert max(map(len, shares)) < len(PARTITIONS) // 2


def test_a_worker_that_goes_moves_only_its_own_share() -> None:
    gone, *rest = WORKERS
    lost = assigned_partitions(gone, WORKERS, PARTITIONS)
    for worker in rest:
        before, after = assigned_partitions(worker, WORKERS, PARTITIONS), assigned_partitions(worker, rest, PARTITIONS)
        assert before <= after
        assert after - before <= lost
