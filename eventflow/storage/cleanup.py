"""Removes what killed processes have left half-written in stores: files in a spool, parts of multipart uploads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from eventflow.storage.errors import StorageError
from eventflow.storage.local.store import LocalStore
from eventflow.storage.port import ObjectStore

#: What got no byte for so long belongs to nobody who lives. A part of a multipart upload may take long to arrive, and
#: one that is open is carried on with when a worker comes back.
_ABANDONED_FILE, _ABANDONED_UPLOAD = timedelta(hours=1), timedelta(days=1)
_PERIOD_S = 1_800.0
#: Where we begin uploads. Another environment's store may be in a folder below ours, or anything else in the bucket.
WRITTEN = ("jobs/", "assets/", "cache/", "videos/")


@asynccontextmanager
async def kept_tidy(stores: Iterable[ObjectStore], *, period_s: float = _PERIOD_S) -> AsyncIterator[None]:
    """Meanwhile `stores` are looked through, now and every `period_s` seconds. Any number of processes may do so."""
    tidying = asyncio.create_task(_tidy(tuple(stores), period_s))
    try:
        yield
    finally:
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)


async def _tidy(stores: Iterable[ObjectStore], period_s: float) -> None:
    log = structlog.get_logger()
    while True:
        for store in stores:
            older_than = _ABANDONED_FILE if isinstance(store, LocalStore) else _ABANDONED_UPLOAD
            try:
                if removed := await store.remove_abandoned(older_than=older_than, below=WRITTEN):
                    log.info("half-written files removed", store=store.description, count=removed)
            except StorageError as error:
                log.warning("store not looked through", store=store.description, error=str(error))
        await asyncio.sleep(period_s)
