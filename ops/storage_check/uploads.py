"""Multipart uploads in S3 stores that a killed process has left open; workers clean local stores up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from eventflow.domain.job_ids import is_job_id
from eventflow.domain.values import StoreRole
from eventflow.log.codec import DecodeError
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.event_store import JobEventStore
from eventflow.storage import ObjectStore
from eventflow.storage.cleanup import WRITTEN
from ops.storage_check.check import ROOTS, Finding, FindingKind


async def open_uploads(
    log: JobEventStore,
    stores: Mapping[StoreRole, ObjectStore],
    older_than: datetime,
    *,
    repair: bool,
    unknown_too: bool,
) -> AsyncIterator[Finding]:
    """The uploads without a new part since `older_than`.

    `repair` aborts those of known jobs and of no job (assets, the scene cache), and with `unknown_too` those of jobs
    that the log doesn't know. Skips those of a job whose history can't be read.

    Raises StorageError and connection errors.
    """
    from eventflow.storage.s3.store import S3Store

    for role, store in stores.items():
        if not isinstance(store, S3Store):
            continue
        found = [upload for root in WRITTEN async for upload in store.open_uploads(root)]
        for upload in (upload for upload in found if upload.last_used_at <= older_than):
            key = str(upload.target["Key"])
            root, _, rest = key.removeprefix(store.prefix).partition("/")
            job_id = rest.partition("/")[0] if f"{root}/" in ROOTS.values() else ""
            try:
                known = not job_id or (is_job_id(job_id) and bool(await log.history(job_id)))
            except (DecodeError, ArchiveDamaged):  # the check of its files reports it
                continue
            removed = repair and (known or unknown_too) and await store.abort(upload)
            last = f"last used at {upload.last_used_at:%Y-%m-%dT%H:%M:%SZ}"
            detail = last if known else f"{last}, of a job that the log doesn't know"
            yield Finding(
                kind=FindingKind.UPLOAD,
                store=role,
                key=key,
                job_id=job_id if known else "",
                detail=detail,
                removed=removed,
            )
