"""Multipart uploads that nobody has completed: S3 keeps, and bills, their parts until they are aborted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from eventflow.storage.errors import StorageError
from eventflow.storage.s3_client import S3Connection


@frozen
class Unfinished:
    """An open upload to `key`, which is the bucket's, with the store's prefix."""

    key: str
    upload_id: str
    begun_at: datetime


async def unfinished_uploads(
    connection: S3Connection, what: str, bucket: str, prefix: str
) -> AsyncIterator[Unfinished]:
    """Those whose keys start with `prefix`. Raises StorageError."""
    client = await connection.client()
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        try:
            page = await connection.request(what, client.list_multipart_uploads, **asked)
        except StorageError as error:
            if error.upstream_code == "NoSuchUpload":  # rclone's way to say that there has never been one
                return
            raise
        for entry in page.get("Uploads", ()):
            yield Unfinished(str(entry["Key"]), str(entry["UploadId"]), entry["Initiated"].astimezone(UTC))
        if not page.get("IsTruncated"):
            return
        asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


async def abort_upload(connection: S3Connection, what: str, bucket: str, upload: Unfinished) -> None:
    """One that has ended meanwhile is no error. Raises StorageError."""
    client = await connection.client()
    address: dict[str, Any] = {"Bucket": bucket, "Key": upload.key, "UploadId": upload.upload_id}
    try:
        await connection.request(what, client.abort_multipart_upload, **address)
    except StorageError as error:
        if error.upstream_code != "NoSuchUpload":
            raise
