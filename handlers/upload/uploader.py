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
#: Most of what a store asks for that an upload waits in its slot, in seconds.
LONGEST_S = 60.0


def _pauses(base_s: float) -> Generator[float, Any, None]:
    """Doubling pauses with full jitter, each on top of what the store has asked for. `backoff` sends the errors in."""
    longest_s = base_s
    error = yield 0.0
    while True:
        asked_s = min(error.retry_after_s or 0.0, LONGEST_S)
        error = yield asked_s + uniform(0, longest_s)  # noqa: S311 - jitter, not a secret
        longest_s *= 2


@frozen
class Delivery:
    """The stores of an upload. `base_s` is the first pause between tries; it doubles, with full jitter."""

    store: ObjectStore
    fallback: ObjectStore
    base_s: float = 1.0


@define(eq=False)
class StepUploads:
    """The uploads of one step. Once one file had to fall back, the step's others go there at once:

    each of them would otherwise wait through the same retries for the same outage.
    """

    delivery: Delivery
    local_only: bool = False
    fell_back: FileRef | None = None
    reason: str = ""

    async def upload(
        self, path: Path, ref: FileRef, key: str, on_progress: Callable[[int], None] | None = None
    ) -> FileRef:
        """`path` (the content of `ref`) under `key`; tells where it is now. Raises StorageError if nowhere."""
        retries = 0
        if not self.local_only and self.fell_back is None:

            def count(_: Any) -> None:
                nonlocal retries
                retries += 1

            try:
                began = perf_counter()
                await self._tries(count)(path, ref, key, on_progress)
                self._note("uploaded", self.delivery.store, key, ref, began, retries)
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
        self._note("kept in local storage", self.delivery.fallback, key, ref, began, stored.retry_count)
        if not self.local_only and self.fell_back is None:
            self.fell_back = stored
        return stored

    async def copy(self, ref: FileRef, key: str, source: ObjectStore) -> FileRef | None:
        """`ref`, which is in `source`, under `key` without passing through here; None where that can't be.

        What goes wrong is no try of the upload, which is made then, with all its retries.
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
        self._note("copied by the store", self.delivery.store, key, ref, began, 0)
        return evolve(ref, store="delivery", key=key, retry_count=0)

    @staticmethod
    def _note(message: str, store: ObjectStore, key: str, ref: FileRef, began: float, retries: int) -> None:
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
    """The file itself is not what was announced: neither another try nor another store mends it."""
    return isinstance(error, IntegrityError) and not error.transient


def _info(ref: FileRef) -> ObjectInfo:
    """What is known of a file's object: neither its ETag nor its time."""
    return ObjectInfo(
        key=ref.key,
        size_bytes=ref.size_bytes,
        sha256=ref.sha256,
        media_type=ref.media_type,
        etag="",
        modified_at=datetime.min.replace(tzinfo=UTC),
    )
