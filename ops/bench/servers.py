"""Server processes that a benchmark asks: each on uvloop, tuned as `eventflow serve` is."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from eventflow.runtime.process import tune_process


@contextmanager
def process(target: Any, argument: Any) -> Iterator[int]:
    """A server process; yields its port."""
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


async def until_told(port: int, pipe: Connection) -> None:
    pipe.send(port)
    await asyncio.to_thread(pipe.recv)


def run_loop(coroutine: Any) -> None:
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)
