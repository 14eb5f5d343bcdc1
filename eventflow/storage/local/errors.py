"""Maps errors of the operating system to those of a store."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from eventflow.storage.errors import InvalidKey, ObjectMissing, StorageError, StorageRefused, StorageUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_A_PLACE = {errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG, errno.EEXIST}


@contextmanager
def reported(key: str) -> Iterator[None]:
    """Turn every OSError of the body into a StorageError about `key`."""
    try:
        yield
    except OSError as error:
        raise as_storage_error(key, error) from error


def as_storage_error(key: str, error: OSError) -> StorageError:
    """Return the StorageError about `key` for an OSError of the store's file system."""
    code = errno.errorcode.get(error.errno or 0)
    detail = f"{key!r}: {error.strerror} ({code})"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ObjectMissing(f"Nothing is stored under {key!r}.", upstream_code=code)
    if error.errno in _FULL:
        return StorageRefused(f"{detail}. Free space on the store's disk.", upstream_code=code)
    if error.errno in _DENIED:
        return StorageRefused(f"{detail}. Let this user write to the store's directory.", upstream_code=code)
    if error.errno in _NOT_A_PLACE:
        return InvalidKey(f"{detail}.", upstream_code=code)
    return StorageUnavailable(f"{detail}.", upstream_code=code)
