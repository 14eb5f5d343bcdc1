"""Multipart uploads: in bounded memory, resumed after an interruption, aborted otherwise.

A try ends with the first part that fails; parts that are being sent still arrive. If the key contains the content's
SHA-256, the upload stays open when the store fails, and after a crash: the next try finds it by the key, compares each
part that the store has with the file, and sends only the missing ones. Two processes that do so at the same time send
the same bytes; the later one learns that the upload is gone, and finds the object. Any other end of `upload` but
success aborts it, cancellation included. `S3Store.remove_abandoned` aborts uploads that are never resumed.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, field, frozen

from eventflow.storage.errors import StorageError
from eventflow.storage.files import open_in_thread, verify_content
from eventflow.storage.port import OnProgress
from eventflow.storage.s3.checksums import Body, Checksums, FilePart, PartBody, checksums_of, read_at
from eventflow.storage.s3.client import MAX_PARTS, MIB, S3Connection
from eventflow.storage.s3.multipart import OpenUpload, abort, open_uploads
from eventflow.storage.s3.presign import signs_bodies

#: Parts up to this size are held in memory while they are sent.
_BUFFERED_BYTES = 16 * MIB


@frozen(kw_only=True)
class Upload:
    """A file to upload to `target`, the parameters Bucket and Key of every request."""

    what: str
    target: Mapping[str, Any]
    path: Path
    size_bytes: int
    sha256: str
    media_type: str


async def upload(connection: S3Connection, job: Upload, on_progress: OnProgress | None) -> None:
    """Upload a file. Raises StorageError, IntegrityError if the file isn't what `job` says, OSError of the file."""
    found = _Found(lasting=False)
    if job.sha256 in str(job.target["Key"]):
        found = await _interrupted(connection, job)
    multipart = found.upload or await create(connection, job.what, job.target, job.media_type, job.sha256)
    try:
        parts = await _send_file(connection, job, multipart, on_progress)
        await complete(connection, job.what, multipart, parts)
    except BaseException as error:
        if not (found.lasting and isinstance(error, StorageError) and error.transient):
            # Shielded: a second cancellation must not interrupt the abort.
            await asyncio.shield(connection.start(abort(connection, job.what, multipart, reason=error)))
        raise


async def create(
    connection: S3Connection, what: str, target: Mapping[str, Any], media_type: str, sha256: str | None
) -> OpenUpload:
    """Begin a multipart upload. If the caller is cancelled meanwhile, it is aborted as soon as its id is known."""
    client = await connection.client()
    asked: dict[str, Any] = {"ContentType": media_type, "Metadata": {} if sha256 is None else {"sha256": sha256}}
    if connection.options.checksum == "sha256":
        asked["ChecksumAlgorithm"] = "SHA256"
    creating = connection.start(connection.request(what, client.create_multipart_upload, **target, **asked))

    async def abort_when_created() -> None:
        try:
            answer = await creating
        except StorageError:
            return
        await abort(connection, what, OpenUpload(target=target, upload_id=str(answer["UploadId"])))

    try:
        answer = await asyncio.shield(creating)
    except asyncio.CancelledError:
        # The store may have begun it already: only its answer has the id to abort.
        connection.start(abort_when_created())
        raise
    return OpenUpload(target=target, upload_id=str(answer["UploadId"]))


async def complete(
    connection: S3Connection, what: str, multipart: OpenUpload, parts: Mapping[int, Mapping[str, Any]]
) -> None:
    client = await connection.client()
    listed = [{"PartNumber": number, **parts[number]} for number in sorted(parts)]
    await connection.request(
        what, client.complete_multipart_upload, **multipart.address, MultipartUpload={"Parts": listed}
    )


@frozen
class _Found:
    """An upload to resume. `lasting`: an upload that stays open will be found again."""

    lasting: bool
    upload: OpenUpload | None = None


async def _interrupted(connection: S3Connection, job: Upload) -> _Found:
    """Find the open upload of the key with most parts; abort the others. Not every store and role can list them."""
    bucket, key = str(job.target["Bucket"]), str(job.target["Key"])
    try:
        found = [one async for one in open_uploads(connection, job.what, bucket, key) if one.target["Key"] == key]
    except StorageError as error:
        if error.transient:
            raise
        return _Found(lasting=False)
    found.sort(key=lambda one: (one.kept_bytes, one.begun_at), reverse=True)
    for other in found[1:]:
        await abort(connection, job.what, other)
    return _Found(lasting=True, upload=found[0] if found else None)


