"""Which `eventflow up` run on this machine: a pointer file for each, so that other commands find them.

    STATE/eventflow/stacks/DIGEST.json   one file for each data directory, removed when its stack ends

STATE is `$XDG_STATE_HOME`, or `~/.local/state` (XDG Base Directory Specification). A stack that was killed leaves its
file behind: the file counts only while the process that it names holds the lock of the data directory. Files and data
directories of other users are ignored, and so are files that others may write.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import cattrs
import orjson
from attrs import asdict, frozen

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_LOCK = "lock"


@frozen(kw_only=True)
class RunningStack:
    """A stack that serves requests. `started_at` is an RFC 3339 time in UTC; `pid` is that of `eventflow up`."""

    data_dir: str
    url: str
    pid: int
    started_at: str


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the pointer files. Raises RuntimeError where the user has no home directory."""
    given = Path(environment.get("XDG_STATE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".local" / "state") / "eventflow" / "stacks"


def announce(folder: Path, data_dir: Path, url: str) -> Path:
    """Write the pointer file of this process's stack, readable by its owner alone. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    where = os.path.realpath(data_dir)
    stack = RunningStack(data_dir=where, url=url, pid=os.getpid(), started_at=datetime.now(UTC).isoformat())
    target = folder / f"{hashlib.sha256(os.fsencode(where)).hexdigest()[:16]}.json"
    mine = target.with_suffix(f".{os.getpid()}")
    mine.unlink(missing_ok=True)
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(orjson.dumps(asdict(stack)))
    mine.replace(target)
    return target


def running_stacks(folder: Path) -> list[RunningStack]:
    """Return the stacks of this user that run now, newest first. Files of stacks that ended are removed."""
    found = []
    with suppress(OSError):
        for path in folder.glob("*.json"):
            stack = _read(path)
            holder = None if stack is None else holder_of(Path(stack.data_dir))
            if stack is not None and holder == stack.pid:
                found.append(stack)
            elif stack is not None and holder is None:
                with suppress(OSError):
                    path.unlink()
    return sorted(found, key=lambda stack: stack.started_at, reverse=True)


def _read(path: Path) -> RunningStack | None:
    """Return what a pointer file says, or None where it or the data directory isn't this user's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            stack = cattrs.structure(orjson.loads(file.read()), RunningStack)
    except (OSError, ValueError, TypeError, KeyError, cattrs.BaseValidationError):
        return None
    try:
        return stack if os.lstat(stack.data_dir).st_uid == os.geteuid() else None
    except FileNotFoundError:
        return stack  # the directory was removed: nobody holds its lock
    except OSError:
        return None


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode) and not found.st_mode & _OTHERS_MAY_WRITE


def holder_of(data_dir: Path) -> int | None:
    """Return the pid of the `eventflow up` that holds the lock of a data directory, or None if nobody does."""
    with suppress(OSError, ValueError), (data_dir / _LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read(100).partition(b",")[0])
    return None
