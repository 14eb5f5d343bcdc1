"""Uploads: one try, three retries, then the fallback store; and what the file is said to be afterwards."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import define, evolve, field
from structlog.testing import capture_logs

from eventflow.domain.values import FileRef
from eventflow.storage import IntegrityError, ObjectStore, StorageError, StorageRefused, StorageUnavailable
from handlers.upload.uploader import LONGEST_S, RETRIES, DeliveryStores, StepUploads, _pauses

REF = FileRef(store="workspace", key="jobs/j/aa.mp4", sha256="aa" * 32, size_bytes=4, media_type="video/mp4")
PATH = Path("aa.mp4")
BASE_S = 0.001


@define(eq=False)
class FakeStore:
    """Fails as often as told (`always`: every time), then keeps; notes each call."""

    description: str
    failures: list[Exception] = field(factory=list)
    always: Exception | None = None
    calls: list[str] = field(factory=list)
    kept: dict[str, tuple[Path, str, str | None]] = field(factory=dict)

    async def put_file(
        self,
        key: str,
        path: Path,
        *,
        media_type: str,
        sha256: str | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self.calls.append(key)
        await asyncio.sleep(0)
        if self.always is not None:
            raise self.always
        if self.failures:
            raise self.failures.pop(0)
        if on_progress:
            on_progress(4)
        self.kept[key] = (path, media_type, sha256)


def uploads(store: FakeStore, fallback: FakeStore, *, local_only: bool = False) -> StepUploads:
    delivery = DeliveryStores(cast(ObjectStore, store), cast(ObjectStore, fallback), BASE_S)
    return StepUploads(delivery=delivery, local_only=local_only)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore("s3://b")


@pytest.fixture
def fallback() -> FakeStore:
    return FakeStore("file:///f")


def down() -> StorageUnavailable:
    return StorageUnavailable("no answer")


async def test_an_upload_tells_where_the_file_is(store: FakeStore, fallback: FakeStore) -> None:
    step, seen = uploads(store, fallback), list[int]()
    assert await step.upload(PATH, REF, "k", seen.append) == evolve(REF, store="delivery", key="k")
    assert store.kept == {"k": (PATH, "video/mp4", REF.sha256)}
    assert seen == [4]
    assert (fallback.calls, step.fell_back) == ([], None)


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_retries_are_counted(store: FakeStore, fallback: FakeStore, failures: int) -> None:
    store.failures = [down() for _ in range(failures)]
    stored = await uploads(store, fallback).upload(PATH, REF, "k")
    assert (stored.store, stored.retry_count) == ("delivery", failures)
    assert len(store.calls) == failures + 1
    assert fallback.calls == []


@pytest.mark.parametrize("error", [down(), StorageRefused("no such bucket")], ids=["unavailable", "refused"])
async def test_after_one_try_and_three_retries_it_falls_back(
    store: FakeStore, fallback: FakeStore, error: StorageError
) -> None:
    store.always = error
    step = uploads(store, fallback)
    stored = await step.upload(PATH, REF, "k")
    assert len(store.calls) == 4 == 1 + RETRIES
    assert stored == evolve(REF, store="fallback", key="k", retry_count=3)
    assert fallback.kept == {"k": (PATH, "video/mp4", REF.sha256)}
    assert step.fell_back == stored
    assert step.reason == f"{error.code}: {error}"


async def test_pauses_grow_with_jitter(store: FakeStore, fallback: FakeStore) -> None:
    store.always = down()
    with capture_logs() as logs:
        await uploads(store, fallback).upload(PATH, REF, "k")
    retries: list[Any] = [line for line in logs if line["log_level"] == "warning"]
    assert [line["retry"] for line in retries] == [1, 2, 3]
    assert all(0 <= line["wait_s"] <= BASE_S * 2**n for n, line in enumerate(retries))
    assert {(line["key"], line["store"], line["error"]) for line in retries} == {("k", "s3://b", "no answer")}


async def test_the_steps_other_files_go_straight_to_the_fallback(store: FakeStore, fallback: FakeStore) -> None:
    store.always = down()
    step = uploads(store, fallback)
    first = await step.upload(PATH, REF, "a")
    second = await step.upload(PATH, REF, "b")
    assert store.calls == ["a"] * 4
    assert fallback.calls == ["a", "b"]
    assert (second.store, second.key) == ("fallback", "b")
    assert step.fell_back == first


async def test_files_that_travel_together_fall_back_together(store: FakeStore, fallback: FakeStore) -> None:
    store.always = down()
    step = uploads(store, fallback)
    stored = await asyncio.gather(*(step.upload(PATH, REF, key) for key in "abc"))
    assert {ref.store for ref in stored} == {"fallback"}
    assert sorted(fallback.calls) == ["a", "b", "c"]
    assert step.fell_back in stored


async def test_a_file_that_is_not_what_it_should_be_is_not_retried(store: FakeStore, fallback: FakeStore) -> None:
    store.failures = [IntegrityError("other bytes")]
    step = uploads(store, fallback)
    with pytest.raises(IntegrityError):
        await step.upload(PATH, REF, "k")
    assert store.calls == ["k"]
    assert (fallback.calls, step.fell_back) == ([], None)


async def test_integrity_is_no_reason_to_go_on_after_a_retry_either(store: FakeStore, fallback: FakeStore) -> None:
    store.failures = [down(), IntegrityError("other bytes")]
    with pytest.raises(IntegrityError):
        await uploads(store, fallback).upload(PATH, REF, "k")
    assert (len(store.calls), fallback.calls) == (2, [])


async def test_a_lost_scratch_file_is_no_matter_of_the_store(store: FakeStore, fallback: FakeStore) -> None:
    store.failures = [FileNotFoundError("aa.mp4")]
    with pytest.raises(FileNotFoundError):
        await uploads(store, fallback).upload(PATH, REF, "k")
    assert (len(store.calls), fallback.calls) == (1, [])


async def test_with_both_stores_down_the_step_fails(store: FakeStore, fallback: FakeStore) -> None:
    store.always, fallback.always = down(), StorageRefused("disk full")
    step = uploads(store, fallback)
    with pytest.raises(StorageRefused, match="disk full"):
        await step.upload(PATH, REF, "k")
    assert (len(store.calls), len(fallback.calls)) == (4, 1)
    assert step.fell_back is None


async def test_local_only_never_asks_the_delivery_store(store: FakeStore, fallback: FakeStore) -> None:
    step = uploads(store, fallback, local_only=True)
    stored = await step.upload(PATH, REF, "k")
    assert stored == evolve(REF, store="fallback", key="k", retry_count=0)
    assert (store.calls, step.fell_back) == ([], None)  # it was asked for: nothing to report


async def test_a_cancelled_upload_is_no_failure(store: FakeStore, fallback: FakeStore) -> None:
    store.always = down()
    delivery = DeliveryStores(cast(ObjectStore, store), cast(ObjectStore, fallback), base_s=1_000)
    task = asyncio.create_task(StepUploads(delivery=delivery).upload(PATH, REF, "k"))
    while not store.calls:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fallback.calls == []


async def test_a_store_that_asks_for_a_pause_gets_it(store: FakeStore, fallback: FakeStore) -> None:
    store.failures = [down(), StorageUnavailable("slow down", retry_after_s=0.05), down()]
    with capture_logs() as lines:
        await uploads(store, fallback).upload(PATH, REF, "k")
    waits = [line["wait_s"] for line in lines if "wait_s" in line]
    assert [wait >= 0.05 for wait in waits] == [False, True, False]


def test_pauses_double_and_are_bounded_whatever_is_asked() -> None:
    pauses = _pauses(1.0)
    next(pauses)
    assert 0 <= pauses.send(down()) <= 1
    assert LONGEST_S <= pauses.send(StorageUnavailable("x", retry_after_s=86_400)) <= LONGEST_S + 2
    assert 0 <= pauses.send(down()) <= 4
