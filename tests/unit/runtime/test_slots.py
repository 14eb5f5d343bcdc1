"""The queue and its slots."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from eventflow.runtime.slots import InFlight, Slots


def in_flight() -> InFlight:
    return InFlight(member=cast(Any, None), delivery=cast(Any, None))


async def test_what_comes_as_a_slot_closes_finds_it_free() -> None:
    """A slot that has seen the queue empty is over at once, not only when the loop reports its end."""
    ran: list[InFlight] = []

    async def run(one: InFlight) -> None:
        ran.append(one)

    slots = Slots(1, run)
    for _ in range(2):
        slots.put(in_flight())
        slots.fill()
        await asyncio.sleep(0)  # the slot has run; nothing has been told of its end yet
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(ran) == 2
    assert slots.queued == ()


async def test_no_more_run_than_there_are_slots() -> None:
    go, running, most = asyncio.Event(), 0, 0

    async def run(_: InFlight) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1

    slots = Slots(3, run)
    for _ in range(8):
        slots.put(in_flight())
    slots.fill()
    for _ in range(20):
        await asyncio.sleep(0)
    assert (running, len(slots.queued)) == (3, 5)
    go.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert (running, most, slots.queued) == (0, 3, ())


async def test_steps_that_do_not_wait_share_one_slot() -> None:
    tasks = set()

    async def run(_: InFlight) -> None:
        tasks.add(asyncio.current_task())

    slots = Slots(8, run)
    for _ in range(20):
        slots.put(in_flight())
    slots.fill()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(tasks) == 1


async def test_delivery_that_came_while_one_ran_beyond_the_slots_gets_the_slot_after_it() -> None:
    began, go_on = list[str](), asyncio.Event()

    async def run(delivery: InFlight) -> None:
        began.append(str(delivery.delivery))
        if delivery.delivery == cast("Any", "beyond"):
            await go_on.wait()

    slots = Slots(1, run)
    slots.run_at_once(_named("beyond"))
    await asyncio.sleep(0)
    slots.put(_named("next"))
    slots.fill()
    go_on.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert began == ["beyond", "next"]


def _named(name: str) -> InFlight:
    return InFlight(member=cast("Any", None), delivery=cast("Any", name))
