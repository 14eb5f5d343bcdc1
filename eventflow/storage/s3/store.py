"""An object store in an S3 bucket, below a prefix, and the bucket's CORS rules.

The SHA-256 of the content is kept as `x-amz-meta-sha256`. After each upload a HEAD request asks for the object: size,
ETag and time are then the store's own, and an event that names the object is true.

CORS: scripts of players in pages of other origins fetch segments and captions, and the app redirects them to the store.
A browser that follows a redirect to another origin sends the origin "null", so only a rule for any origin lets it read
the answer. Access depends on the URL's signature alone, never on the page.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eventflow.storage.content_disposition import attachment
from eventflow.storage.errors import IntegrityError, ObjectMissing, StorageError, StorageRefused, StorageUnavailable
from eventflow.storage.files import COPY_BYTES, hash_file, save, verify_content
from eventflow.storage.object_keys import check_key, check_prefix, check_sha256, is_valid_key
from eventflow.storage.port import (
    CHUNK_BYTES,
    Method,
    ObjectInfo,
    ObjectStore,
    OnProgress,
    check_range,
    lifetime_seconds,
)
from eventflow.storage.s3.checksums import Body, checksums_of
from eventflow.storage.s3.client import S3Connection, S3Options
from eventflow.storage.s3.copy import Copy, copy
from eventflow.storage.s3.errors import described, listed, same
from eventflow.storage.s3.multipart import OpenUpload, abort, open_uploads
from eventflow.storage.s3.upload import Upload, upload

_RULE = {
    "AllowedOrigins": ["*"],
    "AllowedMethods": ["GET", "HEAD"],
    "AllowedHeaders": ["Range", "If-Range"],
    "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
    "MaxAgeSeconds": 3600,
}
_NONE = "NoSuchCORSConfiguration"


async def any_page_may_read(connection: S3Connection, bucket: str) -> bool:
    """Whether pages of any origin may read the objects of signed URLs. Raises StorageError if the store doesn't say."""
    return any(map(_fits, await _rules(connection, bucket)))


async def let_any_page_read(connection: S3Connection, bucket: str) -> bool:
    """Add the rule to the existing ones; return whether it was missing. Raises StorageError."""
    rules = await _rules(connection, bucket)
    if any(map(_fits, rules)):
        return False
    client = await connection.client()
    await connection.request(
        f"The CORS rules of {bucket}",
        client.put_bucket_cors,
        Bucket=bucket,
        CORSConfiguration={"CORSRules": [*rules, _RULE]},
    )
    return True


async def _rules(connection: S3Connection, bucket: str) -> Sequence[dict[str, Any]]:
    client = await connection.client()
    try:
        answer = await connection.request(f"The CORS rules of {bucket}", client.get_bucket_cors, Bucket=bucket)
    except StorageError as error:
        if error.upstream_code == _NONE:
            return ()
        raise
    rules: Sequence[dict[str, Any]] = answer.get("CORSRules", ())
    return rules


def _fits(rule: dict[str, Any]) -> bool:
    return "*" in rule.get("AllowedOrigins", ()) and "GET" in rule.get("AllowedMethods", ())


