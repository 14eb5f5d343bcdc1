"""The journal of what workers do, kept outside the server: one append-only file per worker process.

A line is written with one write() to a file opened with O_APPEND: it survives SIGKILL of its writer. `what` is
    delivered   an entry came into this process's hands (stream, entry, count)
    begin, end  a handler is about to have its side effects, has had them; `raised` and `stopped` end it otherwise
    committed   the log has taken a commit under the claim of an entry (version of the job after it)
    settled     the same, and the entry was let go of with it
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from time import monotonic_ns

import orjson
from attrs import asdict, frozen

from eventflow.log.commit import Claim


@frozen
class Line:
    """`event` is the id of the event that is reacted to, `<job>.<seq>`; `at_ns` is the machine's monotonic clock."""

    what: str
    pid: int
    at_ns: int
    job: str = ""
    event: str = ""
    step: str = ""
    scene: int | None = None
    run: int = 0
    stream: str = ""
    entry: str = ""
    count: int = 0
    version: int = 0


class Journal:
    """Appends lines to a file of this process's own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._pid = os.getpid()
        self._fd = os.open(folder / f"{self._pid}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, claim: Claim | None = None, **about: object) -> None:
        line: dict[str, object] = {"what": what, "pid": self._pid, "at_ns": monotonic_ns(), **about}
        if claim is not None:
            line |= {"stream": claim.stream, "entry": claim.entry_id, "count": claim.count}
        os.write(self._fd, orjson.dumps(line) + b"\n")


def read_journal(folder: Path) -> list[Line]:
    """All lines of all processes, oldest first. Raises ValueError for one that is none."""
    lines = [Line(**orjson.loads(raw)) for path in folder.glob("*.jsonl") for raw in _whole_lines(path)]
    return sorted(lines, key=lambda line: line.at_ns)


def _whole_lines(path: Path) -> Iterable[bytes]:
    return [raw for raw in path.read_bytes().split(b"\n")[:-1] if raw]


def as_json(line: Line) -> str:
    return orjson.dumps(asdict(line)).decode()
