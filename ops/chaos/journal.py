"""The journal of a worker: an append-only file for each process, outside the server.

Each line is one write() to a file opened with O_APPEND, so it survives SIGKILL of its writer. `what` is
    delivered   an entry was delivered to this process (stream, entry, count)
    begin, end  a handler starts, and has finished its side effects; `raised` and `stopped` are its other ends
    committed   the log accepted a commit under the claim of an entry (version of the job after it)
    settled     likewise, and the commit settled the entry
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from time import monotonic_ns

import orjson
from attrs import asdict, frozen

from eventflow.log.commit import Claim


@frozen(kw_only=True)
class Line:
    """A line of the journal. `event`: id of the handled event, `<job>.<seq>`; `at_ns`: a monotonic clock."""

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
    """Appends lines to this process's file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._pid = os.getpid()
        self._fd = os.open(folder / f"{self._pid}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, claim: Claim | None = None, **about: object) -> None:
        """Append a line with the fields `about`, and those of the claim."""
        line: dict[str, object] = {"what": what, "pid": self._pid, "at_ns": monotonic_ns(), **about}
        if claim is not None:
            line |= {"stream": claim.stream, "entry": claim.entry_id, "count": claim.count}
        os.write(self._fd, orjson.dumps(line) + b"\n")


def read_journal(folder: Path) -> list[Line]:
    """Return the lines of all processes, oldest first. Raises ValueError for a line that isn't JSON."""
    lines = [Line(**orjson.loads(raw)) for path in folder.glob("*.jsonl") for raw in _whole_lines(path)]
    return sorted(lines, key=lambda line: line.at_ns)


def _whole_lines(path: Path) -> Iterable[bytes]:
    return [raw for raw in path.read_bytes().split(b"\n")[:-1] if raw]


def as_json(line: Line) -> str:
    """Return a line as JSON."""
    return orjson.dumps(asdict(line)).decode()
