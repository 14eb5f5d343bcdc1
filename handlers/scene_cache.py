"""The scene cache: rendered scenes by scene digest, which other jobs of the same owner reuse.

An entry lies in the workspace's store under `cache/OWNER/DIGEST/`, where OWNER is a digest that others can't guess. Its
`entry.json` is written last and removed first; the files beside it are named by their content, so that concurrent
writers don't conflict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import structlog
from attrs import define, evolve, field, frozen
from cattrs.errors import BaseValidationError
from cattrs.preconf.orjson import make_converter

from eventflow.domain.values import FileRef, ReusableScene, SceneRendition, Segment
from eventflow.storage import ObjectMissing, ObjectStore, StorageError

_PREFIX, _ENTRY = "cache/", "entry.json"
#: Copies a file to another place, and returns it there.
Place = Callable[[FileRef], Awaitable[FileRef]]
_converter = make_converter(detailed_validation=False)


@frozen
class CacheLimits:
    """How long an entry is kept (zero: the cache is off), and how many bytes all entries may have."""

    keep: timedelta = timedelta(0)
    max_bytes: int = 10_000_000_000


@frozen
class SceneCache:
    """The scene cache of all owners in one store. `clock` returns the time in UTC."""

    store: ObjectStore
    clock: Callable[[], datetime]
    limits: CacheLimits = field(factory=CacheLimits)

    @property
    def on(self) -> bool:
        """The cache is in use."""
        return self.limits.keep > timedelta(0)

    async def find(self, owner: str, source: str, qualities: tuple[str, ...]) -> ReusableScene | None:
        """Find the scene with the scene digest `source` in all of `qualities`, else None. Its files may be gone.

        Returns None for an unreadable entry or store, too, which is logged.
        """
        if not self.on:
            return None
        key = f"{_folder(owner, source)}/{_ENTRY}"
        try:
            info = await self.store.head(key)
            if info.modified_at + self.limits.keep < self.clock():
                return None
            data = b"".join([chunk async for chunk in self.store.read(key)])
            scene = _converter.loads(data, ReusableScene)
        except ObjectMissing:
            return None
        except (StorageError, ValueError, KeyError, TypeError, BaseValidationError) as error:
            structlog.get_logger().warning("scene cache entry unreadable", source=source, error=str(error))
            return None
        by_quality = {rendition.quality: rendition for rendition in scene.rendered}
        if scene.source != source or not by_quality.keys() >= set(qualities):
            return None
        return evolve(scene, rendered=tuple(by_quality[quality] for quality in qualities))

    async def keep(self, owner: str, scene: ReusableScene) -> None:
        """Add a rendered scene, whose files are copied within the workspace. Doesn't raise: the cache is optional."""
        if not self.on or not scene.source:
            return
        folder = _folder(owner, scene.source)
        try:
            kept = await self._copied(scene, folder)
            data = _converter.dumps(kept)
            await self.store.put_bytes(f"{folder}/{_ENTRY}", data, media_type="application/json")
        except StorageError as error:
            structlog.get_logger().warning("scene not cached", source=scene.source, error=str(error))

    async def _copied(self, scene: ReusableScene, folder: str) -> ReusableScene:
        async def copied(ref: FileRef) -> FileRef:
            key = f"{folder}/{PurePosixPath(ref.key).name}"
            await self.store.copy(ref.key, key)
            return FileRef(
                store="workspace", key=key, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=ref.media_type
            )

        return await relocated(scene, copied)

    async def forget(self, owner: str, sources: Iterable[str]) -> None:
        """Remove the entries of these scene digests: a job that has them is deleted. Raises StorageError."""
        for source in {*sources} - {""}:
            await self._remove(_folder(owner, source))

    async def sweep(self) -> int:
        """Remove expired entries, then the oldest beyond `max_bytes`; return how many. Raises StorageError.

        Files without an entry expire by their own age: a writer may be about to add the entry.
        """
        now, entries = self.clock(), dict[str, _Kept]()
        async for info in self.store.list(_PREFIX):
            folder, _, name = info.key.rpartition("/")
            entry = entries.setdefault(folder, _Kept())
            at = info.modified_at if name == _ENTRY or entry.at is None else max(entry.at, info.modified_at)
            entries[folder] = _Kept(at, entry.size_bytes + info.size_bytes)
        left, gone = sum(entry.size_bytes for entry in entries.values()), 0
        for folder, entry in sorted(entries.items(), key=lambda item: item[1].at or now):
            if (entry.at or now) + self.limits.keep >= now and left <= self.limits.max_bytes:
                break
            await self._remove(folder)
            left, gone = left - entry.size_bytes, gone + 1
        return gone

    async def _remove(self, folder: str) -> None:
        await self.store.delete(f"{folder}/{_ENTRY}")
        for key in [info.key async for info in self.store.list(f"{folder}/")]:
            await self.store.delete(key)


@define(eq=False)
class CacheSweeper:
    """Sweeps a cache at most `every` so often, when `look` is called. Processes need no coordination."""

    cache: SceneCache
    every: timedelta = timedelta(hours=1)
    _last: datetime | None = None

    async def look(self) -> None:
        """Sweep if `every` has passed since the last time. Doesn't raise: a failure is logged."""
        now = self.cache.clock()
        if self._last is not None and now < self._last + self.every:
            return
        self._last = now
        try:
            if gone := await self.cache.sweep():
                structlog.get_logger().info("scene cache swept", entries=gone)
        except StorageError as error:
            structlog.get_logger().warning("scene cache not swept", error=str(error))


@frozen
class _Kept:
    """The time at which an entry was written, and the bytes of its folder."""

    at: datetime | None = None
    size_bytes: int = 0


def _folder(owner: str, source: str) -> str:
    return f"{_PREFIX}{hashlib.sha256(owner.encode()).hexdigest()[:32]}/{source}"


async def relocated(scene: ReusableScene, place: Place) -> ReusableScene:
    """Return `scene` with every file where `place` put it; files of the same content are placed once."""
    placed: dict[str, FileRef] = {}

    async def once(ref: FileRef) -> FileRef:
        if ref.sha256 not in placed:
            placed[ref.sha256] = await place(ref)
        return placed[ref.sha256]

    renditions = list[SceneRendition]()
    for rendition in scene.rendered:
        segments = [Segment(await once(segment.file), segment.duration_cells) for segment in rendition.segments]
        renditions.append(evolve(rendition, init=await once(rendition.init), segments=tuple(segments)))
    narration = await once(scene.narration) if scene.narration else None
    return evolve(scene, spec=await once(scene.spec), narration=narration, rendered=tuple(renditions), uploaded=())
