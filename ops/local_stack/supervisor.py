"""A small supervisor: starts child processes, restarts those that end, and stops them in order.

All children stay in the supervisor's process group, so that a signal to the group reaches them. If the supervisor dies
alone, its children end too: on Linux the kernel sends them a signal; elsewhere those that watch their standard input
see its end. SIGINT is blocked in children: Ctrl-C reaches the whole group, but the supervisor stops them in its order.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from time import monotonic
from typing import Any

import structlog
from attrs import field, frozen

from eventflow.backoff import Backoff

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.3, 15.0
#: A child that has run for so long is restarted after the first pause.
_HEALTHY_S = 30.0
#: A child that ends so often in a row without becoming ready isn't restarted.
_FAILED_STARTS = 4
_READY = b"ready"
_PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):
    """A child ended, and a restart wouldn't help."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended with exit code {code}; see its messages above or in its log")
        self.code = code


@frozen(kw_only=True)
class ChildSpec:
    """A command to run. `announces`: it prints a line that begins with "ready" to standard output once it works.

    `final_codes`: exit codes after which a restart doesn't help. `grace_s`: time to end after SIGTERM.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    announces: bool = True
    final_codes: frozenset[int] = frozenset()
    grace_s: float = 40.0
    orphan_signal: signal.Signals = signal.SIGTERM
    pass_fds: tuple[int, ...] = ()


class Child:
    """Successive processes of one spec. `errors`: descriptor for their standard error.

    `ready` gets the rest of the first announcement; `task` ends with `stop`, or fails with ChildFailed or OSError if a
    restart wouldn't help.
    """

    def __init__(self, spec: ChildSpec, *, errors: int | None = None) -> None:
        self.spec, self._errors = spec, errors
        self.ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.process: Process | None = None
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger().bind(child=spec.name)
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        failures = 0
        backoff = Backoff(first_s=_FIRST_PAUSE_S, longest_s=_LONGEST_PAUSE_S, random=Random())  # noqa: S311 - jitter
        while not self._stopping.is_set():
            began = monotonic()
            code = await self._once()
            if self._stopping.is_set():
                return
            failures = 0 if self.ready.done() else failures + 1
            if code in self.spec.final_codes or failures >= _FAILED_STARTS:
                raise ChildFailed(self.spec.name, code)
            if monotonic() - began > _HEALTHY_S:
                backoff.reset()
            pause_s = backoff.next_s()
            self._log.warning("child ended; starting it again", code=code, pause_s=round(pause_s, 3))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _once(self) -> int:
        self.process = process = await asyncio.create_subprocess_exec(
            *self.spec.argv,
            stdin=PIPE,  # never written to: it ends with the supervisor
            stdout=PIPE if self.spec.announces else DEVNULL,
            stderr=self._errors,
            env=self.spec.environment,
            pass_fds=self.spec.pass_fds,
            preexec_fn=child_setup(self.spec.orphan_signal),
        )
        if self._stopping.is_set():
            self._send(signal.SIGTERM)
        if process.stdout is not None:
            async for line in process.stdout:
                word, _, rest = line.strip().partition(b" ")
                if word == _READY:
                    self.is_ready(rest.decode(errors="replace"))
        return await process.wait()

    def is_ready(self, announcement: str = "") -> None:
        """Note that the child works; only the first announcement counts."""
        if not self.ready.done():
            self.ready.set_result(announcement)

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after the grace time. Doesn't raise the error of `task`."""
        self._stopping.set()
        self._send(signal.SIGTERM)
        _, late = await asyncio.wait([self.task], timeout=self.spec.grace_s)
        if late:
            self._log.warning("child didn't stop in time; killed", grace_s=self.spec.grace_s)
            self.kill()
            await asyncio.wait([self.task])

    def kill(self) -> None:
        """Send SIGKILL, and don't restart."""
        self._stopping.set()
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)


def child_setup(orphan_signal: signal.Signals) -> Callable[[], None]:
    """Return the function that a child runs between fork and exec; allocations and imports happen before the fork."""
    prctl: Any = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent, number, interrupts = os.getpid(), int(orphan_signal), frozenset({signal.SIGINT})

    def setup() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != parent:  # the parent died before the request for the signal
                os._exit(1)

    return setup


async def first_of(*futures: asyncio.Future[Any]) -> None:
    """Wait until one of `futures` is done; cancels none."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def when_orphaned(action: Callable[[], None]) -> None:
    """Call `action` when standard input ends; in a child that means that the supervisor has died."""
    loop, fd = asyncio.get_running_loop(), sys.stdin.fileno()

    def readable() -> None:
        if not os.read(fd, 1024):
            loop.remove_reader(fd)
            action()

    loop.add_reader(fd, readable)
