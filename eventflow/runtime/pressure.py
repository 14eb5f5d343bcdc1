"""Backpressure: a worker that is short of scratch disk or memory takes no deliveries until it has enough again.

After a step that failed for lack of them, whatever the limits say, the worker rests for a while, so that another
worker takes the step's next attempt.
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

#: Records why this worker is paused; an empty reason records that it works again.
Report = Callable[[str], Awaitable[None]]


@frozen(kw_only=True)
class PressureLimits:
    """Limits of disk and memory. Zero switches a limit off, as does a system without cgroup v2 or /proc.

    `min_free_bytes` on the disk of `scratch`; `max_memory_bytes` resident in this process; `max_container_share`
    (0 to 1) of the container's memory limit, without page cache that can be dropped.
    """

    scratch: Path
    min_free_bytes: int = 0
    max_memory_bytes: int = 0
    max_container_share: float = 0.0
    cgroup: Path = _CGROUP

    def reason(self) -> str:
        """Say which limit is reached, for people; empty if none is."""
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
    """Return `folder`, or its nearest parent that exists: the first step creates the rest."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


class PressureGate:
    """Closed while a limit is reached or the worker rests: `check` measures, readers wait in `passed`.

    `reason` names the limit that is reached (`PressureLimits.reason`); `monotonic` returns seconds.
    """

    def __init__(self, reason: Callable[[], str], report: Report, monotonic: Callable[[], float] = monotonic) -> None:
        self._reason, self._report, self._monotonic = reason, report, monotonic
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
        """Close at once, for at least `seconds`."""
        self._rests_until, self._rests_for = self._monotonic() + seconds, reason
        self._open.clear()

    async def check(self) -> None:
        """Open or close; a change is logged once, and `report` is called each time while closed. Raises its errors."""
        before, self.reason = self.reason, self._reason() or self._resting()
        log = structlog.get_logger()
        if self.reason:
            self._open.clear()
            if not before:
                log.warning("worker paused: it takes nothing new", reason=self.reason)
            await self._report(self.reason)
        else:
            self._open.set()
            if before:
                log.info("worker resumed", was=before)
                await self._report("")

    def _resting(self) -> str:
        return self._rests_for if self._monotonic() < self._rests_until else ""
