"""The bucket's CORS rules: players in pages of other origins fetch segments and captions by script.

The app answers them with a redirect to the store. A browser that follows one to yet another origin says "null" for the
page's own, so that no rule but one for any origin lets it read the answer. What may be read is bound by the URL's
signature, never by who asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventflow.storage.errors import StorageError
from eventflow.storage.s3_client import S3Connection

_RULE = {
    "AllowedOrigins": ["*"],
    "AllowedMethods": ["GET", "HEAD"],
    "AllowedHeaders": ["Range", "If-Range"],
    "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
    "MaxAgeSeconds": 3600,
}
_NONE = "NoSuchCORSConfiguration"


async def any_page_may_read(connection: S3Connection, bucket: str) -> bool:
    """Whether pages of any origin may read what a signed URL leads to. Raises StorageError where that isn't told."""
    return any(map(_fits, await _rules(connection, bucket)))


async def let_any_page_read(connection: S3Connection, bucket: str) -> bool:
    """Add the rule, beside those that there are; returns whether it was missing. Raises StorageError."""
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
