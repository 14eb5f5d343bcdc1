"""Inject the scheduled faults into a stack, and remove each; afterwards everything runs again."""

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
from ops.chaos.stack_under_test import StackUnderTest

#: Part of every commit's script call, by which the proxy knows the answer to cut off.
_COMMIT = b"settle"
_LOG = structlog.get_logger()


@frozen(kw_only=True)
class Done:
    """A fault as it happened, `at_s` seconds after the start of the storm."""

    at_s: float
    lasted_s: float
    kind: FaultKind
    target: str


class Storm:
    """Injects faults; `done` lists those so far."""

    def __init__(self, stack: StackUnderTest, workspace: ObjectStore, lanes: Sequence[Sequence[Fault]]) -> None:
        """`workspace` is that store without a proxy in between."""
        self._stack, self._workspace, self._lanes = stack, workspace, lanes
        self._began = monotonic()
        self._seconds = max((fault.at_s + fault.lasts_s for lane in lanes for fault in lane), default=0.0)
        self.done: list[Done] = []

    async def run(self) -> None:
        """Run all lanes in parallel; a lane that is late, because restarts take long, ends with the others.

        Raises ChaosError if a process doesn't restart.
        """
        self._began = monotonic()
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._follow(lane))
        self._stack.heal()

    async def _follow(self, lane: Sequence[Fault]) -> None:
        for fault in lane:
            if monotonic() > self._began + self._seconds:
                return
            await asyncio.sleep(self._began + fault.at_s - monotonic())
            began = monotonic()
            target = await self._inject(fault)
            at_s, lasted_s = round(began - self._began, 3), round(monotonic() - began, 3)
            done = Done(at_s=at_s, lasted_s=lasted_s, kind=fault.kind, target=target)
            self.done.append(done)
            _LOG.info("fault", kind=done.kind.value, target=target, at_s=done.at_s, lasted_s=done.lasted_s)

    async def _inject(self, fault: Fault) -> str:
        """Inject a fault and remove it again; returns its target."""
        stack, kinds = self._stack, FaultKind
        member = stack.workers[fault.target % len(stack.workers)]
        match fault.kind:
            case kinds.KILL:
                await _restart(member.program)
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
                return await self._inject_elsewhere(fault)
        return member.program.name

    async def _inject_elsewhere(self, fault: Fault) -> str:
        stack, store, kinds = self._stack, self._stack.store_proxy, FaultKind
        match fault.kind:
            case kinds.KILL_WEB:
                if stack.web is not None:
                    await _restart(stack.web)
                return "web"
            case kinds.CUT:
                for proxy in stack.log_proxies:
                    proxy.cut()
                return "server"
            case kinds.CRASH:
                await stack.server_program.kill()
                await asyncio.sleep(fault.lasts_s)
                await stack.start_server()
                return "server"
            case kinds.STORE_REFUSES:
                await _for_a_while(store, store.refuse, fault.lasts_s)
            case kinds.STORE_HANGS:
                await _for_a_while(store, store.hang, fault.lasts_s)
            case kinds.STORE_SLOW:
                await _for_a_while(store, store.crawl, fault.lasts_s)
            case _:
                return await self._inject_into_workspace(fault)
        return "store"

    async def _inject_into_workspace(self, fault: Fault) -> str:
        proxy, kinds = self._stack.workspace_proxy, FaultKind
        match fault.kind:
            case kinds.WORKSPACE_REFUSES:
                await _for_a_while(proxy, proxy.refuse, fault.lasts_s)
            case kinds.WORKSPACE_HANGS:
                await _for_a_while(proxy, proxy.hang, fault.lasts_s)
            case kinds.LOSE_FILE:  # the newest is the one that a step is about to read
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


async def _restart(program: Program) -> None:
    await program.kill()
    await program.start()
