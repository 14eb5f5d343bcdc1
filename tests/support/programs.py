"""The `eventflow` command as real processes, each in a process group of its own that its test ends, come what may."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from signal import Signals
from typing import Any

import psutil
from attrs import define, field, frozen

from tests.support.command_server import CommandServer
from tests.support.waiting import wait_until_sync

#: As generous as a loaded machine of two cores may need.
START_S = 60.0
END_S = 60.0
#: What runs for long and has children: only ever as it is deployed.
SERVICES = frozenset({"up", "web", "worker", "demo", "dev"})


@frozen
class Finished:
    code: int
    out: str
    err: str


@define(eq=False)
class Program:
    """A started command. What it prints goes to files, so that nobody has to read along."""

    process: subprocess.Popen[bytes]
    folder: Path
    name: str

    @property
    def out(self) -> str:
        return (self.folder / f"{self.name}.out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / f"{self.name}.err").read_text()

    def ready_url(self) -> str:
        """What `up` and `web` print once they serve."""

        def line() -> str | None:
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}: {self.err}"
            return next((text for text in self.out.splitlines() if text.startswith("ready ")), None)

        return wait_until_sync(line, START_S, what="ready").removeprefix("ready ")

    def signal(self, number: Signals) -> None:
        """To the process itself."""
        self.process.send_signal(number)

    def signal_group(self, number: Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def wait(self, timeout_s: float = END_S) -> Finished:
        return Finished(self.process.wait(timeout_s), self.out, self.err)

    def members(self) -> list[psutil.Process]:
        """The living processes of its group, itself included."""
        return [p for p in psutil.process_iter() if _group_of(p.pid) == self.process.pid and _lives(p)]

    def member(self, *words: str) -> psutil.Process:
        """The one process of the group whose command line has all `words`."""
        found = [p for p in self.members() if all(word in " ".join(p.cmdline()) for word in words)]
        assert len(found) == 1, f"{words}: {found}"
        return found[0]

    def end(self) -> None:
        self.signal_group(Signals.SIGKILL)
        self.process.wait(END_S)
        wait_until_sync(lambda: not self.members(), END_S, what="the end of the process group")


@define
class Programs:
    """Starts commands in `folder`, without the settings and the stacks of this machine; short ones by `server`."""

    folder: Path
    environment: Mapping[str, str] = field(factory=dict)
    server: CommandServer | None = None
    started: list[Program] = field(factory=list)
    _asked: Iterator[int] = field(factory=count)

    def start(self, *arguments: str, within: Any = list[str], **settings: str) -> Program:
        """`eventflow *arguments` with `settings` such as EVENTFLOW_PORT="0". `within` turns the command into
        the one that is run."""
        name = f"{len(self.started)}-{arguments[0]}"
        with (self.folder / f"{name}.out").open("wb") as out, (self.folder / f"{name}.err").open("wb") as err:
            process = subprocess.Popen(
                within([sys.executable, "-P", "-m", "ops.cli", *arguments]),
                cwd=self.folder,
                env=self._environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        program = Program(process, self.folder, name)
        self.started.append(program)
        return program

    def run(self, *arguments: str, **settings: str) -> Finished:
        if self.server is None or arguments[0] in SERVICES:
            return self.start(*arguments, **settings).wait()
        number = next(self._asked)
        out, err = (self.folder / f"command-{number}.{kind}" for kind in ("out", "err"))
        code = self.server.run(arguments, self._environment(settings), self.folder, (out, err), END_S)
        return Finished(code, out.read_text(), err.read_text())

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("EVENTFLOW_", "AWS_"))}
        own = {"AWS_EC2_METADATA_DISABLED": "true", "XDG_STATE_HOME": str(self.folder / "state")}
        return {**kept, **own, **self.environment, **settings}


@contextmanager
def programs_in(folder: Path, server: CommandServer | None = None) -> Iterator[Programs]:
    programs = Programs(folder, server=server)
    try:
        yield programs
    finally:
        for program in programs.started:
            program.end()


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