#: Codes of a conditional put of an object that exists, or that another client is putting.
_THERE_ALREADY = ("PreconditionFailed", "412", "ConditionalRequestConflict")
#: Codes of a server without conditional puts.
_NOT_KNOWN = ("NotImplemented", "501")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class S3Store:
    """An ObjectStore in `bucket`, which must exist. Belongs to the event loop that first uses it."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        options: S3Options | None = None,
        environ: Mapping[str, str] = os.environ,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if not bucket or "/" in bucket:
            raise ValueError("An S3 store needs the name of a bucket.")
        self.bucket = bucket
        self.prefix = check_key(prefix.strip("/")) + "/" if prefix.strip("/") else ""
        self._options = options or S3Options()
        self._connection = S3Connection(self._options, environ)
        self._now = now

    @property
    def description(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    async def put_file(
        self,
        key: str,
        path: Path,
        *,
        media_type: str,
        sha256: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> ObjectInfo:
        """As in the port. A file of several parts that the store has already isn't sent again."""
        check_key(key)
        wanted = sha256 and check_sha256(sha256)
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        if size_bytes <= self._options.part_bytes:
            info = await self._put(key, await asyncio.to_thread(path.read_bytes), media_type, wanted)
            _tell(on_progress, info.size_bytes)
            return info
        if wanted is None:
            size_bytes, wanted = await hash_file(path)
        existing = await self._existing(key)
        if existing and same(existing, size_bytes, wanted, media_type):
            _tell(on_progress, size_bytes)
            return existing
        job = Upload(
            what=self._what(key),
            target=self._target(key),
            path=path,
            size_bytes=size_bytes,
            sha256=wanted,
            media_type=media_type,
        )
        await upload(self._connection, job, on_progress)
        return await self._confirmed(key, size_bytes)

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
        return await self._put(key, data, media_type, None)

    async def put_new(self, key: str, data: bytes, *, media_type: str) -> bool:
        """As in the port: by If-None-Match, if the server supports it."""
        try:
            await self._put(key, data, media_type, None, IfNoneMatch="*")
        except StorageError as error:
            if error.upstream_code in _THERE_ALREADY:
                return False
            if error.upstream_code not in _NOT_KNOWN:
                raise
            await self._put(key, data, media_type, None)
        return True

    async def read(
        self, key: str, *, start: int = 0, length: int | None = None, chunk_bytes: int = CHUNK_BYTES
    ) -> AsyncGenerator[bytes, None]:
        check_range(start, length, chunk_bytes)
        asked: dict[str, Any] = {}
        if start > 0 or length is not None:
            asked = {"Range": f"bytes={start}-{'' if length is None else start + length - 1}"}
        answer = await self._get(key, **asked)
        try:
            if asked and "ContentRange" not in answer:
                raise StorageRefused(f"{self._what(key)}: the store ignores ranges.")
            async for data in self._body(key, answer, chunk_bytes):
                yield data
        finally:
            answer["Body"].close()

    async def fetch(self, key: str, path: Path, *, sha256: str | None = None) -> ObjectInfo:
        wanted = sha256 and check_sha256(sha256)
        answer = await self._get(key)
        try:
            info = described(key, answer)
            chunks, what = self._body(key, answer, COPY_BYTES), self._what(key)
            await save(chunks, path, what=what, size_bytes=info.size_bytes, sha256=wanted or info.sha256)
        finally:
            answer["Body"].close()
        return info

    async def head(self, key: str) -> ObjectInfo:
        client = await self._connection.client()
        try:
            answer = await self._connection.request(self._what(key), client.head_object, **self._target(key))
        except ObjectMissing:
            # A HEAD says 404 for a missing bucket too; a wrong setting must not look like a lost object.
            await self._require_bucket()
            raise
        return described(key, answer)

    async def copy(self, source: str, target: str) -> ObjectInfo:
        info = await self.head(source)
        if source != target:
            what = f"{self._what(source)} to {target!r}"
            await copy(
                self._connection, Copy(what=what, source=self._target(source), target=self._target(target), info=info)
            )
        return await self.head(target)

    async def copy_from(self, other: ObjectStore, source: ObjectInfo, target: str) -> ObjectInfo | None:
        """As in the port: by the service, if both stores are in the same one with the same credentials."""
        if not isinstance(other, S3Store) or other._connection.service != self._connection.service:
            return None
        what = f"{other._what(source.key)} to {self._what(target)}"
        await copy(
            self._connection,
            Copy(what=what, source=other._target(source.key), target=self._target(target), info=source),
        )
        info = await self._confirmed(target, source.size_bytes)
        if info.sha256 != source.sha256:
            raise IntegrityError(f"{self._what(target)} has SHA-256 {info.sha256} instead of {source.sha256}.")
        return info

    async def remove_abandoned(self, *, older_than: timedelta, below: Sequence[str] = ("",)) -> int:
        """As in the port: aborts open multipart uploads without a recent part."""
        removed, limit = 0, self._now() - older_than
        for beginning in below:
            async for left in self.open_uploads(beginning):
                if left.last_used_at < limit:
                    removed += await self.abort(left)
        return removed

    def open_uploads(self, beginning: str = "") -> AsyncIterator[OpenUpload]:
        """List open multipart uploads of keys that start with `beginning`. Raises StorageError."""
        return open_uploads(self._connection, self.description, self.bucket, self.prefix + beginning)

    async def abort(self, upload: OpenUpload) -> bool:
        """Abort an upload; return whether it and its parts are gone."""
        return await abort(self._connection, self.description, upload)

    async def delete(self, key: str) -> None:
        client = await self._connection.client()
        try:
            await self._connection.request(self._what(key), client.delete_object, **self._target(key))
        except ObjectMissing:
            return  # S3 itself answers 204; some servers don't

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        client = await self._connection.client()
        asked: dict[str, Any] = {"Bucket": self.bucket, "Prefix": self.prefix + check_prefix(prefix)}
        while True:
            page = await self._connection.request(self._what(prefix), client.list_objects_v2, **asked)
            for entry in page.get("Contents", ()):
                key = str(entry["Key"]).removeprefix(self.prefix)
                # Others may write to the bucket too: consoles create "folder/" objects, for example.
                if is_valid_key(key):
                    yield listed(key, entry)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    async def signed_url(
        self,
        key: str,
        *,
        expires_in: timedelta,
        download_name: str | None = None,
        media_type: str | None = None,
        method: Method = "GET",
    ) -> str:
        lifetime = lifetime_seconds(expires_in)
        asked = self._target(key)
        if download_name is not None:
            asked["ResponseContentDisposition"] = attachment(download_name)
        if media_type is not None:
            asked["ResponseContentType"] = media_type
        return await self._connection.presign(self._what(key), asked, lifetime, method)

    async def check(self) -> None:
        """Lists one object: this needs the network, the bucket, the credentials and the right to list."""
        client = await self._connection.client()
        await self._connection.request(
            self.description, client.list_objects_v2, Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1
        )

    async def any_page_may_read(self) -> bool:
        """Whether the bucket's CORS rules let any page read. Raises StorageError if the store doesn't say."""
        return await any_page_may_read(self._connection, self.bucket)

    async def let_any_page_read(self) -> bool:
        """Add that rule; return whether it was missing. Raises StorageError."""
        return await let_any_page_read(self._connection, self.bucket)

    async def close(self) -> None:
        await self._connection.close()

    async def _put(self, key: str, data: bytes, media_type: str, wanted: str | None, **asked: Any) -> ObjectInfo:
        target = self._target(key)
        sha256 = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
        verify_content(f"The content for {self._what(key)}", len(data), sha256, len(data), wanted)
        checksums = await asyncio.to_thread(checksums_of, self._options.checksum, (data,))
        client = await self._connection.client()
        await self._connection.request(
            self._what(key),
            client.put_object,
            body_bytes=len(data),
            **target,
            Body=Body(data, sha256),
            ContentType=media_type,
            Metadata={"sha256": sha256},
            **checksums.parameters,
            **asked,
        )
        return await self._confirmed(key, len(data))

    async def _confirmed(self, key: str, size_bytes: int) -> ObjectInfo:
        """Return the object that was just stored. If it is gone, the error is transient: it has to be stored again."""
        info = await self._existing(key)
        if info is None:
            raise StorageUnavailable(f"{self._what(key)} was stored, and is gone already.")
        if info.size_bytes != size_bytes:
            raise IntegrityError(f"{self._what(key)}: {info.size_bytes} bytes arrived instead of {size_bytes}.")
        return info

    async def _existing(self, key: str) -> ObjectInfo | None:
        try:
            return await self.head(key)
        except ObjectMissing:
            return None

    async def _get(self, key: str, **asked: Any) -> dict[str, Any]:
        client = await self._connection.client()
        answer: dict[str, Any] = await self._connection.request(
            self._what(key), client.get_object, **self._target(key), **asked
        )
        return answer

    async def _body(self, key: str, answer: Mapping[str, Any], chunk_bytes: int) -> AsyncGenerator[bytes, None]:
        while data := await self._connection.request(self._what(key), answer["Body"].read, amt=chunk_bytes):
            yield data

    async def _require_bucket(self) -> None:
        client = await self._connection.client()
        try:
            await self._connection.request(self.description, client.head_bucket, Bucket=self.bucket)
        except ObjectMissing:
            message = f"{self.description}: there is no such bucket. Create it, or correct its name."
            raise StorageRefused(message, upstream_code="NoSuchBucket") from None
        except StorageError:
            return  # not allowed to ask, or too busy to answer: then the object is what is missing

    def _target(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.prefix + check_key(key)}

    def _what(self, key: str) -> str:
        return f"{self.description}: {key!r}"


def _tell(on_progress: OnProgress | None, sent_bytes: int) -> None:
    if on_progress is not None:
        on_progress(sent_bytes)
