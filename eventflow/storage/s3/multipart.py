"""Open multipart uploads of a store: listed by key, and aborted.

S3 keeps (and bills) their parts until they are completed or aborted.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from eventflow.storage.errors import StorageError
from eventflow.storage.s3.client import S3Connection

_ABORT_DELAYS_SECONDS = (0.1, 0.5)
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


@frozen(kw_only=True)
class KeptPart:
    """A part that the store has: its ETag without quotes, its SHA-256 in Base64 if the store keeps one."""

    size_bytes: int
    etag: str
    sha256: str | None
    modified_at: datetime


@frozen(kw_only=True)
class OpenUpload:
    """An open upload. `target` names its object: the parameters Bucket and Key of a request."""

    target: Mapping[str, Any]
    upload_id: str
    begun_at: datetime = _UNKNOWN
    parts: Mapping[int, KeptPart] = field(factory=dict)

    @property
    def address(self) -> dict[str, Any]:
        """The parameters of every request about the upload."""
        return {**self.target, "UploadId": self.upload_id}

    @property
    def kept_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts.values())

    @property
    def last_used_at(self) -> datetime:
        return max((part.modified_at for part in self.parts.values()), default=self.begun_at)


async def open_uploads(connection: S3Connection, what: str, bucket: str, prefix: str) -> AsyncIterator[OpenUpload]:
    """Yield the open uploads of keys that start with `prefix`, with their parts. Raises StorageError."""
    client = await connection.client()
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        try:
            page = await connection.request(what, client.list_multipart_uploads, **asked)
        except StorageError as error:
            if error.upstream_code == "NoSuchUpload":
                return  # rclone, until there was a first upload
            raise
        for entry in page.get("Uploads", ()):
            target = {"Bucket": bucket, "Key": str(entry["Key"])}
            found = OpenUpload(
                target=target, upload_id=str(entry["UploadId"]), begun_at=entry["Initiated"].astimezone(UTC)
            )
            try:
                parts = await _parts(connection, what, found)
            except StorageError as error:
                if error.upstream_code == "NoSuchUpload":
                    continue  # ended meanwhile
                raise
            yield OpenUpload(target=found.target, upload_id=found.upload_id, begun_at=found.begun_at, parts=parts)
        if not page.get("IsTruncated"):
            return
        asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


async def abort(
    connection: S3Connection, what: str, upload: OpenUpload, *, reason: BaseException | None = None
) -> bool:
    """Abort an upload; return whether it is gone. Tries a few times: parts still arriving may need a second abort (S3).

    If it stays, the exception `reason`, which led to the abort, gets a note.
    """
    for delay_seconds in (*_ABORT_DELAYS_SECONDS, None):
        try:
            client = await connection.client()
            await connection.request(what, client.abort_multipart_upload, **upload.address)
            return True
        except StorageError as error:
            if error.upstream_code == "NoSuchUpload":
                return True
            if delay_seconds is None or not error.transient:
                if reason is not None:
                    reason.add_note(f"The unfinished multipart upload is still in the store: {error}")
                return False
            await asyncio.sleep(delay_seconds)
    return False


async def _parts(connection: S3Connection, what: str, upload: OpenUpload) -> dict[int, KeptPart]:
    client = await connection.client()
    found: dict[int, KeptPart] = {}
    asked = upload.address
    while True:
        page = await connection.request(what, client.list_parts, **asked)
        known = len(found)
        for entry in page.get("Parts", ()):
            found[int(entry["PartNumber"])] = KeptPart(
                size_bytes=int(entry["Size"]),
                etag=str(entry["ETag"]).strip('"'),
                sha256=entry.get("ChecksumSHA256"),
                modified_at=entry["LastModified"].astimezone(UTC),
            )
        if not page.get("IsTruncated") or len(found) == known:
            return found
        # Not the answer's NextPartNumberMarker: rclone's leaves a part out.
        asked |= {"PartNumberMarker": max(found)}
