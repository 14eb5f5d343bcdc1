"""Multipart uploads that a killed process has left open in S3 stores; local stores are tidied by the workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from eventflow.domain.values import StoreRole
from eventflow.storage import ObjectStore
from ops.inventory.check import Finding, Kind


async def open_uploads(
    stores: Mapping[StoreRole, ObjectStore], older_than: datetime, *, repair: bool
) -> AsyncIterator[Finding]:
    """Those begun before `older_than`; with `repair` they are aborted. Raises StorageError."""
    from eventflow.storage.s3 import S3Store  # a large import, for those who need it

    for role, store in stores.items():
        if not isinstance(store, S3Store):
            continue
        old = [upload async for upload in store.unfinished() if upload.begun_at <= older_than]
        for upload in old:
            if repair:
                await store.abort(upload)
            begun = f"begun at {upload.begun_at:%Y-%m-%dT%H:%M:%SZ}"
            yield Finding(Kind.UPLOAD, role, upload.key, "", detail=begun, removed=repair)
