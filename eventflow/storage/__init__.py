"""Where bytes are kept: one port (`port.ObjectStore`), made by `open_store` from a URL."""

from eventflow.storage.disposition import attachment
from eventflow.storage.errors import (
    BadSignature,
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
from eventflow.storage.factory import open_store
from eventflow.storage.keys import check_key, guess_media_type
from eventflow.storage.local import LocalStore
from eventflow.storage.port import ObjectInfo, ObjectStore
from eventflow.storage.s3 import S3Store
from eventflow.storage.s3_client import S3Options
from eventflow.storage.signing import MediaGrant, SigningKey, SigningKeys, sign_url, verify

__all__ = [
    "BadSignature",
    "ExpiredSignature",
    "IntegrityError",
    "InvalidKey",
    "LocalStore",
    "MediaGrant",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "RangeNotSatisfiable",
    "S3Options",
    "S3Store",
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
