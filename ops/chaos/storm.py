"""Does the scheduled faults to a site, and undoes each; afterwards everything runs again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from time import monotonic

import structlog
from attrs import frozen

from eventflow.storage import ObjectStore
from ops.chaos.child_process import Program
from ops.chaos.proxy import Proxy
from ops.chaos.schedule import Fault, FaultKind
from ops.chaos.stack_under_test import Site

#: In the text of every commit's script call: its answer is the one that gets lost.
_COMMIT = b"settle"
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

    def __init__(self, site: Site, workspace: ObjectStore, lanes: Sequence[Sequence[Fault]]) -> None:
        """`workspace` is a way to that store past every proxy."""
        self._site, self._workspace, self._lanes = site, workspace, lanes
        self._began = monotonic()
        self._seconds = max((fault.at_s + fault.lasts_s for lane in lanes for fault in lane), default=0.0)
        self.done: list[Done] = []

    async def rage(self) -> None:
        """All lanes side by side; one that is late, because processes take long to start again, ends with the others.

        Raises ChaosError where a process doesn't come back.
        """
        self._began = monotonic()
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._follow(lane))
        self._site.heal()

    async def _follow(self, lane: Sequence[Fault]) -> None:
        for fault in lane:
            if monotonic() > self._began + self._seconds:
                return
            await asyncio.sleep(self._began + fault.at_s - monotonic())
            began = monotonic()
            target = await self._do(fault)
            done = Done(round(began - self._began, 3), round(monotonic() - began, 3), fault.kind, target)
            self.done.append(done)
            _LOG.info("fault", kind=done.kind.value, target=target, at_s=done.at_s, lasted_s=done.lasted_s)

    async def _do(self, fault: Fault) -> str:
        """Returns what it was done to."""
        site, kinds = self._site, FaultKind
        member = site.workers[fault.target % len(site.workers)]
        match fault.kind:
            case kinds.KILL:
                await _restarted(member.program)
            case kinds.PAUSE:
                member.program.signal(signal.SIGSTOP)
                await asyncio.sleep(fault.lasts_s)
                member.program.signal(signal.SIGCONT)
            case kinds.ISOLATE:
                await _for_a_while(member.proxy, member.proxy.refuse, fault.lasts_s)
            case kinds.SILENCE:
                await _for_a_while(member.proxy, member.proxy.hang, fault.lasts_s)
            case kinds.LOSE_ANSWER:
                member.proxy.lose(_COMMIT)
            case _:
                return await self._to_others(fault)
        return member.program.name

    async def _to_others(self, fault: Fault) -> str:
        site, store, kinds = self._site, self._site.store_proxy, FaultKind
        match fault.kind:
            case kinds.KILL_WEB:
                if site.web is not None:
                    await _restarted(site.web)
                return "web"
            case kinds.CUT:
                for proxy in site.log_proxies:
                    proxy.cut()
                return "server"
            case kinds.CRASH:
                await site.server_program.kill()
                await asyncio.sleep(fault.lasts_s)
                await site.start_server()
                return "server"
            case kinds.STORE_REFUSES:
                await _for_a_while(store, store.refuse, fault.lasts_s)
            case kinds.STORE_HANGS:
                await _for_a_while(store, store.hang, fault.lasts_s)
            case kinds.STORE_SLOW:
                await _for_a_while(store, store.crawl, fault.lasts_s)
            case _:
                return await self._to_workspace(fault)
        return "store"

    async def _to_workspace(self, fault: Fault) -> str:
        proxy, kinds = self._site.workspace_proxy, FaultKind
        match fault.kind:
            case kinds.WORKSPACE_REFUSES:
                await _for_a_while(proxy, proxy.refuse, fault.lasts_s)
            case kinds.WORKSPACE_HANGS:
                await _for_a_while(proxy, proxy.hang, fault.lasts_s)
            case kinds.LOSE_FILE:  # the newest is the one that somebody is about to ask for
                files = [info async for info in self._workspace.list("jobs/")]
                if not files:
                    return "workspace, which is empty"
                newest = max(files, key=lambda info: info.modified_at)
                await self._workspace.delete(newest.key)
                return newest.key
        return "workspace"


async def _for_a_while(proxy: Proxy, fault: Callable[[], None], lasts_s: float) -> None:
    fault()
    await asyncio.sleep(lasts_s)
    proxy.heal()


async def _restarted(program: Program) -> None:
    await program.kill()
    await program.start()
