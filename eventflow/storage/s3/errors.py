"""S3 answers and errors in the terms of the storage port, without secrets."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import aiohttp
from attrs import frozen
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from eventflow.storage.errors import (
    DamagedOnTheWay,
    ObjectMissing,
    RangeNotSatisfiable,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from eventflow.storage.object_keys import guess_media_type
from eventflow.storage.port import ObjectInfo

_MISSING = {"NoSuchKey", "NotFound", "404"}
_CORRUPTED = {
    "BadDigest",
    "InvalidDigest",
    "ContentSHA256Mismatch",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
}
_TRANSIENT = {
    "ConditionalRequestConflict",
    "InternalError",
    "NoSuchUpload",  # somebody cleaned up: a new upload will do
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}
#: Ways out by the store's code, or by the status of an answer without a body.
_WAYS_OUT = {
    "NoSuchBucket": "Create the bucket, or correct its name.",
    "AccessDenied": "Give these credentials the right to do this.",
    "403": "Check the credentials and their rights.",
    "InvalidAccessKeyId": "Check AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "Check AWS_SECRET_ACCESS_KEY, and the region.",
    "ExpiredToken": "Renew the session token.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
    "PermanentRedirect": "The bucket is in another region: set AWS_REGION.",
    "AuthorizationHeaderMalformed": "Set AWS_REGION to the bucket's region.",
    "AuthorizationQueryParametersError": "Set AWS_REGION to the bucket's region.",
    "IllegalLocationConstraintException": "The bucket is in another region: set AWS_REGION.",
}
_NETWORK = (
    boto.ConnectionError,
    boto.HTTPClientError,
    boto.ResponseStreamingError,
    boto.IncompleteReadError,
    ResponseParserError,  # typically a proxy's HTML page instead of S3's XML
    aiohttp.ClientError,
    asyncio.TimeoutError,
    OSError,
)
_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)

# A URL's query and user part are where signatures and passwords are.
_QUERY = re.compile(r"(https?://[^\s\"'?<>]*)\?[^\s\"'<>]*")
_USER_PART = re.compile(r"(https?://)[^/\s\"'@]*@")
_NAMED_SECRET = re.compile(
    r"((?:X-Amz-)?(?:Signature|Security-Token|Credential|AWSAccessKeyId)\s*[=:]\s*)[^\s&,;\"'<>]+", re.IGNORECASE
)


@frozen
class Redactor:
    """Removes secrets from texts of other software."""

    secrets: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = _USER_PART.sub(r"\1***@", _QUERY.sub(r"\1?***", text))
        return _NAMED_SECRET.sub(r"\1***", text)[:500]


@contextmanager
def reported(what: str, redact: Redactor) -> Iterator[None]:
    """Turn the errors of a request, which is the body, into a StorageError about `what`.

    The error has no cause: a cause's text and attributes may hold secrets, which mustn't be logged.
    """
    try:
        yield
    except boto.ClientError as error:
        raise _answered(what, error, redact) from None
    except _CREDENTIALS as error:
        way_out = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role."
        raise StorageRefused(f"{what}: {redact(str(error))}. {way_out}", upstream_code=_name(error)) from None
    except _NETWORK as error:
        text = redact(str(error)) or "timed out"
        raise StorageUnavailable(f"{what}: {text} ({_name(error)})", upstream_code=_name(error)) from None
    except boto.BotoCoreError as error:
        raise StorageRefused(f"{what}: {redact(str(error))}", upstream_code=_name(error)) from None


def _answered(what: str, error: boto.ClientError, redact: Redactor) -> StorageError:
    """Return the StorageError of an error answer."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = redact(str(error.response.get("Error", {}).get("Message", "")))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    way_out = _WAYS_OUT.get(code, "")
    message = f"{what}: {code} {text} (status {status}). {way_out}".strip()
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return _kind(code, status)(message, upstream_code=code, retry_after_s=_seconds(headers.get("retry-after", "")))


def _seconds(retry_after: str) -> float | None:
    """Return the seconds of a Retry-After header, else None: stores don't use its other form, a date."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None


def _kind(code: str, status: int) -> type[StorageError]:
    if code in _MISSING:
        return ObjectMissing
    if code in _CORRUPTED:
        return DamagedOnTheWay
    if code in _TRANSIENT:
        return StorageUnavailable
    if status == 416:
        return RangeNotSatisfiable
    # 507 is a full store (MinIO): waiting does not help.
    if status == 429 or (status >= 500 and status not in (501, 507)):
        return StorageUnavailable
    return StorageRefused


def _name(error: BaseException) -> str:
    return type(error).__name__


def described(key: str, answer: Mapping[str, Any]) -> ObjectInfo:
    """Return the object of an answer to GET or HEAD."""
    return ObjectInfo(
        key=key,
        size_bytes=int(answer["ContentLength"]),
        sha256=answer.get("Metadata", {}).get("sha256"),
        media_type=str(answer.get("ContentType") or guess_media_type(key)),
        etag=_etag(answer),
        modified_at=answer["LastModified"].astimezone(UTC),
    )


def listed(key: str, entry: Mapping[str, Any]) -> ObjectInfo:
    """Return the object of an entry of a list, which has no SHA-256 and no media type."""
    return ObjectInfo(
        key=key,
        size_bytes=int(entry["Size"]),
        sha256=None,
        media_type=guess_media_type(key),
        etag=_etag(entry),
        modified_at=entry["LastModified"].astimezone(UTC),
    )


def same(info: ObjectInfo, size_bytes: int, sha256: str, media_type: str) -> bool:
    """Whether the stored object equals the one to be stored."""
    return (info.size_bytes, info.sha256, info.media_type) == (size_bytes, sha256, media_type)


def _etag(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ETag", "")).strip('"')
