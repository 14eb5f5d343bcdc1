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
    """Those that got no part since `older_than`; with `repair` they are aborted. Raises StorageError."""
    from eventflow.storage.s3 import S3Store  # a large import, for those who need it

    for role, store in stores.items():
        if not isinstance(store, S3Store):
            continue
        old = [upload async for upload in store.open_uploads() if upload.last_used_at <= older_than]
        for upload in old:
            removed = repair and await store.abort(upload)
            last = f"last used at {upload.last_used_at:%Y-%m-%dT%H:%M:%SZ}"
            yield Finding(Kind.UPLOAD, role, upload.target["Key"], "", detail=last, removed=removed)
