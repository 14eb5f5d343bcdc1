"""What only the local store has: a directory, which others may have their hands in."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from eventflow.storage import InvalidKey, LocalStore, ObjectMissing, StorageRefused, StorageUnavailable
from eventflow.storage.local.errors import as_storage_error
from tests.contract.storage.conftest import KEYS, Clock


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root, now=Clock(), signing=KEYS)


async def put(store: LocalStore, key: str, data: bytes = b"data") -> None:
    await store.put_bytes(key, data, media_type="text/plain")


def all_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_links_do_not_lead_out(store: LocalStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    await put(store, "good")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "own").symlink_to(root / ".eventflow")

    for key in ("folder/secret", "file", "own/meta"):
        with pytest.raises(InvalidKey):
            await store.head(key)
        with pytest.raises(InvalidKey):
            await anext(store.read(key))
        with pytest.raises(InvalidKey):
            await store.open(key)
    for key in ("folder/new", "own/new"):
        with pytest.raises(InvalidKey):
            await put(store, key)
        with pytest.raises(InvalidKey):
            await store.delete(key)
    assert [info.key async for info in store.list("")] == ["good"]
    assert [info.key async for info in store.list("folder/")] == []

    await put(store, "file", b"new")  # takes the link's place, and does not follow it
    assert (outside / "secret").read_bytes() == b"secret"
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


async def test_a_root_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = LocalStore(tmp_path / "link", now=Clock())
    await put(store, "a/b")
    assert (tmp_path / "real" / "a" / "b").read_bytes() == b"data"


async def test_pipes_and_folders_are_no_objects(store: LocalStore, root: Path) -> None:
    await put(store, "folder/x")
    os.mkfifo(root / "pipe")
    for key in ("pipe", "folder"):
        with pytest.raises(ObjectMissing):
            await store.head(key)
        with pytest.raises(ObjectMissing):
            await anext(store.read(key))
    await store.delete("folder")
    assert (await store.head("folder/x")).size_bytes == 4
    with pytest.raises(InvalidKey):
        await put(store, "folder")
    with pytest.raises(InvalidKey):
        await put(store, "folder/x/y")


async def test_a_put_leaves_nothing_but_the_object_and_its_metadata(store: LocalStore, root: Path) -> None:
    await put(store, "a/x")
    await put(store, "a/x", b"again")
    data, meta = sorted(all_files(root), reverse=True)
    assert data == "a/x"
    assert meta.startswith(".eventflow/meta/")
    assert (root / "a" / "x").stat().st_mode & 0o777 == 0o600
    await store.delete("a/x")
    assert all_files(root) == []
    assert not (root / "a").exists()


async def test_a_cancelled_put_leaves_nothing(store: LocalStore, root: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(8 * 1024 * 1024))

    def cancel(_: int) -> None:
        task.cancel()

    task = asyncio.create_task(store.put_file("x", source, media_type="video/mp4", on_progress=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all_files(root) == []


async def test_what_killed_processes_left_is_removed(store: LocalStore, root: Path) -> None:
    await put(store, "x")
    left = root / ".eventflow" / "spool" / ".spool-left"
    left.write_bytes(b"half")
    assert await store.remove_abandoned(older_than=timedelta(hours=1)) == 0
    os.utime(left, (1, 1))
    assert await store.remove_abandoned(older_than=timedelta(hours=1)) == 1
    assert not left.exists()
    assert (await store.head("x")).size_bytes == 4


async def test_metadata_never_describes_other_bytes(store: LocalStore, root: Path) -> None:
    await store.put_bytes("x.mp4", b"data", media_type="video/special")
    (root / "x.mp4").unlink()
    (root / "x.mp4").write_bytes(b"else")  # as after a crash between the two files, or by hand
    info = await store.head("x.mp4")
    assert (info.sha256, info.media_type) == (None, "video/mp4")


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'{"of": 1}', b"\xff"])
async def test_damaged_metadata_does_no_harm(store: LocalStore, root: Path, garbage: bytes) -> None:
    await put(store, "x.mp4")
    [meta] = (root / ".eventflow" / "meta").rglob("*.json")
    meta.write_bytes(garbage)
    assert (await store.head("x.mp4")).sha256 is None


async def test_puts_and_deletes_in_one_folder_do_not_disturb_each_other(store: LocalStore) -> None:
    async def come_and_go(key: str) -> None:
        for _ in range(10):
            await put(store, key)
            await store.delete(key)

    await asyncio.gather(*(come_and_go(f"a/b/{number}") for number in range(4)))
    assert [info async for info in store.list("")] == []


async def test_concurrent_puts_of_one_key_leave_one_whole_object(store: LocalStore) -> None:
    contents = [bytes([number]) * 100_000 for number in range(8)]
    await asyncio.gather(*(put(store, "x", data) for data in contents))
    assert b"".join([chunk async for chunk in store.read("x")]) in contents


async def test_open(store: LocalStore) -> None:
    await put(store, "a/x", b"content")
    with await store.open("a/x") as file:
        assert file.read() == b"content"
    for key in ("a/y", "a"):
        with pytest.raises(ObjectMissing):
            await store.open(key)


async def test_a_store_without_keys_signs_nothing(root: Path) -> None:
    with pytest.raises(StorageRefused, match="EVENTFLOW_SIGNING_KEY"):
        await LocalStore(root, now=Clock()).signed_url("x", expires_in=timedelta(minutes=1))


async def test_a_place_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    store = LocalStore(tmp_path / "file", now=Clock())
    with pytest.raises((InvalidKey, ObjectMissing)):
        await store.check()
    with pytest.raises(StorageRefused, match="Free space"):
        raise as_storage_error("x", OSError(28, "No space left on device"))
    with pytest.raises(StorageRefused, match="Let this user write"):
        raise as_storage_error("x", PermissionError(13, "Permission denied"))
    with pytest.raises(StorageUnavailable):
        raise as_storage_error("x", OSError(5, "Input/output error"))


@pytest.mark.parametrize(("root", "name"), [("relative", "local"), ("/abs", "Bad/Name"), ("/abs", "")])
def test_wrong_settings(root: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"local store|store's name"):
        LocalStore(Path(root), now=Clock(), name=name)
