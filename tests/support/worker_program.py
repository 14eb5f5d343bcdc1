"""A worker process for tests: `python -m tests.support.worker_program URL PREFIX JOURNAL BEHAVIOUR [options]`.

It writes a line `PID EVENT_TYPE SCENE WORD` to the journal when a handler begins, is told to stop and ends.
`worker_process` starts one that a fixture ends whatever happens.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, frozen

from eventflow.log.consumer import Delivery
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.leases import StepLimits
from eventflow.runtime.process import end_at_once
from eventflow.runtime.retry_policy import GenerationError, RetryPolicy
from eventflow.runtime.watchdog import Pulse, watched
from eventflow.storage import LocalStore
from eventflow.telemetry.logs import configure_logs
from handlers.workspace import Workspace
from tests.support.log_server import dies_with_parent
from tests.support.runtime import QUICK, Chain, open_space, scenes_group, utc_now, working

ROOT = Path(__file__).parents[2]


@frozen
class Behaviour:
    """What the handlers do. `seconds` is how long they take."""

    journal: Path
    seconds: float
    store: Path | None

    def note(self, reaction: StepContext, word: str) -> None:
        scene = getattr(reaction.event, "scene", "-")
        line = f"{os.getpid()} {reaction.envelope.type} {scene} {word}\n"
        with self.journal.open("ab", buffering=0) as file:
            file.write(line.encode())

    async def slow(self, reaction: StepContext) -> None:
        """Work in a thread that keeps its product in a store at the end, in a scratch folder until then."""
        self.note(reaction, "begin")
        with contextlib.ExitStack() as stack:
            if self.store is not None:
                store = LocalStore(self.store, now=utc_now)
                workspace = Workspace(store, self.store.parent / "scratch")
                folder = stack.enter_context(workspace.folder(reaction.job_id))
                product = folder / "product.bin"
                product.write_text(f"made by {os.getpid()}")
            await reaction.in_thread(self._work, reaction)
            if self.store is not None:
                await workspace.put(reaction.job_id, product, "application/octet-stream")
        self.note(reaction, "end")

    def _work(self, reaction: StepContext) -> None:
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            if reaction.should_stop():
                self.note(reaction, "stopped")
                return
            time.sleep(0.01)

    async def deadly(self, reaction: StepContext) -> None:
        """The worker dies of this work."""
        self.note(reaction, "begin")
        os.kill(os.getpid(), signal.SIGKILL)

    async def stubborn(self, reaction: StepContext) -> None:
        """Work in a thread that never asks whether it should stop."""
        self.note(reaction, "begin")
        await reaction.in_thread(time.sleep, self.seconds)
        self.note(reaction, "end")

    async def blocking(self, reaction: StepContext) -> None:
        """The event loop stands still."""
        self.note(reaction, "begin")
        time.sleep(self.seconds)
        self.note(reaction, "end")

    async def failing(self, reaction: StepContext) -> None:
        """It never works."""
        self.note(reaction, "begin")
        raise GenerationError("broken", "it never works")

    async def chain(self, reaction: StepContext) -> None:
        self.note(reaction, "begin")
        await asyncio.sleep(self.seconds)


def groups_of(name: str, behaviour: Behaviour) -> Sequence[Group]:
    if name == "chain":
        return Chain(behaviour.chain).groups
    return [scenes_group(getattr(behaviour, name))]


async def never_read(most: int) -> list[Delivery]:
    await asyncio.Event().wait()
    return []


async def main(arguments: argparse.Namespace) -> None:
    configure_logs()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    behaviour = Behaviour(Path(arguments.journal), arguments.seconds, arguments.store)
    pulse = Pulse(arguments.watchdog)
    options: dict[str, Any] = {"concurrency": arguments.concurrency, "lease_s": arguments.lease}
    limits = StepLimits(arguments.limit, patience_s=arguments.limit)
    options |= {"most_in_progress": arguments.in_progress}
    options |= {"drain_s": arguments.drain, "limits": limits, "pulse": pulse}
    options |= {"retry": RetryPolicy(arguments.retry, cap_s=3_600)}
    async with contextlib.AsyncExitStack() as stack:
        space = await stack.enter_async_context(open_space(arguments.url, arguments.prefix, arguments.partitions))
        groups = groups_of(arguments.behaviour, behaviour)
        workers = [await stack.enter_async_context(working(space, group, **options)) for group in groups]
        if arguments.deaf:
            for running in workers:
                running.member.read = never_read  # type: ignore[method-assign]
        stack.enter_context(watched(pulse, lambda loops: end_at_once(f"stuck: {loops}", 1), period_s=0.1))
        print("ready", flush=True)
        runs = asyncio.gather(*(running.task for running in workers))
        ends: list[asyncio.Future[Any]] = [asyncio.create_task(stop.wait()), runs]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(worker.stop() for worker in workers))
        if any(running.worker.stuck for running in workers):
            end_at_once("steps ignore their end", 1)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("url", "prefix", "journal", "behaviour"):
        parser.add_argument(name)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--lease", type=float, default=1.0)
    parser.add_argument("--retry", type=float, default=QUICK.base_s, help="pause before the first retry")
    parser.add_argument("--drain", type=float, default=5.0)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--in-progress", type=int, default=0, help="most jobs in progress; 0 for no limit")
    parser.add_argument("--limit", type=float, default=3_600.0, help="of a step; as long again for its clean-up")
    parser.add_argument("--watchdog", type=float, default=3_600.0)
    parser.add_argument("--deaf", action="store_true", help="reads that never come back")
    return parser.parse_args()


@define
class Journal:
    path: Path

    def lines(self) -> list[tuple[int, str, str, str]]:
        """(pid, event type, scene, word) in the order in which they were written."""
        if not self.path.exists():
            return []
        rows = [line.split() for line in self.path.read_text().splitlines()]
        return [(int(pid), kind, scene, word) for pid, kind, scene, word in rows]

    def words(self, word: str) -> list[tuple[int, str]]:
        """(pid, scene) of the lines with `word`."""
        return [(pid, scene) for pid, _, scene, w in self.lines() if w == word]


@define
class WorkerProcess:
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Drain and end, as SIGTERM does; returns the exit code."""
        self.process.terminate()
        return self.process.wait(30)


@contextlib.contextmanager
def worker_process(url: str, prefix: str, journal: Path, behaviour: str, *options: str) -> Iterator[WorkerProcess]:
    """A running worker, killed at the end (a stopped one too)."""
    command = [sys.executable, "-m", "tests.support.worker_program", url, prefix, str(journal), behaviour, *options]
    with tempfile.NamedTemporaryFile(suffix=".log", dir=journal.parent, delete=False) as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, preexec_fn=dies_with_parent)
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the worker didn't start: {Path(log.name).read_text()[-2000:]}")
        yield WorkerProcess(process, Path(log.name))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(main(parse()))
