"""Live progress of a job: a bar on a terminal, a line for each change elsewhere. On standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

#: Percent between two lines if nothing else changes.
_STEP = 10.0
_LABELS = {"queued": "queued", "processing": "working", "metadata": "publishing"}


class Display(Protocol):
    """Shows the progress of a job."""

    def show(self, status: dict[str, Any]) -> None:
        """Show a status, as the API gives it."""

    def note(self, text: str) -> None:
        """Show another remark."""


def describe(status: dict[str, Any]) -> str:
    """Return the status in words, such as "rendering, 3 of 7 scenes rendered"."""
    stage = status.get("stage") if status["status"] == "processing" else None
    label = str(stage or status["status"])
    label = _LABELS.get(label, label)
    scenes = status.get("scenes") or {}
    if status["status"] == "processing" and scenes.get("total"):
        label += f", {scenes['rendered']} of {scenes['total']} scenes rendered"
    return label


class _Lines:
    def __init__(self) -> None:
        self._began, self._last, self._shown = monotonic(), "", -_STEP

    def show(self, status: dict[str, Any]) -> None:
        text, percent = describe(status), float(status["progress"])
        if text != self._last or percent >= self._shown + _STEP:
            self._last, self._shown = text, percent
            self.note(f"{percent:5.1f} %  {text}")

    def note(self, text: str) -> None:
        sys.stderr.write(f"[{monotonic() - self._began:6.1f} s] {text}\n")
        sys.stderr.flush()


class _Bar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=100.0)

    def show(self, status: dict[str, Any]) -> None:
        self._progress.update(self._task, completed=float(status["progress"]), description=describe(status))

    def note(self, text: str) -> None:
        self._progress.update(self._task, description=text)


@contextmanager
def display() -> Iterator[Display]:
    """Open a bar if standard error is a terminal, otherwise lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress)


@contextmanager
def counting(label: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner with the last text that the yielded function got, on a terminal only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn(label), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("")
        yield lambda text: progress.update(task, description=text)
