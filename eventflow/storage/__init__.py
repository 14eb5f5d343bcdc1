"""Object stores: one port (`port.ObjectStore`), implemented on S3 and in a directory; `open_store` makes one by URL.

Start with `port`, then `errors`. `local` and `s3` implement the port. The store on S3 isn't imported here: its client
takes as long to load as all the rest, and many processes need none.
"""

from eventflow.storage.content_disposition import attachment
from eventflow.storage.errors import (
    BadSignature,
    DamagedOnTheWay,
    ExpiredSignature,
    IntegrityError,
    InvalidKey,
    ObjectMissing,
    RangeNotSatisfiable,
    SignatureError,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from eventflow.storage.factory import PublicAddress, open_store
from eventflow.storage.local.store import LocalStore
from eventflow.storage.object_keys import check_key, guess_media_type
from eventflow.storage.port import Method, ObjectInfo, ObjectStore
from eventflow.storage.signed_urls import MediaGrant, SigningKey, SigningKeys, sign_url, verify

__all__ = [
    "BadSignature",
    "DamagedOnTheWay",
    "ExpiredSignature",
    "IntegrityError",
    "InvalidKey",
    "LocalStore",
    "MediaGrant",
    "Method",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "PublicAddress",
    "RangeNotSatisfiable",
    "SignatureError",
    "SigningKey",
    "SigningKeys",
    "StorageError",
    "StorageRefused",
    "StorageUnavailable",
    "attachment",
    "check_key",
    "guess_media_type",
    "open_store",
    "sign_url",
    "verify",
]
