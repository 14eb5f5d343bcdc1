"""The failure policy: what an exception goes down as, and when to try again."""

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventflow.domain.values import FailureCategory
from eventflow.runtime.retry_policy import (
    GenerationError,
    InitializationError,
    ResourceError,
    RetryPolicy,
    StepError,
    StorageStepError,
    failure_of,
)
from eventflow.storage import StorageUnavailable
from handlers.generation.errors import EncodeError, ScriptError
from handlers.media.errors import CorruptMedia
from handlers.step_errors import as_step_errors

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "category", "code"),
    [
        (InitializationError("voice", "no such voice"), FailureCategory.INITIALIZATION, "voice"),
        (GenerationError("encode", "x"), FailureCategory.GENERATION, "encode"),
        (StorageStepError("storage_refused", "x"), FailureCategory.STORAGE, "storage_refused"),
        (ResourceError("disk_full", "x"), FailureCategory.RESOURCE, "disk_full"),
        (StepError("odd", "x"), FailureCategory.INTERNAL, "odd"),
        (MemoryError(), FailureCategory.RESOURCE, "out_of_memory"),
        (KeyError("x"), FailureCategory.INTERNAL, "KeyError"),
    ],
)
def test_what_an_exception_goes_down_as(error: Exception, category: FailureCategory, code: str) -> None:
    failure = failure_of(error)
    assert (failure.category, failure.code) == (category, code)
    assert failure.message


def test_a_message_is_never_empty_and_never_endless() -> None:
    assert failure_of(RuntimeError()).message == "RuntimeError"
    assert len(failure_of(RuntimeError("x" * 100_000)).message) == 2_000


def test_a_message_can_be_written_down() -> None:
    assert failure_of(OSError(2, "No such file", "a\udcff.mp4")).message.encode()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ScriptError("empty"), FailureCategory.INITIALIZATION),
        (CorruptMedia("x"), FailureCategory.GENERATION),
        (StorageUnavailable("x"), FailureCategory.STORAGE),
        (OSError(28, "No space left on device"), FailureCategory.RESOURCE),
        (OSError(5, "I/O error"), FailureCategory.RESOURCE),
        (OSError(122, "Disk quota exceeded"), FailureCategory.RESOURCE),
        (OSError(24, "Too many open files"), FailureCategory.RESOURCE),
        (MemoryError(), FailureCategory.RESOURCE),
        (OSError(2, "No such file or directory"), FailureCategory.INTERNAL),
    ],
    ids=repr,
)
def test_errors_of_the_engine_and_the_stores_have_their_category(raised: Exception, expected: FailureCategory) -> None:
    with pytest.raises(Exception) as caught, as_step_errors():  # noqa: PT011
        raise raised
    assert failure_of(caught.value).category is expected


@given(st.integers(1, 50), st.integers(0, 2**32))
def test_pauses_double_with_jitter_up_to_a_cap(attempt: int, seed: int) -> None:
    policy = RetryPolicy(base_s=2, cap_s=60)
    whole = min(60.0, 2 * 2.0 ** (attempt - 1))
    at = policy.retry_at(NOW, attempt, Random(seed))
    assert at is not None
    pause = at - NOW
    assert timedelta(seconds=whole / 2) <= pause <= timedelta(seconds=whole)


def test_pauses_differ() -> None:
    random, policy = Random(1), RetryPolicy()
    assert len({policy.retry_at(NOW, 1, random) for _ in range(10)}) == 10


@pytest.mark.parametrize("kind", [EncodeError, ScriptError, CorruptMedia])
@pytest.mark.parametrize("cause", [OSError(errno.ENOSPC, "x"), OSError(errno.EMFILE, "x"), MemoryError()], ids=repr)
def test_what_the_machine_lacks_is_told_whoever_has_noticed_it(kind: type[Exception], cause: Exception) -> None:
    error = kind("it could not be done")
    error.__cause__ = cause
    with pytest.raises(ResourceError) as caught, as_step_errors():
        raise error
    assert caught.value.retryable
    assert caught.value.code in {"disk_full", "too_many_files", "out_of_memory"}


def test_a_full_disk_under_libav_is_one() -> None:
    with pytest.raises(ResourceError) as caught, as_step_errors():
        _encode_to(Path("/dev/full"))
    assert caught.value.code == "disk_full"


def _encode_to(path: Path) -> None:
    """A WAV of a minute, in the way that renditions are written."""
    try:
        with av.open(str(path), "w", format="wav") as made:
            stream = made.add_stream("pcm_s16le", rate=48_000)
            for _ in range(100):
                frame = av.AudioFrame(format="s16", layout="stereo", samples=4_096)
                frame.rate = 48_000
                made.mux(stream.encode(frame))
    except av.FFmpegError as error:
        raise EncodeError(f"{path.name}: {error}") from error


def test_libav_says_input_or_output_error_of_broken_files_too() -> None:
    error = EncodeError("broken")
    error.__cause__ = av.error.classes[errno.EIO](errno.EIO, "Input/output error")  # type: ignore[operator]
    with pytest.raises(GenerationError), as_step_errors():
        raise error


@given(st.floats(0, 10_000), st.integers(0, 2**32))
def test_an_upstream_that_asked_for_a_pause_gets_it_and_a_little_more(asked_s: float, seed: int) -> None:
    policy = RetryPolicy(base_s=2, longest_s=100)
    at = policy.retry_at(NOW, 1, Random(seed), StorageStepError("slow_down", "x", retry_after_s=asked_s))
    assert at is not None
    least = min(100.0, asked_s)
    assert timedelta(seconds=least + 0.99) <= at - NOW <= timedelta(seconds=least + 2.01)


def test_what_no_retry_can_mend_gets_none() -> None:
    assert RetryPolicy().retry_at(NOW, 1, Random(1), GenerationError("x", "y", retryable=False)) is None
    assert RetryPolicy().retry_at(NOW, 1, Random(1), KeyError("x")) is not None


def test_a_store_that_asks_for_a_pause_is_heard() -> None:
    with pytest.raises(StorageStepError) as caught, as_step_errors():
        raise StorageUnavailable("slow down", retry_after_s=7)
    assert caught.value.retry_after_s == 7
