"""One file from the workspace to where viewers reach it: one try, three retries, then the fallback store."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from random import uniform
from time import perf_counter
from typing import Any

import backoff
import structlog
from attrs import define, evolve, frozen

from eventflow.domain.values import FileRef
from eventflow.storage import IntegrityError, ObjectInfo, ObjectStore, StorageError

#: The seed's "retry exactly 3 times": `backoff` counts calls, so one try and three retries are four.
RETRIES = 3
#: Longest pause asked for by a store that an upload waits for in its slot, in seconds.
LONGEST_S = 60.0


def _pauses(base_s: float) -> Generator[float, Any, None]:
    """Yield doubling pauses with full jitter, each added to what the store asked for. `backoff` sends in the errors."""
    longest_s = base_s
    error = yield 0.0
    while True:
        asked_s = min(error.retry_after_s or 0.0, LONGEST_S)
        error = yield asked_s + uniform(0, longest_s)  # noqa: S311 - jitter, not a secret
        longest_s *= 2


@frozen
class DeliveryStores:
    """Where uploads go: `store`, else `fallback`. `base_s` is the first pause between tries, which doubles."""

    store: ObjectStore
    fallback: ObjectStore
    base_s: float = 1.0


@define(eq=False, kw_only=True)
class StepUploads:
    """The uploads of one step. Once one file fell back, the step's others go to the fallback store at once.

    Each of them would otherwise wait through the same retries for the same outage. `fell_back` is the first such file,
    `reason` the error for people.
    """

    delivery: DeliveryStores
    local_only: bool = False
    fell_back: FileRef | None = None
    reason: str = ""

    async def upload(
        self, path: Path, ref: FileRef, key: str, on_progress: Callable[[int], None] | None = None
    ) -> FileRef:
        """Upload `path` (the content of `ref`) under `key`; return where it is. Raises StorageError if both fail."""
        retries = 0
        if not self.local_only and self.fell_back is None:

            def count(_: Any) -> None:
                nonlocal retries
                retries += 1

            try:
                began = perf_counter()
                await self._tries(count)(path, ref, key, on_progress)
                self._log("uploaded", self.delivery.store, key, ref, began, retries)
                return evolve(ref, store="delivery", key=key, retry_count=retries)
            except StorageError as error:
                if _is_hopeless(error):
                    raise
                self.reason = f"{error.code}: {error}"
        began = perf_counter()
        stored = evolve(ref, store="fallback", key=key, retry_count=retries)
        await self.delivery.fallback.put_file(
            key, path, media_type=ref.media_type, sha256=ref.sha256, on_progress=on_progress
        )
        self._log("kept in the fallback store", self.delivery.fallback, key, ref, began, stored.retry_count)
        if not self.local_only and self.fell_back is None:
            self.fell_back = stored
        return stored

    async def copy(self, ref: FileRef, key: str, source: ObjectStore) -> FileRef | None:
        """Let the store copy `ref` from `source` to `key`; None if it can't.

        A failure doesn't count as a try: the upload that follows has all its retries.
        """
        if self.local_only or self.fell_back is not None:
            return None
        began = perf_counter()
        try:
            copied = await self.delivery.store.copy_from(source, _info(ref), key)
        except StorageError as error:
            structlog.get_logger().info("not copied by the store", key=key, error=str(error))
            return None
        if copied is None:
            return None
        self._log("copied by the store", self.delivery.store, key, ref, began, 0)
        return evolve(ref, store="delivery", key=key, retry_count=0)

    @staticmethod
    def _log(message: str, store: ObjectStore, key: str, ref: FileRef, began: float, retries: int) -> None:
        structlog.get_logger().info(
            message,
            store=store.description,
            key=key,
            size_bytes=ref.size_bytes,
            seconds=round(perf_counter() - began, 3),
            retries=retries,
        )

    def _tries(self, count: Callable[[Any], None]) -> Callable[..., Any]:
        def note(details: Any) -> None:
            count(details)
            structlog.get_logger().warning(
                "upload failed; trying again",
                store=self.delivery.store.description,
                key=details["args"][2],
                retry=details["tries"],
                wait_s=round(details["wait"], 3),
                error=str(details.get("exception", "")),
            )

        retrying: Callable[..., Any] = backoff.on_exception(
            _pauses,
            StorageError,
            max_tries=1 + RETRIES,
            giveup=_is_hopeless,
            on_backoff=note,
            jitter=None,
            base_s=self.delivery.base_s,
            logger=None,
        )(self._put)
        return retrying

    async def _put(self, path: Path, ref: FileRef, key: str, on_progress: Callable[[int], None] | None) -> None:
        await self.delivery.store.put_file(
            key, path, media_type=ref.media_type, sha256=ref.sha256, on_progress=on_progress
        )


def _is_hopeless(error: Exception) -> bool:
    """Whether the file itself isn't what was announced: neither another try nor another store helps."""
    return isinstance(error, IntegrityError) and not error.transient


def _info(ref: FileRef) -> ObjectInfo:
    """Describe a file's object, without its ETag and time, which aren't known."""
    return ObjectInfo(
        key=ref.key,
        size_bytes=ref.size_bytes,
        sha256=ref.sha256,
        media_type=ref.media_type,
        etag="",
        modified_at=datetime.min.replace(tzinfo=UTC),
    )
