"""Progress of a long command on standard error: a bar on a terminal, a line every two seconds elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_S = 2.0

#: Takes (number done, total; None if unknown).
Step = Callable[[int, int | None], None]


@contextmanager
def steps(label: str) -> Iterator[Step]:
    """Show the progress of `label`, such as "segments"; yields the function to call after every step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(label)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(label: str) -> Step:
    shown_at = monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal shown_at
        if done == total or monotonic() - shown_at >= _LINE_EVERY_S:
            shown_at = monotonic()
            sys.stderr.write(f"{label}: {done}{'' if total is None else f' of {total}'}\n")
            sys.stderr.flush()

    return show
