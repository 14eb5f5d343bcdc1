"""Copies within an S3 service: in one request, or part by part above S3's limit (5 GiB)."""

import asyncio
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from eventflow.storage.errors import StorageRefused
from eventflow.storage.port import ObjectInfo
from eventflow.storage.s3.client import MIB, S3Connection
from eventflow.storage.s3.multipart import OpenUpload, abort, open_uploads
from eventflow.storage.s3.upload import complete, create, first_of, part_bytes

_PART_BYTES = 512 * MIB


@frozen(kw_only=True)
class Copy:
    """A copy of `source` to `target` (Bucket and Key each); `info` has its size, SHA-256 and media type."""

    what: str
    source: Mapping[str, Any]
    target: Mapping[str, Any]
    info: ObjectInfo


async def copy(connection: S3Connection, job: Copy) -> None:
    """Copy an object. Raises StorageError, ObjectMissing if there is no source."""
    if job.info.size_bytes > connection.options.copy_bytes:
        await _copy_parts(connection, job)
        return
    client = await connection.client()
    await connection.request(
        job.what, client.copy_object, body_bytes=job.info.size_bytes, **job.target, CopySource=dict(job.source)
    )


async def _copy_parts(connection: S3Connection, job: Copy) -> None:
    """Copy in parts. An interrupted copy's upload is aborted: its parts can't be told from those of other content."""
    async for left in open_uploads(connection, job.what, str(job.target["Bucket"]), str(job.target["Key"])):
        if left.target["Key"] == job.target["Key"]:
            await abort(connection, job.what, left)
    multipart = await create(connection, job.what, job.target, job.info.media_type, job.info.sha256)
    try:
        parts = await _parts(connection, job, multipart)
        await complete(connection, job.what, multipart, parts)
    except BaseException as error:
        await asyncio.shield(connection.start(abort(connection, job.what, multipart, reason=error)))
        raise


async def _parts(connection: S3Connection, job: Copy, multipart: OpenUpload) -> dict[int, dict[str, Any]]:
    total = job.info.size_bytes
    size = part_bytes(total, min(_PART_BYTES, connection.options.copy_bytes))
    slots = asyncio.Semaphore(connection.options.parallel_parts)
    parts: dict[int, dict[str, Any]] = {}
    client = await connection.client()

    async def send(start: int) -> None:
        end = min(start + size, total)
        async with slots:
            answer = await connection.request(
                job.what,
                client.upload_part_copy,
                body_bytes=end - start,
                **multipart.address,
                PartNumber=start // size + 1,
                CopySource=dict(job.source),
                CopySourceRange=f"bytes={start}-{end - 1}",
            )
        result = answer.get("CopyPartResult", {})
        if "ETag" not in result:  # rclone takes it for an empty part
            raise StorageRefused(f"{job.what}: the store can't copy parts of objects.")
        named = {name: value for name, value in result.items() if name in ("ETag", "ChecksumSHA256")}
        parts[start // size + 1] = named

    try:
        async with asyncio.TaskGroup() as group:
            for start in range(0, total, size):
                group.create_task(send(start))
    except BaseExceptionGroup as errors:
        raise first_of(errors) from None
    return parts
