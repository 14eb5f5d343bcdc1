"""Removes half-written files of killed processes from stores: spool files, and parts of multipart uploads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from eventflow.storage.errors import StorageError
from eventflow.storage.local.store import LocalStore
from eventflow.storage.port import ObjectStore

#: A file that got no byte for so long belongs to a dead process. A part of a multipart upload may take longer, and a
#: worker that comes back resumes an open upload.
_ABANDONED_FILE, _ABANDONED_UPLOAD = timedelta(hours=1), timedelta(days=1)
_PERIOD_S = 1_800.0
#: Prefixes of the keys that this service writes. The bucket may hold other data, even another environment's store.
WRITTEN = ("jobs/", "assets/", "cache/", "videos/")


@asynccontextmanager
async def removing_abandoned(stores: Iterable[ObjectStore], *, period_s: float = _PERIOD_S) -> AsyncIterator[None]:
    """Clean up `stores` now and every `period_s` seconds, while the context is open. Any process may do so."""
    cleaning = asyncio.create_task(_clean_up(tuple(stores), period_s))
    try:
        yield
    finally:
        cleaning.cancel()
        await asyncio.gather(cleaning, return_exceptions=True)


async def _clean_up(stores: Iterable[ObjectStore], period_s: float) -> None:
    log = structlog.get_logger()
    while True:
        for store in stores:
            older_than = _ABANDONED_FILE if isinstance(store, LocalStore) else _ABANDONED_UPLOAD
            try:
                if removed := await store.remove_abandoned(older_than=older_than, below=WRITTEN):
                    log.info("half-written files removed", store=store.description, count=removed)
            except StorageError as error:
                log.warning("store not cleaned up", store=store.description, error=str(error))
        await asyncio.sleep(period_s)
