"""The progress of an upload step: bytes sent of all its files; a second try doesn't turn it back."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from eventflow.domain.values import FileRef
from eventflow.runtime.context import StepContext
from eventflow.storage import LocalStore, StorageUnavailable
from handlers.upload.handler import Upload, _Step
from handlers.upload.uploader import DeliveryStores
from handlers.workspace import Workspace

MIB = 1 << 20


def now() -> datetime:
    return datetime.now(UTC)


class CutOnce(LocalStore):
    """Doesn't copy, and breaks off the first upload when half of it is there."""

    cut = False

    async def copy_from(self, *_: Any) -> None:
        return None

    async def put_file(self, key: str, path: Path, **options: Any) -> Any:
        if not self.cut:
            self.cut = True
            options["on_progress"](path.stat().st_size // 2)
            raise StorageUnavailable("cut")
        return await super().put_file(key, path, **options)


async def _file(workspace: Workspace, folder: Path, data: bytes) -> FileRef:
    path = folder / f"{hashlib.sha256(data).hexdigest()}.mp4"
    path.write_bytes(data)
    return await workspace.put("job", path, "video/mp4")


async def _deliver(tmp_path: Path, store: LocalStore) -> list[float]:
    """The fractions that are told while files of 3 and 1 MiB are delivered."""
    workspace = Workspace(LocalStore(tmp_path / "workspace", now=now))
    told: list[float] = []
    request = SimpleNamespace(s3_upload_enabled=True)
    reaction = SimpleNamespace(job_id="job", job=SimpleNamespace(request=request), progress=told.append)
    upload = Upload(workspace, DeliveryStores(store, LocalStore(tmp_path / "fallback", now=now), 0.001))
    step = _Step(upload, cast(StepContext, reaction), tmp_path, 4 * MIB, ())
    for data in (b"a" * 3 * MIB, b"b" * MIB):
        ref = await _file(workspace, tmp_path, data)
        stored = await step.file(ref, "720p")
        assert [chunk async for chunk in store.read(stored.key, chunk_bytes=4 * MIB)] == [data]
    return told


async def test_bytes_sent_are_told_and_never_fall(tmp_path: Path) -> None:
    told = await _deliver(tmp_path, CutOnce(tmp_path / "delivery", now=now))
    assert told[0] == 1.5 / 4
    assert told == sorted(told)
    assert 0.75 in told
    assert told[-1] == 1.0


async def test_what_the_store_copies_counts(tmp_path: Path) -> None:
    assert await _deliver(tmp_path, LocalStore(tmp_path / "delivery", now=now)) == [0.75, 1.0]
