"""Does the scheduled faults to a site, and undoes each; afterwards everything runs again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from time import monotonic

import structlog
from attrs import frozen

from ops.chaos.process import Program
from ops.chaos.schedule import Fault, FaultKind
from ops.chaos.site import Member, Site

#: In the text of every commit's script call: its answer is the one that gets lost.
_COMMIT = b"settle"
_SLOW_S = 0.05

_LOG = structlog.get_logger()


@frozen
class Done:
    """A fault as it happened; `at_s` seconds after the storm's beginning."""

    at_s: float
    lasted_s: float
    kind: FaultKind
    target: str


class Storm:
    """`done` are the faults so far."""

    def __init__(self, site: Site, lanes: Sequence[Sequence[Fault]]) -> None:
        self._site, self._lanes = site, lanes
        self._began = monotonic()
        self.done: list[Done] = []

    async def rage(self) -> None:
        """All lanes side by side. Raises ChaosError where a process doesn't come back."""
        self._began = monotonic()
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._follow(lane))
        self._site.heal()

    async def _follow(self, lane: Sequence[Fault]) -> None:
        for fault in lane:
            await asyncio.sleep(self._began + fault.at_s - monotonic())
            began = monotonic()
            target = await self._do(fault)
            done = Done(round(began - self._began, 3), round(monotonic() - began, 3), fault.kind, target)
            self.done.append(done)
            _LOG.info("fault", kind=done.kind.value, target=target, at_s=done.at_s, lasted_s=done.lasted_s)

    async def _do(self, fault: Fault) -> str:
        """Returns what it was done to."""
        site, kind = self._site, fault.kind
        member = site.workers[fault.target % len(site.workers)]
        if kind in (FaultKind.KILL, FaultKind.PAUSE, FaultKind.ISOLATE, FaultKind.LOSE_ANSWER):
            await self._to_worker(kind, member, fault.lasts_s)
            return member.program.name
        if kind is FaultKind.KILL_WEB and site.web is not None:
            await _restarted(site.web)
            return site.web.name
        if kind in (FaultKind.CUT, FaultKind.CRASH):
            if kind is FaultKind.CUT:
                for proxy in site.log_proxies:
                    proxy.cut()
            else:
                await site.server_program.kill()
                await asyncio.sleep(fault.lasts_s)
                await site.start_server()
            return site.server_program.name
        await self._to_store(kind, fault.lasts_s)
        return "store"

    async def _to_worker(self, kind: FaultKind, member: Member, lasts_s: float) -> None:
        program, proxy = member.program, member.proxy
        if kind is FaultKind.KILL:
            await _restarted(program)
        elif kind is FaultKind.PAUSE:
            program.signal(signal.SIGSTOP)
            await asyncio.sleep(lasts_s)
            program.signal(signal.SIGCONT)
        elif kind is FaultKind.ISOLATE:
            proxy.refuse()
            await asyncio.sleep(lasts_s)
            proxy.heal()
        else:
            proxy.lose(_COMMIT)

    async def _to_store(self, kind: FaultKind, lasts_s: float) -> None:
        proxy = self._site.store_proxy
        if kind is FaultKind.STORE_REFUSES:
            proxy.refuse()
        elif kind is FaultKind.STORE_HANGS:
            proxy.hang()
        else:
            proxy.slow_s = _SLOW_S
        await asyncio.sleep(lasts_s)
        proxy.heal()


async def _restarted(program: Program) -> None:
    await program.kill()
    await program.start()
