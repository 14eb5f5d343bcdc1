"""Turns over partitions, and the room that is left while one of them is away."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from eventflow.runtime.slots import Capacity, InFlight, PartitionTurns, Slots
from tests.support.waiting import wait_until


def _held(partition: int) -> InFlight:
    return InFlight(cast(Any, SimpleNamespace(keys=SimpleNamespace(partition=partition))), cast(Any, None))


async def test_one_at_a_time_as_long_as_all_answer() -> None:
    turns, line, running, most = PartitionTurns(3, lambda: None), asyncio.Lock(), 0, 0

    async def action() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return 7

    assert await asyncio.gather(*(turns.take(line, number % 3, action) for number in range(9))) == [7] * 9
    assert (most, turns.away) == (1, set())


async def test_who_is_not_answered_is_not_waited_for_until_it_is_again() -> None:
    changes: list[set[int]] = []
    turns, line, answer = (
        PartitionTurns(2, lambda: changes.append(set(turns.away)), patience_s=0.01),
        asyncio.Lock(),
        asyncio.Event(),
    )

    async def at_once() -> None:
        pass

    silent = asyncio.create_task(turns.take(line, 0, cast(Any, answer.wait)))
    await wait_until(lambda: turns.away == {0})
    await turns.take(line, 1, at_once)
    again = asyncio.create_task(turns.take(line, 0, cast(Any, answer.wait)))  # out of turn by now
    await asyncio.sleep(0)
    assert not line.locked()
    answer.set()
    await asyncio.gather(silent, again)
    assert changes == [{0}, set()]


async def test_failure_and_the_end_of_the_worker_come_through() -> None:
    turns, line = PartitionTurns(2, lambda: None), asyncio.Lock()

    async def lost() -> None:
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError):
        await turns.take(line, 1, lost)
    assert turns.away == {1}
    ended = asyncio.Event()

    async def until_ended() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(turns.take(line, 0, until_ended))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await wait_until(ended.is_set)


async def test_what_waits_for_a_partition_that_is_away_takes_no_room() -> None:
    at_work, waits, other = _held(0), _held(0), _held(1)
    at_work.began = 1.0
    held, away = {at_work, waits, other}, set[int]()
    room = Capacity(3, 1, held, away)
    assert room.free == 0
    away.add(0)
    assert room.free == 1
    at_work.committing = True
    assert room.free == 2
    waits.given_up = True
    assert room.free == 1


async def test_slots_that_were_lent_are_given_back() -> None:
    lent, most, running = 2, 0, 0
    stays = asyncio.Event()

    async def run(held: InFlight) -> None:
        nonlocal running, most
        if held.member.keys.partition == 0:
            await stays.wait()
            return
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    slots = Slots(2, run, lent=lambda: lent)
    for partition in (0, 0, *[1] * 20):
        slots.put(_held(partition))
    slots.open()
    await wait_until(lambda: not slots.line)
    assert most == 2
    lent, most = 0, 0
    for _ in range(20):
        slots.put(_held(1))
    slots.open()
    await asyncio.sleep(0.01)
    assert len(slots.line) == 20  # the two that are back have the slots
    stays.set()
    await wait_until(lambda: not slots.line)
    assert most <= 2
