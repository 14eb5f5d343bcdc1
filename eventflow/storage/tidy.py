"""Removes what killed processes have left half-written in local stores; S3 has a lifecycle rule for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from eventflow.storage.errors import StorageError
from eventflow.storage.local import LocalStore
from eventflow.storage.port import ObjectStore

#: A file without a byte for so long belongs to nobody who lives.
_ABANDONED = timedelta(hours=1)
_PERIOD_S = 1_800.0


@asynccontextmanager
async def kept_tidy(stores: Iterable[ObjectStore], *, period_s: float = _PERIOD_S) -> AsyncIterator[None]:
    """Meanwhile `stores` are looked through, now and every `period_s` seconds. Any number of processes may do so."""
    tidying = asyncio.create_task(_tidy([store for store in stores if isinstance(store, LocalStore)], period_s))
    try:
        yield
    finally:
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)


async def _tidy(stores: Iterable[LocalStore], period_s: float) -> None:
    log = structlog.get_logger()
    while True:
        for store in stores:
            try:
                if removed := await store.remove_abandoned(older_than=_ABANDONED):
                    log.info("half-written files removed", store=store.name, count=removed)
            except StorageError as error:
                log.warning("store not looked through", store=store.name, error=str(error))
        await asyncio.sleep(period_s)
