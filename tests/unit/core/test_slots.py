"""Slots: what is in line gets one, whoever has taken the last."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from eventflow.runtime.held import Held
from eventflow.runtime.slots import Slots


async def test_delivery_that_came_while_one_ran_beyond_the_slots_gets_the_slot_after_it() -> None:
    began, go_on = list[str](), asyncio.Event()

    async def run(held: Held) -> None:
        began.append(str(held.delivery))
        if held.delivery == cast("Any", "beyond"):
            await go_on.wait()

    slots = Slots(1, run)
    slots.run_beyond(_held("beyond"))
    await asyncio.sleep(0)
    slots.put(_held("next"))
    slots.open()
    go_on.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert began == ["beyond", "next"]


def _held(name: str) -> Held:
    return Held(cast("Any", None), cast("Any", name))
