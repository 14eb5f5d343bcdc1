"""Errors of object stores, as a tree.

StorageError
├── ObjectMissing          no object has this key
├── StorageUnavailable     network, timeout, 5xx, throttling: transient, try again later
├── StorageRefused         permission, unknown bucket, full disk, quota: a person has to act
├── IntegrityError         the bytes are not the bytes that were announced
│   └── DamagedOnTheWay    they were damaged in transit: transient, send them again
├── InvalidKey             the key is malformed or would leave the store
├── RangeNotSatisfiable    the range starts behind the last byte
└── SignatureError
    ├── BadSignature       the URL was not signed by one of our keys, or was changed since
    └── ExpiredSignature   the URL was valid once

Messages carry the store's own code and text, and never a signed URL, a signature or a secret.
"""

from typing import ClassVar


class StorageError(Exception):
    """Base of all errors of `eventflow.storage`; `str(error)` is safe to log and to show."""

    code: ClassVar[str] = "storage_error"
    #: Whether the same call may succeed later without anybody's intervention.
    transient: ClassVar[bool] = False

    def __init__(self, message: str, *, upstream_code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        #: How long the store asked to be left alone (`Retry-After`), in seconds, or None.
        self.retry_after_s = retry_after_s
        #: The code the store itself gave, such as "NoSuchBucket", or None.
        self.upstream_code = upstream_code


class ObjectMissing(StorageError):
    """No object has this key."""

    code = "object_missing"


class StorageUnavailable(StorageError):
    """The store can't be reached or is overloaded; transient."""

    code = "storage_unavailable"
    transient = True


class StorageRefused(StorageError):
    """The store refuses, and will until a person changes something."""

    code = "storage_refused"


class IntegrityError(StorageError):
    """The bytes differ from what was announced; nothing was stored or written."""

    code = "integrity_error"


class DamagedOnTheWay(IntegrityError):
    """The store got other bytes than were sent, by their checksum; transient."""

    code = "damaged_on_the_way"
    transient = True


class InvalidKey(StorageError):
    """The key is malformed or would leave the store."""

    code = "invalid_key"


class RangeNotSatisfiable(StorageError):
    """The range starts behind the object's last byte."""

    code = "range_not_satisfiable"


class SignatureError(StorageError):
    """A signed URL is refused."""

    code = "signature_refused"


class BadSignature(SignatureError):
    """The URL was not signed by one of our keys, or was changed since."""

    code = "bad_signature"


class ExpiredSignature(SignatureError):
    """The URL was good once."""

    code = "expired_signature"
