"""What every store does with objects."""

import asyncio
import hashlib
import os
import tracemalloc
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventflow.storage import IntegrityError, InvalidKey, ObjectMissing, ObjectStore, RangeNotSatisfiable
from tests.contract.storage.conftest import Backend

MIB = 1024 * 1024
AWKWARD_KEY = "jobs/ü ä+&?#%=;,@'()[]{}!~/視頻 1.mp4"


async def content(store: ObjectStore, key: str, **wanted: int) -> bytes:
    return b"".join([chunk async for chunk in store.read(key, **wanted)])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def random_file(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as file:
        for _ in range(size_bytes // MIB):
            file.write(os.urandom(MIB))
        file.write(os.urandom(size_bytes % MIB))
    return path


@pytest.mark.parametrize("data", [b"hello", b"", b"\0" * 70_000])
async def test_round_trip(backend: Backend, data: bytes) -> None:
    put = await backend.store.put_bytes("jobs/1/scene.m4s", data, media_type="video/iso.segment")

    assert await content(backend.store, "jobs/1/scene.m4s") == data
    assert await backend.store.head("jobs/1/scene.m4s") == put
    assert put.key == "jobs/1/scene.m4s"
    assert (put.size_bytes, put.sha256, put.media_type) == (len(data), sha256(data), "video/iso.segment")
    assert put.etag
    assert '"' not in put.etag
    assert put.modified_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - put.modified_at) < timedelta(minutes=1)


@pytest.mark.parametrize("size_bytes", [0, 1000, 20 * MIB + 7])
async def test_a_file_goes_there_and_back(backend: Backend, tmp_path: Path, size_bytes: int) -> None:
    source = random_file(tmp_path / "source", size_bytes)
    digest = sha256(source.read_bytes())
    progress: list[int] = []

    put = await backend.store.put_file(
        "a/movie.mp4", source, media_type="video/mp4", sha256=digest, on_progress=progress.append
    )
    got = await backend.store.fetch("a/movie.mp4", tmp_path / "target")

    assert (put.size_bytes, put.sha256, put.media_type) == (size_bytes, digest, "video/mp4")
    assert got == put
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert progress == sorted(progress)
    assert progress[-1] == size_bytes
    assert {path.name for path in tmp_path.iterdir()} <= {"source", "target", "store"}


async def test_the_sha256_is_computed_if_not_given(backend: Backend, tmp_path: Path) -> None:
    for size_bytes in (10, 6 * MIB):
        source = random_file(tmp_path / "source", size_bytes)
        put = await backend.store.put_file("x", source, media_type="video/mp4")
        assert put.sha256 == sha256(source.read_bytes())


async def test_a_large_file_is_put_again_without_harm(backend: Backend, tmp_path: Path) -> None:
    source = random_file(tmp_path / "source", 6 * MIB)
    first = await backend.store.put_file("x", source, media_type="video/mp4")
    progress: list[int] = []

    again = await backend.store.put_file("x", source, media_type="video/mp4", on_progress=progress.append)

    assert (again.sha256, again.size_bytes) == (first.sha256, first.size_bytes)
    assert progress[-1] == 6 * MIB
    # A new media type is not lost to the shortcut for objects that are there already.
    assert (await backend.store.put_file("x", source, media_type="video/x")).media_type == "video/x"


# moto runs in this very process, so that its memory would count as ours.
@pytest.mark.parametrize("backend", ["local", "rclone"], indirect=True)
async def test_memory_is_bounded(backend: Backend, tmp_path: Path) -> None:
    source = random_file(tmp_path / "source", 64 * MIB)
    digest = sha256(source.read_bytes())
    await backend.store.put_bytes("warm-up", b"x", media_type="text/plain")
    tracemalloc.start()
    try:
        await backend.store.put_file("x", source, media_type="video/mp4", sha256=digest)
        await backend.store.fetch("x", tmp_path / "target", sha256=digest)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Four parts of 5 MiB on their way and one being read.
    assert peak_bytes < (27 if backend.server else 8) * MIB


async def test_ranges(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"0123456789", media_type="text/plain")
    for start, length, expected in (
        (0, 3, b"012"),
        (3, 4, b"3456"),
        (7, None, b"789"),
        (7, 100, b"789"),
        (9, 1, b"9"),
        (0, None, b"0123456789"),
    ):
        chunks = [chunk async for chunk in backend.store.read("x", start=start, length=length, chunk_bytes=2)]
        assert b"".join(chunks) == expected
        assert max(map(len, chunks)) <= 2


async def test_ranges_behind_the_end(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"0123456789", media_type="text/plain")
    for start, length in ((10, None), (10, 1), (11, 5), (10_000_000, None)):
        with pytest.raises(RangeNotSatisfiable):
            await anext(backend.store.read("x", start=start, length=length))
    for start, length in ((-1, None), (0, 0), (0, -1)):
        with pytest.raises(ValueError, match="range"):
            await anext(backend.store.read("x", start=start, length=length))


async def test_reading_can_stop_early(backend: Backend) -> None:
    await backend.store.put_bytes("x", bytes(3 * MIB), media_type="text/plain")
    for _ in range(40):  # more often than there are connections
        async with aclosing(backend.store.read("x", chunk_bytes=10)) as chunks:
            assert await anext(chunks) == bytes(10)


async def test_overwriting(backend: Backend) -> None:
    old = await backend.store.put_bytes("x", b"old", media_type="text/plain")
    new = await backend.store.put_bytes("x", b"new", media_type="text/html")
    assert await content(backend.store, "x") == b"new"
    assert new.etag != old.etag
    assert (await backend.store.head("x")).media_type == "text/html"


async def test_copy(backend: Backend) -> None:
    put = await backend.store.put_bytes(AWKWARD_KEY, b"data", media_type="video/x")
    copied = await backend.store.copy(AWKWARD_KEY, "b/copy.mp4")
    assert (copied.key, copied.sha256, copied.media_type) == ("b/copy.mp4", put.sha256, "video/x")
    assert await content(backend.store, "b/copy.mp4") == b"data"
    assert (await backend.store.copy("b/copy.mp4", "b/copy.mp4")).size_bytes == 4


async def test_delete(backend: Backend) -> None:
    await backend.store.put_bytes("a/b/x", b"data", media_type="text/plain")
    await backend.store.put_bytes("a/y", b"data", media_type="text/plain")
    await backend.store.delete("a/b/x")
    await backend.store.delete("a/b/x")
    await backend.store.delete("never/was")
    with pytest.raises(ObjectMissing):
        await backend.store.head("a/b/x")
    assert [info.key async for info in backend.store.list("")] == ["a/y"]
    await backend.store.put_bytes("a/b/x", b"again", media_type="text/plain")


async def test_missing(backend: Backend, tmp_path: Path) -> None:
    store = backend.store
    await store.put_bytes("folder/x", b"data", media_type="text/plain")
    for key in ("none", "folder", "folder/y"):
        with pytest.raises(ObjectMissing):
            await store.head(key)
        with pytest.raises(ObjectMissing):
            await content(store, key)
        with pytest.raises(ObjectMissing):
            await store.fetch(key, tmp_path / "target")
        with pytest.raises(ObjectMissing):
            await store.copy(key, "copy")
    assert not (tmp_path / "target").exists()
    with pytest.raises(FileNotFoundError):  # of the caller's file, not of the store
        await store.put_file("x", tmp_path / "none", media_type="text/plain")


async def test_listing(backend: Backend) -> None:
    keys = ["a-b", "a/b", "a/c/d.mp4", "a/c/e", "a/c-1", "a0", "ab", "b/ä", AWKWARD_KEY]
    for key in keys:
        await backend.store.put_bytes(key, key.encode(), media_type="video/x")

    async def listed(prefix: str) -> list[str]:
        return [info.key async for info in backend.store.list(prefix)]

    assert await listed("") == sorted(keys, key=str.encode)
    assert await listed("a/") == ["a/b", "a/c-1", "a/c/d.mp4", "a/c/e"]
    assert await listed("a/c") == ["a/c-1", "a/c/d.mp4", "a/c/e"]
    assert await listed("jobs/ü") == [AWKWARD_KEY]
    assert await listed("a/b/") == []
    assert await listed("none/at/all") == []
    [info] = [info async for info in backend.store.list("a/c/d")]
    put = await backend.store.head("a/c/d.mp4")
    assert (info.size_bytes, info.etag, info.media_type) == (put.size_bytes, put.etag, "video/mp4")
    assert abs(info.modified_at - put.modified_at) <= timedelta(seconds=1)  # a HEAD has whole seconds


async def test_listing_more_than_a_page(backend: Backend) -> None:
    keys = [f"many/{number:04}" for number in range(1005)]
    for key in keys:
        backend.place(key, b"x")
    if backend.server is not None:
        await asyncio.to_thread(backend.server.refresh)
    assert [info.key async for info in backend.store.list("many/")] == keys


BAD_KEYS = [
    "",
    "/absolute",
    "..",
    "../up",
    "a/../../up",
    "a/./b",
    "a//b",
    "a/",
    ".hidden",
    "a/.eventflow/meta",
    "a\\b",
    "nul\0",
    "line\nbreak",
    "\x7f",
    "\udcff",
    "x" * 300,
    "ü" * 200 + "/" + "ü" * 100,
]


async def test_invalid_keys(backend: Backend, tmp_path: Path) -> None:
    store, file = backend.store, tmp_path / "file"
    file.write_bytes(b"x")
    await store.put_bytes("good", b"x", media_type="text/plain")
    for key in BAD_KEYS:
        for call in (
            lambda key: store.put_bytes(key, b"x", media_type="text/plain"),
            lambda key: store.put_file(key, file, media_type="text/plain"),
            lambda key: content(store, key),
            lambda key: store.fetch(key, tmp_path / "target"),
            lambda key: store.head(key),
            lambda key: store.copy(key, "target"),
            lambda key: store.copy("good", key),
            lambda key: store.delete(key),
            lambda key: store.signed_url(key, expires_in=timedelta(minutes=1)),
        ):
            with pytest.raises(InvalidKey) as refused:
                await call(key)
            assert str(refused.value).isprintable()
    for prefix in ("/", "../", "a/../b", ".", "a//", "\0"):
        with pytest.raises(InvalidKey):
            await anext(aiter(store.list(prefix)))
    assert [info.key async for info in store.list("")] == ["good"]


@pytest.mark.parametrize("size_bytes", [1000, 12 * MIB])
async def test_other_content_than_announced_is_not_stored(backend: Backend, tmp_path: Path, size_bytes: int) -> None:
    source = random_file(tmp_path / "source", size_bytes)
    with pytest.raises(IntegrityError):
        await backend.store.put_file("x", source, media_type="video/mp4", sha256=sha256(b"other"))
    assert [info async for info in backend.store.list("")] == []
    with pytest.raises(ValueError, match="SHA-256"):
        await backend.store.put_file("x", source, media_type="video/mp4", sha256="md5:abc")


async def test_a_failed_fetch_leaves_what_was_there(backend: Backend, tmp_path: Path) -> None:
    await backend.store.put_bytes("x", b"data", media_type="text/plain")
    target = tmp_path / "folder" / "target"
    target.parent.mkdir()
    target.write_bytes(b"before")
    with pytest.raises(IntegrityError):
        await backend.store.fetch("x", target, sha256=sha256(b"other"))
    assert target.read_bytes() == b"before"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


async def test_check_and_description(backend: Backend) -> None:
    await backend.store.check()
    await backend.store.close()
    await backend.store.close()
    assert backend.store.description.startswith(("file:///", "s3://"))
