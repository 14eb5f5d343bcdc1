"""What S3 says of an object, as the port has it."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from eventflow.storage.keys import guess_media_type
from eventflow.storage.port import ObjectInfo


def described(key: str, answer: Mapping[str, Any]) -> ObjectInfo:
    """The object of an answer to GET or HEAD."""
    return ObjectInfo(
        key=key,
        size_bytes=int(answer["ContentLength"]),
        sha256=answer.get("Metadata", {}).get("sha256"),
        media_type=str(answer.get("ContentType") or guess_media_type(key)),
        etag=_etag(answer),
        modified_at=answer["LastModified"].astimezone(UTC),
    )


def listed(key: str, entry: Mapping[str, Any]) -> ObjectInfo:
    """The object of an entry in a list, which tells less."""
    return ObjectInfo(
        key=key,
        size_bytes=int(entry["Size"]),
        sha256=None,
        media_type=guess_media_type(key),
        etag=_etag(entry),
        modified_at=entry["LastModified"].astimezone(UTC),
    )


def same(info: ObjectInfo, size_bytes: int, sha256: str, media_type: str) -> bool:
    """Whether the object is what would be stored."""
    return (info.size_bytes, info.sha256, info.media_type) == (size_bytes, sha256, media_type)


def _etag(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ETag", "")).strip('"')
