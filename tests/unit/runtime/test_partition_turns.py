"""Partitions read in turn, and the capacity that is free while one of them is unreachable."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from eventflow.runtime.slots import Capacity, InFlight, PartitionTurns, Slots
from tests.support.waiting import wait_until


def _in_flight(partition: int) -> InFlight:
    return InFlight(
        member=cast(Any, SimpleNamespace(keys=SimpleNamespace(partition=partition))), delivery=cast(Any, None)
    )


async def test_one_at_a_time_as_long_as_all_answer() -> None:
    turns, lock, running, most = PartitionTurns(3, lambda: None), asyncio.Lock(), 0, 0

    async def action() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return 7

    assert await asyncio.gather(*(turns.take(lock, number % 3, action) for number in range(9))) == [7] * 9
    assert (most, turns.unreachable) == (1, set())


async def test_an_unreachable_partition_is_not_waited_for_until_it_answers_again() -> None:
    changes: list[set[int]] = []
    turns, lock, answer = (
        PartitionTurns(2, lambda: changes.append(set(turns.unreachable)), patience_s=0.01),
        asyncio.Lock(),
        asyncio.Event(),
    )

    async def at_once() -> None:
        pass

    silent = asyncio.create_task(turns.take(lock, 0, cast(Any, answer.wait)))
    await wait_until(lambda: turns.unreachable == {0})
    await turns.take(lock, 1, at_once)
    again = asyncio.create_task(turns.take(lock, 0, cast(Any, answer.wait)))  # out of turn by now
    await asyncio.sleep(0)
    assert not lock.locked()
    answer.set()
    await asyncio.gather(silent, again)
    assert changes == [{0}, set()]


async def test_failure_and_the_end_of_the_worker_come_through() -> None:
    turns, lock = PartitionTurns(2, lambda: None), asyncio.Lock()

    async def lost() -> None:
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError):
        await turns.take(lock, 1, lost)
    assert turns.unreachable == {1}
    ended = asyncio.Event()

    async def until_ended() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(turns.take(lock, 0, until_ended))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await wait_until(ended.is_set)


async def test_a_delivery_that_waits_for_an_unreachable_partition_takes_no_capacity() -> None:
    running, waits, other = _in_flight(0), _in_flight(0), _in_flight(1)
    running.handler_started = 1.0
    unreachable = set[int]()
    capacity = Capacity(3, 1, {running, waits, other}, unreachable)
    assert capacity.free == 0
    unreachable.add(0)
    assert capacity.free == 1
    running.committing = True
    assert capacity.free == 2
    waits.abandoned = True
    assert capacity.free == 1


async def test_slots_that_were_lent_are_given_back() -> None:
    lent, most, running = 2, 0, 0
    stays = asyncio.Event()

    async def run(delivery: InFlight) -> None:
        nonlocal running, most
        if delivery.member.keys.partition == 0:
            await stays.wait()
            return
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    slots = Slots(2, run, lent=lambda: lent)
    for partition in (0, 0, *[1] * 20):
        slots.put(_in_flight(partition))
    slots.fill()
    await wait_until(lambda: not slots.queued)
    assert most == 2
    lent, most = 0, 0
    for _ in range(20):
        slots.put(_in_flight(1))
    slots.fill()
    await asyncio.sleep(0.01)
    assert len(slots.queued) == 20  # the two that are back have the slots
    stays.set()
    await wait_until(lambda: not slots.queued)
    assert most <= 2
