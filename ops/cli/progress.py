"""Progress of a long command: a bar on a terminal, a line now and then elsewhere. On standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_S = 2.0

#: (how many are done, of how many; None where that isn't known).
Step = Callable[[int, int | None], None]


@contextmanager
def steps(what: str) -> Iterator[Step]:
    """To be told of every step of `what`, such as "segments"."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(what: str) -> Step:
    shown_at = monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal shown_at
        if done == total or monotonic() - shown_at >= _LINE_EVERY_S:
            shown_at = monotonic()
            sys.stderr.write(f"{what}: {done}{'' if total is None else f' of {total}'}\n")
            sys.stderr.flush()

    return show