def part_bytes(size_bytes: int, wanted: int) -> int:
    """Return the part size in whole MiB: at least `wanted`, and enough for `size_bytes` in S3's 10,000 parts."""
    return max(wanted, -(-size_bytes // (MAX_PARTS * MIB)) * MIB)


async def _send_file(
    connection: S3Connection, job: Upload, multipart: OpenUpload, on_progress: OnProgress | None
) -> dict[int, dict[str, Any]]:
    """Send the parts that the store lacks, a few at a time; return all parts for the completion."""
    size = part_bytes(job.size_bytes, connection.options.part_bytes)
    file = await open_in_thread(lambda: job.path.open("rb"), undo=lambda file: file.close())
    reading, sending = (
        _Reading(file=file),
        _Sending(connection=connection, job=job, multipart=multipart, on_progress=on_progress),
    )

    async def send(number: int, part: PartBody) -> None:
        if await sending.send(number, part):
            reading.done_with(part)

    try:
        async with asyncio.TaskGroup() as group:
            for start in range(0, job.size_bytes, size):
                await sending.slots.acquire()
                if sending.failure is not None:
                    break
                part = await asyncio.to_thread(reading.part, start, min(size, job.size_bytes - start))
                group.create_task(send(start // size + 1, part))
                del part  # frees the memory of the last one
    except BaseExceptionGroup as errors:
        raise first_of(errors) from None
    finally:
        file.close()
    if sending.failure is not None:
        raise sending.failure
    verify_content(str(job.path), job.size_bytes, reading.digest.hexdigest(), job.size_bytes, job.sha256)
    return sending.parts


@define(eq=False, kw_only=True)
class _Reading:
    """Reads the parts in order, and computes the digest of the whole file.

    Parts of common sizes are read once, into reused buffers: new memory for each part costs as much time as reading.
    Larger parts, which only huge files have, are read again as they are sent.
    """

    file: BinaryIO
    digest: "hashlib._Hash" = field(factory=hashlib.sha256)
    _idle: list[bytearray] = field(factory=list)
    _used: dict[int, bytearray] = field(factory=dict)

    def part(self, start: int, size_bytes: int) -> PartBody:
        """Read the next part. Blocking. Raises OSError."""
        if size_bytes > _BUFFERED_BYTES:
            part: PartBody = FilePart(self.file, start, size_bytes)
        else:
            buffer = self._idle.pop() if self._idle else bytearray(size_bytes)
            part = Body(memoryview(buffer)[: read_at(self.file, start, memoryview(buffer)[:size_bytes])])
            self._used[id(part)] = buffer
        for piece in part.pieces():
            self.digest.update(piece)
        return part

    def done_with(self, part: PartBody) -> None:
        """Reuse the buffer of a sent part. Not of a failed one: a connection may still be sending from it."""
        if (buffer := self._used.pop(id(part), None)) is not None:
            self._idle.append(buffer)


@define(eq=False, kw_only=True)
class _Sending:
    """Sends the parts of one try. `failure` is the store's first error: after it no other part is begun."""

    connection: S3Connection
    job: Upload
    multipart: OpenUpload
    on_progress: OnProgress | None
    slots: asyncio.Semaphore = field(init=False)
    parts: dict[int, dict[str, Any]] = field(factory=dict)
    failure: StorageError | None = None
    _arrived_bytes: int = 0

    def __attrs_post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.connection.options.parallel_parts)

    async def send(self, number: int, part: PartBody) -> bool:
        """Send a part; return whether the store has it now."""
        try:
            self.parts[number] = await self._send(number, part)
        except StorageError as error:
            self.failure = self.failure or error
            return False
        finally:
            self.slots.release()
        self._arrived_bytes += len(part)
        if self.on_progress is not None:
            self.on_progress(self._arrived_bytes)
        return True

    async def _send(self, number: int, part: PartBody) -> dict[str, Any]:
        kind, kept = self.connection.options.checksum, self.multipart.parts.get(number)
        client = await self.connection.client()
        asked = {"etag": kept is not None, "signed": signs_bodies(client)}
        checksums = await asyncio.to_thread(checksums_of, kind, part.pieces(), **asked)
        part.sha256 = checksums.sha256
        etag = self._kept(number, len(part), checksums)
        if etag is None:
            answer = await self.connection.request(
                self.job.what,
                client.upload_part,
                body_bytes=len(part),
                **self.multipart.address,
                PartNumber=number,
                Body=part,
                **checksums.parameters,
            )
            etag = str(answer["ETag"])
        named = {name: value for name, value in checksums.parameters.items() if name == "ChecksumSHA256"}
        return {"ETag": etag, **named}

    def _kept(self, number: int, size_bytes: int, checksums: Checksums) -> str | None:
        """Return the ETag of the part if the store has it with this content."""
        kept = self.multipart.parts.get(number)
        if kept is None or kept.size_bytes != size_bytes:
            return None
        same = kept.etag == checksums.etag or (
            kept.sha256 and kept.sha256 == checksums.parameters.get("ChecksumSHA256")
        )
        return f'"{kept.etag}"' if same else None


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error in nested groups."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
