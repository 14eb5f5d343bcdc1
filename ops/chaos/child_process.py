"""Processes that are killed, paused and restarted on purpose, and that never outlive this one."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from ops.local_stack.supervisor import child_setup

#: Enough for a busy machine with two cores that starts ten processes at once.
START_S, END_S = 180.0, 60.0
_READY = "ready"


class ChaosError(Exception):
    """The run itself can't continue; the message says why, and where to look."""


@define(eq=False, kw_only=True)
class Program:
    """A command that is started repeatedly. `announces`: it prints a line that begins with "ready" once it works."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    announces: bool = True
    starts: int = 0
    announced: str = ""
    pids: list[int] = field(factory=list)
    process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start the process and wait until it announces that it is ready. Raises ChaosError."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=PIPE,  # never written to: it ends with the parent, where the kernel sends no signal for that
                stdout=PIPE if self.announces else DEVNULL,
                stderr=log,
                env=self.environment,
                preexec_fn=child_setup(signal.SIGKILL),
            )
        self.starts += 1
        self.pids.append(self.process.pid)
        if self.announces:
            await self._until_ready()

    async def _until_ready(self) -> None:
        stdout = self.process.stdout if self.process else None
        try:
            async with asyncio.timeout(START_S):
                while stdout is not None and (line := await stdout.readline()):
                    word, _, rest = line.decode(errors="replace").strip().partition(" ")
                    if word == _READY:
                        self.announced = rest
                        return
        except TimeoutError:
            raise ChaosError(f"{self.name} isn't ready after {START_S:g} s; see {self.log}") from None
        raise ChaosError(f"{self.name} ended while it started; see {self.log}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal. Not by Popen, whose poll would take the exit code away from asyncio."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """Send SIGKILL, like a crash, and wait for the end."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()

    async def stop(self) -> int:
        """Send SIGTERM and return the exit code. Raises ChaosError if the process doesn't end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self.process is None:
            return 0
        try:
            async with asyncio.timeout(END_S):
                return await self.process.wait()
        except TimeoutError:
            raise ChaosError(f"{self.name} hasn't ended {END_S:g} s after SIGTERM; see {self.log}") from None


def free_port() -> int:
    """Return a free port outside the ephemeral range: an outgoing connection could take such a one during a restart."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def plain_environment() -> dict[str, str]:
    """Return the environment of this process without its EVENTFLOW_* and AWS_* variables."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EVENTFLOW_", "AWS_"))}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true"}
