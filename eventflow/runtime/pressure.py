"""Backpressure: a worker that is short of scratch disk or memory takes nothing on until it has room again.

One whose step has failed for want of them, within its limits or beside them, rests for a while: the step's next try
is for others, if there are any.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

import structlog
from attrs import frozen

_MB = 1_000_000
_CGROUP = Path("/sys/fs/cgroup")
_STATM = Path("/proc/self/statm")

#: Says why this worker has paused; an empty reason that it goes on.
Tell = Callable[[str], Awaitable[None]]


@frozen
class PressureLimits:
    """What a worker leaves alone. Zero switches a limit off; so does a system that doesn't tell (cgroup v2, /proc).

    `min_free_bytes` on the disk of `scratch`; `max_memory_bytes` resident in this process; `max_container_share`
    (0 to 1) of the container's memory limit, page cache that can be dropped not counted.
    """

    scratch: Path
    min_free_bytes: int = 0
    max_memory_bytes: int = 0
    max_container_share: float = 0.0
    cgroup: Path = _CGROUP

    def reason(self) -> str:
        """Which limit is reached, for people; empty where none is."""
        return self._disk() or self._memory() or self._container()

    def _disk(self) -> str:
        if not self.min_free_bytes:
            return ""
        try:
            free = shutil.disk_usage(_nearest(self.scratch)).free
        except OSError as error:
            return f"the scratch folder {self.scratch} can't be used: {error.strerror}"
        if free >= self.min_free_bytes:
            return ""
        return f"{free // _MB} MB are free for scratch files, fewer than {self.min_free_bytes // _MB} MB"

    def _memory(self) -> str:
        if not self.max_memory_bytes or not _STATM.exists():
            return ""
        used = int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        if used <= self.max_memory_bytes:
            return ""
        return f"this process uses {used // _MB} MB of memory, more than {self.max_memory_bytes // _MB} MB"

    def _container(self) -> str:
        if not self.max_container_share:
            return ""
        try:
            limit = (self.cgroup / "memory.max").read_text().strip()
            if not limit.isdigit():
                return ""
            used = int((self.cgroup / "memory.current").read_text())
            stat = dict(line.split() for line in (self.cgroup / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            return ""
        used -= int(stat.get("inactive_file", 0))
        if used <= int(limit) * self.max_container_share:
            return ""
        return f"the container uses {used // _MB} of its {int(limit) // _MB} MB of memory"


def _nearest(folder: Path) -> Path:
    """`folder`, or the nearest of those it is to be made in: the first step makes it."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


class PressureGate:
    """Open while there is room. `check` looks; readers wait in `passed`. `monotonic` gives seconds."""

    def __init__(self, reason: Callable[[], str], tell: Tell, monotonic: Callable[[], float] = monotonic) -> None:
        self._reason, self._tell, self._monotonic = reason, tell, monotonic
        self._rests_until, self._rests_for = 0.0, ""
        self._open = asyncio.Event()
        self._open.set()
        self.reason = ""

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    async def passed(self) -> None:
        await self._open.wait()

    def rest(self, reason: str, seconds: float) -> None:
        """Close at once, for so long at least."""
        self._rests_until, self._rests_for = self._monotonic() + seconds, reason
        self._open.clear()

    async def check(self) -> None:
        """Open or close. Told in the log once, and by `tell` each time while closed. Raises its errors."""
        before, self.reason = self.reason, self._reason() or self._resting()
        log = structlog.get_logger()
        if self.reason:
            self._open.clear()
            if not before:
                log.warning("worker paused: it takes nothing new", reason=self.reason)
            await self._tell(self.reason)
        else:
            self._open.set()
            if before:
                log.info("worker goes on", was=before)
                await self._tell("")

    def _resting(self) -> str:
        return self._rests_for if self._monotonic() < self._rests_until else ""
