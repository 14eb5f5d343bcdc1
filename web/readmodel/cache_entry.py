"""What the cache of folded jobs is made of: its entries, and the snapshots that it gives out."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs
from attrs import define, field, frozen
from multidict import CIMultiDict

from eventflow.domain.view import JobView

#: A client asks each time, and is told 304 where nothing has changed.
CACHE_CONTROL = "private, no-cache"


@frozen
class Snapshot:
    """A job at one moment: its view, its progress (0 to 100), and the status answer made of the two."""

    view: JobView
    progress: float
    body: bytes
    etag: str
    headers: CIMultiDict[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """The headers of the answer, made once; to be copied by who sends them."""
        headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.ETAG: self.etag, hdrs.CACHE_CONTROL: CACHE_CONTROL}
        object.__setattr__(self, "headers", CIMultiDict(headers))


class VersionPending(Exception):
    """The version that was waited for hasn't come in time."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the job is at version {version}")
        self.version = version


@define(eq=False)
class Entry:
    """A cached job. `noted` is the newest version that the tail has told of; `floor` the progress shown in `run`.

    `tailed`: whether the tail reads the job's partition. `coming`: what it has told of is being read. `asked`: it was
    asked for since the cache last thought of letting it go.
    """

    job_id: str
    tailed: bool
    view: JobView | None = None
    epoch: int = -1
    noted: int = 0
    coming: bool = False
    asked: bool = False
    live: dict[str, float] = field(factory=dict)
    run: int = 0
    floor: float = 0.0
    snapshot: Snapshot | None = None
    lock: asyncio.Lock = field(factory=asyncio.Lock)
    waiters: list[asyncio.Future[None]] = field(factory=list)

    @property
    def version(self) -> int:
        return self.view.version if self.view else 0


async def wait(entry: Entry, seconds: float) -> bool:
    """Until the entry changes; whether it did within `seconds`."""
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    entry.waiters.append(waiter)
    try:
        done, _ = await asyncio.wait([waiter], timeout=seconds)
    finally:
        entry.waiters.remove(waiter)
    return bool(done)
