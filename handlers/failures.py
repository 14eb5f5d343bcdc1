"""From the errors of the media engine and of the stores to the runtime's failure policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eventflow.runtime.failure import GenerationError, InitializationError, ResourceError, StorageStepError
from eventflow.storage import StorageError
from handlers.generation.errors import MediaError, RequestError
from handlers.media.probe import CorruptMedia

_NO_SPACE = 28


@contextmanager
def as_step_errors() -> Iterator[None]:
    """Around a handler's body: what the requester has to change fails the job at once, the rest its step alone."""
    try:
        yield
    except MediaError as error:
        kind = InitializationError if isinstance(error, RequestError) else GenerationError
        raise kind(error.code, str(error), retryable=error.retryable, retry_after_s=error.retry_after_s) from error
    except CorruptMedia as error:
        raise GenerationError("corrupt_media", str(error)) from error
    except StorageError as error:
        raise StorageStepError(error.code, str(error), retry_after_s=error.retry_after_s) from error
    except OSError as error:
        if error.errno == _NO_SPACE:
            raise ResourceError("disk_full", "no space is left on the worker's disk") from error
        raise
