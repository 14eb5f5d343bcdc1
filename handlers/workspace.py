"""The workspace: the store by which steps pass files to each other.

A key contains the SHA-256 of its content. A worker that resumes after its lease was lost writes the same bytes under
the same key, or other bytes under another one: a file that an event names never changes.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

from eventflow.domain.values import FileRef
from eventflow.runtime.retry_policy import ArtefactMissing
from eventflow.storage import ObjectMissing, ObjectStore

_CHUNK_BYTES = 1 << 20
#: Files of a deleted job that are removed concurrently.
_REMOVALS = 16


def prefix_of(role: str, job_id: str) -> str:
    """Return the key prefix of all files of a job, and of no other job, in the store of `role`."""
    return f"jobs/{job_id}/" if role == "workspace" else f"videos/{job_id}/"


@frozen
class Workspace:
    """Puts and fetches artefacts. `scratch` is the folder for files of running steps (None: the system's).

    `delivered` holds the stores for viewers by role: files that the workspace no longer has are fetched from there.
    """

    store: ObjectStore
    scratch: Path | None = None
    delivered: Mapping[str, ObjectStore] = field(factory=dict)

    async def put(self, job_id: str, path: Path, media_type: str) -> FileRef:
        """Store a file of a job. Raises StorageError."""
        digest, size = await asyncio.to_thread(digest_of, path)
        key = f"jobs/{job_id}/{digest}{path.suffix}"
        await self.store.put_file(key, path, media_type=media_type, sha256=digest)
        return FileRef(store="workspace", key=key, sha256=digest, size_bytes=size, media_type=media_type)

    async def put_json(self, job_id: str, data: bytes) -> FileRef:
        """Store a JSON document. Raises StorageError."""
        return await self._put_bytes(job_id, data, ".json", "application/json")

    async def put_text(self, job_id: str, text: str, suffix: str, media_type: str) -> FileRef:
        """Store a small text. Raises StorageError."""
        return await self._put_bytes(job_id, text.encode(), suffix, media_type)

    async def _put_bytes(self, job_id: str, data: bytes, suffix: str, media_type: str) -> FileRef:
        digest = hashlib.sha256(data).hexdigest()
        key = f"jobs/{job_id}/{digest}{suffix}"
        await self.store.put_bytes(key, data, media_type=media_type)
        return FileRef(store="workspace", key=key, sha256=digest, size_bytes=len(data), media_type=media_type)

    async def copy(self, job_id: str, ref: FileRef) -> FileRef:
        """Copy a file of the workspace to another job's files. Raises ObjectMissing, StorageError."""
        key = f"jobs/{job_id}/{Path(ref.key).name}"
        await self.store.copy(ref.key, key)
        return FileRef(
            store="workspace", key=key, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=ref.media_type
        )

    async def get(self, ref: FileRef) -> bytes:
        """Return the content of a small artefact. Raises ArtefactMissing, StorageError."""
        try:
            chunks = [chunk async for chunk in self.store.read(ref.key)] if ref.size_bytes else []
        except ObjectMissing as error:
            raise await self._lost(ref) from error
        return b"".join(chunks)

    async def fetch(self, ref: FileRef, folder: Path, delivered: Iterable[FileRef] = ()) -> Path:
        """Copy the artefact into `folder`, checked against its digest; return the copy's path.

        If it is gone, a file in `delivered` with the same content takes its place. Raises ArtefactMissing if all are
        gone, IntegrityError, StorageError.
        """
        path = folder / Path(ref.key).name
        for file in (ref, *(other for other in delivered if other.sha256 == ref.sha256)):
            store = self.store if file.store == "workspace" else self.delivered[file.store]
            try:
                await store.fetch(file.key, path, sha256=file.sha256)
            except ObjectMissing:
                continue
            return path
        raise await self._lost(ref)

    async def _lost(self, ref: FileRef) -> ArtefactMissing:
        """Build the error of a lost file. Raises StorageError if the whole store is unusable: nothing is lost then."""
        await self.store.check()
        return ArtefactMissing(ref.key)

    async def clear(self, job_id: str, keep: Container[str] = ()) -> int:
        """Remove a job's files from the workspace but the keys in `keep`; return how many. Raises StorageError."""
        keys = [info.key async for info in self.store.list(f"jobs/{job_id}/") if info.key not in keep]
        for key in keys:
            await self.store.delete(key)
        return len(keys)

    async def remove_all(self, job_id: str) -> int:
        """Remove every file of a job from every store; return how many. Raises StorageError."""
        removed = 0
        for role, store in {"workspace": self.store, **self.delivered}.items():
            keys = [info.key async for info in store.list(prefix_of(role, job_id))]
            for start in range(0, len(keys), _REMOVALS):
                await asyncio.gather(*map(store.delete, keys[start : start + _REMOVALS]))
            removed += len(keys)
        return removed

    @contextmanager
    def folder(self, job_id: str) -> Iterator[Path]:
        """Create a scratch folder for one step; it is removed when the step ends, unless the process is killed."""
        if self.scratch is not None:
            self.scratch.mkdir(parents=True, exist_ok=True)
        prefix = f"eventflow-{job_id[:11]}-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir=self.scratch, ignore_cleanup_errors=True) as name:
            yield Path(name)


def digest_of(path: Path) -> tuple[str, int]:
    """Return (SHA-256 as lower-case hex, size in bytes) of a file, read in chunks."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
