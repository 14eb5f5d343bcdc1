"""A file that a thread opens for a task that has gone meanwhile is closed all the same."""

import asyncio
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from eventflow.storage.files import open_in_thread

_GENEROUS_S = 30


class SlowFile:
    """Opens `path` in the thread once it is released."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.asked_for, self.released, self.is_open = threading.Event(), threading.Event(), threading.Event()
        self.opened: list[BinaryIO] = []

    def open(self) -> BinaryIO:
        self.asked_for.set()
        assert self.released.wait(_GENEROUS_S)
        self.opened.append(self._path.open("rb"))
        self.is_open.set()
        return self.opened[0]


@pytest.fixture
def file(tmp_path: Path) -> SlowFile:
    (tmp_path / "file").write_bytes(b"data")
    return SlowFile(tmp_path / "file")


async def opening(file: SlowFile) -> BinaryIO:
    return await open_in_thread(file.open, undo=lambda file: file.close())


async def test_what_is_opened_for_a_cancelled_task_is_closed(file: SlowFile) -> None:
    task = asyncio.create_task(opening(file))
    assert await asyncio.to_thread(file.asked_for.wait, _GENEROUS_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    file.released.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert file.opened[0].closed


async def test_what_was_opened_just_before_the_task_was_cancelled_is_closed(file: SlowFile) -> None:
    file.released.set()
    task = asyncio.create_task(opening(file))
    await asyncio.sleep(0)  # the thread is at work, and its answer waits for this task to give way
    assert file.is_open.wait(_GENEROUS_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.get_running_loop().shutdown_default_executor()
    assert file.opened[0].closed


def test_what_is_opened_while_the_event_loop_ends_is_closed(file: SlowFile) -> None:
    async def leave_it_behind() -> None:
        task = asyncio.create_task(opening(file))
        assert await asyncio.to_thread(file.asked_for.wait, _GENEROUS_S)
        task.add_done_callback(lambda _: file.released.set())

    asyncio.run(leave_it_behind())
    assert file.opened[0].closed
