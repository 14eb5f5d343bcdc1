"""Maps errors of the media engine and of the stores to the runtime's failure policy."""

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
#: Errors of the operating system that are this machine's fault, not the job's.
_OF_THE_MACHINE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: ("disk_full", "the worker may not write files as large as this (ulimit -f)"),
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: ("out_of_memory", "the worker ran out of memory"),
    errno.EROFS: ("disk_failed", "the worker's disk takes no writes any more"),
    errno.EIO: ("disk_failed", "the worker's disk has failed to read or write"),
}


@contextmanager
def as_step_errors() -> Iterator[None]:
    """Convert errors in a handler's body: a RequestError fails the job at once, other errors its step.

    A lack of this machine's resources never counts against the job, whichever error reports it.
    """
    try:
        yield
    except StorageError as error:
        raise StorageStepError(error.code, str(error), retry_after_s=error.retry_after_s) from error
    except (MediaError, CorruptMedia, OSError, MemoryError) as error:
        if (fault := _fault_of_the_machine(error)) is not None:
            raise fault from error
        if isinstance(error, MediaError):
            kind = InitializationError if isinstance(error, RequestError) else GenerationError
            raise kind(error.code, str(error), retryable=error.retryable, retry_after_s=error.retry_after_s) from error
        if isinstance(error, CorruptMedia):
            raise GenerationError("corrupt_media", str(error)) from error
        raise


def _fault_of_the_machine(error: BaseException) -> ResourceError | None:
    """Find a lack of resources in the error or its causes."""
    cause: BaseException | None = error
    while cause is not None:
        number = errno.ENOMEM if isinstance(cause, MemoryError) else getattr(cause, "errno", None)
        # libav reports EIO for broken files, too.
        if number in _OF_THE_MACHINE and not (number == errno.EIO and isinstance(cause, FFmpegError)):
            return ResourceError(*_OF_THE_MACHINE[number])
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return None
