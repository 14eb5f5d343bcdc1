"""Multipart uploads: a few parts in memory at a time, and no unfinished upload left behind.

S3 keeps (and bills) the parts of an upload until it is completed or aborted, so that every way out of
`upload` but success aborts it, cancellation included. What a killed process leaves is for a lifecycle rule
of the bucket (AbortIncompleteMultipartUpload).
"""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from attrs import frozen

from eventflow.storage.errors import StorageError
from eventflow.storage.files import open_in_thread, verify_content
from eventflow.storage.port import OnProgress
from eventflow.storage.s3_body import Body, checksum_parameters
from eventflow.storage.s3_client import MAX_PARTS, S3Connection

_ABORT_DELAYS_SECONDS = (0.1, 0.5)


@frozen(kw_only=True)
class Upload:
    """A file on its way to `target`, which are the parameters Bucket and Key of every request."""

    what: str
    target: Mapping[str, Any]
    path: Path
    size_bytes: int
    sha256: str
    media_type: str


async def upload(connection: S3Connection, job: Upload, on_progress: OnProgress | None) -> None:
    """Raises StorageError, IntegrityError if the file is not (any more) what `job` says, OSError of the file."""
    upload_id = await _create(connection, job)
    try:
        parts = await _send_parts(connection, job, upload_id, on_progress)
        client = await connection.client()
        await connection.request(
            job.what,
            client.complete_multipart_upload,
            **job.target,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
        )
    except BaseException as error:
        # Shielded: a second cancellation must not interrupt the abort.
        await asyncio.shield(connection.start(_abort(connection, job, upload_id, error)))
        raise


async def _create(connection: S3Connection, job: Upload) -> str:
    client = await connection.client()
    algorithm: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if connection.options.checksum == "sha256" else {}
    creating = connection.start(
        connection.request(
            job.what,
            client.create_multipart_upload,
            **job.target,
            ContentType=job.media_type,
            Metadata={"sha256": job.sha256},
            **algorithm,
        )
    )
    try:
        return str((await asyncio.shield(creating))["UploadId"])
    except asyncio.CancelledError:
        # The store may have begun it already: only its answer tells what to abort.
        connection.start(_abort_when_created(connection, job, creating))
        raise


async def _abort_when_created(connection: S3Connection, job: Upload, creating: "asyncio.Task[Any]") -> None:
    try:
        upload_id = str((await creating)["UploadId"])
    except StorageError:
        return
    await _abort(connection, job, upload_id, None)


async def _abort(connection: S3Connection, job: Upload, upload_id: str, reason: BaseException | None) -> None:
    """Tries a few times: nobody else would, and S3 documents that parts still arriving may need a second abort."""
    for delay_seconds in (*_ABORT_DELAYS_SECONDS, None):
        try:
            client = await connection.client()
            await connection.request(job.what, client.abort_multipart_upload, **job.target, UploadId=upload_id)
            return
        except StorageError as error:
            if error.upstream_code == "NoSuchUpload":
                return
            if delay_seconds is None or not error.transient:
                if reason is not None:
                    reason.add_note(f"The unfinished multipart upload is still in the store: {error}")
                return
            await asyncio.sleep(delay_seconds)


async def _send_parts(
    connection: S3Connection, job: Upload, upload_id: str, on_progress: OnProgress | None
) -> list[dict[str, Any]]:
    """Reads in order (the SHA-256 needs it), sends several at a time. Gives the parts for the completion."""
    size = max(connection.options.part_bytes, -(-job.size_bytes // MAX_PARTS))
    slots = asyncio.Semaphore(connection.options.parallel_parts)
    digest = hashlib.sha256()
    parts: dict[int, dict[str, Any]] = {}
    sent_bytes = read_bytes = 0

    async def send(number: int, data: bytes) -> None:
        nonlocal sent_bytes
        try:
            parts[number] = await _send_part(connection, job, upload_id, number, data)
        finally:
            slots.release()
        sent_bytes += len(data)
        if on_progress is not None:
            on_progress(sent_bytes)

    file = await open_in_thread(lambda: job.path.open("rb"), undo=lambda file: file.close())
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(1, -(-job.size_bytes // size) + 1):
                await slots.acquire()
                data = await asyncio.to_thread(_read_part, file, size, digest)
                read_bytes += len(data)
                group.create_task(send(number, data))
                del data  # or a sent part would stay in memory until the next is read
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    finally:
        file.close()
    verify_content(str(job.path), read_bytes, digest.hexdigest(), job.size_bytes, job.sha256)
    return [parts[number] for number in sorted(parts)]


async def _send_part(connection: S3Connection, job: Upload, upload_id: str, number: int, data: bytes) -> dict[str, Any]:
    checksum = await asyncio.to_thread(checksum_parameters, connection.options.checksum, data)
    client = await connection.client()
    answer = await connection.request(
        job.what,
        client.upload_part,
        body_bytes=len(data),
        **job.target,
        UploadId=upload_id,
        PartNumber=number,
        Body=Body(data),
        **checksum,
    )
    kept = {"ChecksumSHA256": checksum["ChecksumSHA256"]} if "ChecksumSHA256" in checksum else {}
    return {"PartNumber": number, "ETag": answer["ETag"], **kept}


def _read_part(file: BinaryIO, size: int, digest: "hashlib._Hash") -> bytes:
    data = file.read(size)
    digest.update(data)
    return data


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
