"""Maps errors of the media engine, the stores and the machine to step errors of the runtime."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from av.error import FFmpegError

from eventflow.runtime.retry_policy import GenerationError, InitializationError, ResourceError, StorageStepError
from eventflow.storage import StorageError
from handlers.media.errors import CorruptMedia, MediaError, RequestError

_FULL = ("disk_full", "no space is left on the worker's disk")
_FILES = ("too_many_files", "the worker can't open more files: raise its limit (ulimit -n)")
#: errno -> (code, message): failures of this machine, of which no job is the cause.
_MACHINE_FAILURES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: ("disk_full", "the worker may not write files as large as this (ulimit -f)"),
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: ("out_of_memory", "the worker ran out of memory"),
    errno.EROFS: ("disk_failed", "the worker's disk is read-only"),
    errno.EIO: ("disk_failed", "the worker's disk has failed to read or write"),
}


@contextmanager
def as_step_errors() -> Iterator[None]:
    """Turn errors of a handler's body into step errors: faults of the request fail the job, others fail the step.

    A failure of this machine is a ResourceError, whichever library reported it.
    """
    try:
        yield
    except StorageError as error:
        raise StorageStepError(error.code, str(error), retry_after_s=error.retry_after_s) from error
    except (MediaError, CorruptMedia, OSError, MemoryError) as error:
        if (fault := _machine_failure(error)) is not None:
            raise fault from error
        if isinstance(error, MediaError):
            kind = InitializationError if isinstance(error, RequestError) else GenerationError
            raise kind(error.code, str(error), retryable=error.retryable, retry_after_s=error.retry_after_s) from error
        if isinstance(error, CorruptMedia):
            raise GenerationError("corrupt_media", str(error)) from error
        raise


def _machine_failure(error: BaseException) -> ResourceError | None:
    """Return the machine's failure behind an error or its causes, or None."""
    cause: BaseException | None = error
    while cause is not None:
        number = errno.ENOMEM if isinstance(cause, MemoryError) else getattr(cause, "errno", None)
        # libav reports EIO for broken files, too.
        if number in _MACHINE_FAILURES and not (number == errno.EIO and isinstance(cause, FFmpegError)):
            return ResourceError(*_MACHINE_FAILURES[number])
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return None
