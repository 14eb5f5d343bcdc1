"""Uploads that a killed process, a cut connection or a lost answer has interrupted: finished, nothing left behind."""

import asyncio
import hashlib
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import define, evolve, field

from eventflow.domain.values import FileRef
from eventflow.storage import LocalStore, StorageError, StorageRefused, StorageUnavailable
from eventflow.storage.s3 import upload as s3_upload
from eventflow.storage.s3.checksums import Body
from eventflow.storage.s3.client import MIB, S3Connection
from eventflow.storage.s3.multipart import OpenUpload, open_uploads
from eventflow.storage.s3.store import S3Store
from handlers.upload.uploader import DeliveryStores, StepUploads
from tests.contract.storage.conftest import small_parts
from tests.support.s3_servers import S3Server, environment_for
from tests.support.upload_program import Order, order_line
from tests.support.waiting import wait_until

PART = 5 * MIB
SIZE = 2 * PART + MIB
#: Heads of requests, and whatever else isn't a part's content.
SLACK = 64 * 1024


@define(eq=False)
class Wire:
    """A proxy that counts what passes, and asks `on_bytes` and `on_answer` whether it may. Forwards while `open`."""

    target_port: int
    open: asyncio.Event = field(factory=asyncio.Event)
    sent_bytes: int = 0
    answers: int = 0
    on_bytes: Callable[[int], bool] = lambda _: True
    on_answer: Callable[[int], bool] = lambda _: True
    _tasks: set[asyncio.Task[None]] = field(factory=set)
    _ends: set[asyncio.StreamWriter] = field(factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends: list[asyncio.StreamWriter] = [writer]
        pumps: list[asyncio.Task[None]] = []
        self._ends.add(writer)
        try:
            await self.open.wait()
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            ends.append(up_writer)
            self._ends.add(up_writer)
            pumps = [
                asyncio.create_task(self._pump(reader, up_writer, self._sent)),
                asyncio.create_task(self._pump(up_reader, writer, self._answered)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in ends:
                end.transport.abort()
            self._ends.difference_update(ends)
            self._tasks.discard(task)

    async def close(self) -> None:
        """Cuts every connection. A task isn't cancelled: it might be about to get one, which nobody would close."""
        await _turns()
        self.open.set()
        while self._tasks:
            for end in self._ends:
                end.transport.abort()
            await asyncio.wait(self._tasks, timeout=0.1)
        await _turns()

    def _sent(self, data: bytes) -> bool:
        self.sent_bytes += len(data)
        return self.on_bytes(self.sent_bytes)

    def _answered(self, data: bytes) -> bool:
        self.answers += data.startswith(b"HTTP/1.1 ")
        return self.on_answer(self.answers)

    @staticmethod
    async def _pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: Callable[[bytes], bool]
    ) -> None:
        while (data := await reader.read(1 << 16)) and passes(data):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def wire_to(server: S3Server) -> AsyncIterator[tuple[Wire, str]]:
    """A wire, and the endpoint URL that leads through it."""
    wire = Wire(urlsplit(server.endpoint_url).port or 0)
    wire.open.set()
    listener = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    try:
        yield wire, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        await _turns()
        await wait_until(_nobody_is_let_in)
        await wire.close()
        await listener.wait_closed()


async def _turns() -> None:
    """Turns of the event loop, in which accepted connections get their task and aborted ones close their socket."""
    for _ in range(10):
        await asyncio.sleep(0)


def _nobody_is_let_in() -> bool:
    """asyncio takes a moment from accepting a connection to having a transport that can be closed."""
    return not any("accept_connection" in repr(task.get_coro()) for task in asyncio.all_tasks())


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    path = tmp_path / "movie.mp4"
    path.write_bytes(random.Random(5).randbytes(SIZE))
    return path


@pytest.fixture
async def look(server: S3Server) -> AsyncIterator[Callable[[S3Store], Awaitable[list[OpenUpload]]]]:
    """The open uploads of a store, asked for behind its back."""
    connection = S3Connection(small_parts(server), {})

    async def found(store: S3Store) -> list[OpenUpload]:
        return [one async for one in open_uploads(connection, "the test", store.bucket, store.prefix)]

    yield found
    await connection.close()


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@define(eq=False)
class Uploader:
    """The process that starts the uploads which are killed."""

    process: Process
    pid: int = -1

    async def begin(self, order: Order) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(order_line(order))
        self.pid = await self._number()

    async def end(self) -> int:
        """The exit status; negative: the signal."""
        return await self._number()

    def kill(self) -> bool:
        assert self.pid > 0
        os.kill(self.pid, signal.SIGKILL)
        return False

    async def _number(self) -> int:
        assert self.process.stdout is not None
        return int(await self.process.stdout.readline())


@asynccontextmanager
async def uploader_to(server: S3Server, endpoint_url: str, prefix: str) -> AsyncIterator[Uploader]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.upload_program", endpoint_url, server.bucket, prefix, str(PART)),
        stdin=PIPE,
        stdout=PIPE,
        env=os.environ | environment_for(server),
    )
    yield Uploader(process)
    process.stdin.close()
    await process.wait()


@pytest.mark.chaos
async def test_killed_at_ten_random_points(server: S3Server, movie: Path, look: Callable[..., Any]) -> None:
    digest, chance, resumed = digest_of(movie), random.Random(20261126), 0
    prefix = f"killed-{os.urandom(4).hex()}"
    async with (
        wire_to(server) as (wire, endpoint),
        uploader_to(server, endpoint, prefix) as uploader,
        wire_to(server) as (second_wire, second_endpoint),
    ):
        store = S3Store(server.bucket, prefix, options=small_parts(server, endpoint_url=second_endpoint))
        await store.check()
        wire.sent_bytes = wire.answers = 0
        await uploader.begin(Order(f"whole/{digest}.mp4", str(movie), digest))
        assert await uploader.end() == 0
        whole_bytes, whole_answers = wire.sent_bytes, wire.answers
        # Of ten, four are killed when the store has done what was asked, but before they are told.
        points = [("bytes", chance.randrange(whole_bytes)) for _ in range(6)]
        points += [("answer", place) for place in sorted(chance.sample(range(1, whole_answers + 1), 4))]
        for number, (kind, place) in enumerate(points):
            key = f"{number}/{digest}.mp4"
            wire.sent_bytes = wire.answers = 0
            if kind == "bytes":
                wire.on_bytes = lambda sent, place=place: sent < place or uploader.kill()  # type: ignore[misc]
            else:
                wire.on_answer = lambda answers, place=place: answers < place or uploader.kill()  # type: ignore[misc]
            wire.open.clear()
            await uploader.begin(Order(key, str(movie), digest))
            wire.open.set()  # now it is known whom to kill
            assert await uploader.end() == -signal.SIGKILL, (kind, place)
            wire.on_bytes = wire.on_answer = lambda _: True
            await wire.close()  # with what the dead process has left in the sockets

            kept = [part for one in await look(store) for part in one.parts.values() if part.size_bytes == PART]
            second_wire.sent_bytes = 0
            info = await store.put_file(key, movie, media_type="video/mp4", sha256=digest)

            assert second_wire.sent_bytes <= whole_bytes - len(kept) * PART + SLACK, (kind, place)
            assert (info.size_bytes, info.sha256) == (SIZE, digest)
            stored = b"".join([data async for data in store.read(key, chunk_bytes=MIB)])
            assert hashlib.sha256(stored).hexdigest() == digest, (kind, place)
            assert await look(store) == [], (kind, place)
            resumed += bool(kept)
        await store.close()
    assert resumed >= 3


async def test_a_part_that_fails_is_sent_again_not_the_file(
    server: S3Server, movie: Path, tmp_path: Path, look: Callable[..., Any]
) -> None:
    digest = digest_of(movie)
    ref = FileRef(store="workspace", key=f"jobs/1/{digest}.mp4", sha256=digest, size_bytes=SIZE, media_type="video/mp4")
    async with wire_to(server) as (wire, endpoint):
        options = small_parts(server, endpoint_url=endpoint, parallel_parts=1)
        store = S3Store(server.bucket, f"cut-{os.urandom(4).hex()}", options=options)
        places = [PART * 3 // 2]  # in the second part, once
        wire.on_bytes = lambda sent: not places or sent < places[0] or bool(places.clear())  # type: ignore[func-returns-value]
        uploads = StepUploads(
            delivery=DeliveryStores(store, LocalStore(tmp_path / "store", now=lambda: datetime.now(UTC)), 0.01)
        )
        seen: list[int] = []
        stored = await uploads.upload(movie, ref, f"videos/{digest}.mp4", seen.append)
        assert (stored.store, stored.retry_count) == ("delivery", 1)
        assert SIZE < wire.sent_bytes < SIZE + PART + SLACK
        assert seen[-1] == SIZE
        assert await look(store) == []
        await store.close()


async def test_a_part_that_is_damaged_on_its_way_is_sent_again(
    rclone: S3Server, movie: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # rclone verifies Content-MD5, and lets go of the whole upload then.
    damages = [True]

    class Damaged(Body):
        async def __anext__(self) -> object:
            data: memoryview = await super().__anext__()
            return bytes(len(data)) if damages and damages.pop() else data

    monkeypatch.setattr(s3_upload, "Body", Damaged)
    store = S3Store(rclone.bucket, f"damaged-{os.urandom(4).hex()}", options=small_parts(rclone))
    digest = digest_of(movie)
    ref = FileRef(store="workspace", key=f"jobs/1/{digest}.mp4", sha256=digest, size_bytes=SIZE, media_type="video/mp4")
    uploads = StepUploads(
        delivery=DeliveryStores(store, LocalStore(tmp_path / "store", now=lambda: datetime.now(UTC)), 0.01)
    )
    stored = await uploads.upload(movie, ref, f"videos/{digest}.mp4")
    assert (stored.store, stored.retry_count) == ("delivery", 1)
    assert b"".join([data async for data in store.read(stored.key)]) == movie.read_bytes()
    await store.close()


async def test_three_retries_are_the_most_and_what_arrived_is_kept(
    server: S3Server, movie: Path, tmp_path: Path, look: Callable[..., Any]
) -> None:
    digest = digest_of(movie)
    ref = FileRef(store="workspace", key=f"jobs/1/{digest}.mp4", sha256=digest, size_bytes=SIZE, media_type="video/mp4")
    async with wire_to(server) as (wire, endpoint):
        options = small_parts(server, endpoint_url=endpoint, parallel_parts=1)
        store = S3Store(server.bucket, f"cut-{os.urandom(4).hex()}", options=options)
        await store.check()
        wire.sent_bytes, limit = 0, PART * 3 // 2
        wire.on_bytes = lambda sent: sent < limit
        fallback = LocalStore(tmp_path / "store", now=lambda: datetime.now(UTC))
        stored = await StepUploads(delivery=DeliveryStores(store, fallback, 0.01)).upload(
            movie, ref, f"videos/{digest}.mp4"
        )
        assert (stored.store, stored.retry_count) == ("fallback", 3)
        [left] = await look(store)
        assert left.parts[1].size_bytes == PART

        wire.on_bytes = lambda _: True
        wire.sent_bytes = 0
        await store.put_file(f"videos/{digest}.mp4", movie, media_type="video/mp4", sha256=digest)  # it comes home
        assert wire.sent_bytes < SIZE - PART + SLACK
        assert await look(store) == []
        await store.close()


async def begin(store: S3Store, key: str, *parts: bytes) -> OpenUpload:
    client = await store._connection.client()
    target = {"Bucket": store.bucket, "Key": store.prefix + key}
    upload = await client.create_multipart_upload(**target, ContentType="video/mp4")
    for number, data in enumerate(parts, 1):
        await client.upload_part(**target, UploadId=upload["UploadId"], PartNumber=number, Body=data)
    return OpenUpload(target=target, upload_id=upload["UploadId"])


async def test_parts_of_other_content_or_size_are_sent_again(
    s3_store: S3Store, movie: Path, look: Callable[..., Any]
) -> None:
    digest, data = digest_of(movie), movie.read_bytes()
    await begin(s3_store, f"{digest}.mp4", data[: PART - 1])
    await begin(s3_store, f"{digest}.mp4", data[:PART], bytes(PART))  # the one that has most
    await begin(s3_store, f"{digest}.mp4.other", data[:PART])
    with suppress(
        StorageRefused
    ):  # rclone takes a part once; the upload is then aborted, and the next try is a new one
        await s3_store.put_file(f"{digest}.mp4", movie, media_type="video/mp4", sha256=digest)
    await s3_store.put_file(f"{digest}.mp4", movie, media_type="video/mp4", sha256=digest)
    assert b"".join([chunk async for chunk in s3_store.read(f"{digest}.mp4")]) == data
    [other] = await look(s3_store)  # of another key: none of this one's business
    assert other.target["Key"].endswith(".other")


async def test_only_keys_that_hold_the_digest_are_carried_on_with(
    s3_store: S3Store, movie: Path, look: Callable[..., Any]
) -> None:
    theirs = await begin(s3_store, "x", movie.read_bytes()[:PART])
    await s3_store.put_file("x", movie, media_type="video/mp4")
    assert [one.upload_id for one in await look(s3_store)] == [theirs.upload_id]


async def test_what_nobody_carries_on_with_is_aborted(server: S3Server, look: Callable[..., Any]) -> None:
    later = timedelta(0)
    prefix = f"left-{os.urandom(4).hex()}"
    store = S3Store(server.bucket, prefix, options=small_parts(server), now=lambda: datetime.now(UTC) + later)
    await begin(store, "x", bytes(PART))
    assert await store.remove_abandoned(older_than=timedelta(minutes=5)) == 0
    later = timedelta(minutes=6)
    assert await store.remove_abandoned(older_than=timedelta(minutes=5)) == 1
    assert await look(store) == []
    await store.close()


async def test_a_store_that_does_not_list_uploads(
    s3_store: S3Store, movie: Path, look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a role without s3:ListBucketMultipartUploads.
    client = await s3_store._connection.client()
    digest = digest_of(movie)

    async def refuse(**_: Any) -> object:
        raise client.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "ListMultipartUploads")

    with monkeypatch.context() as patched:
        patched.setattr(client, "list_multipart_uploads", refuse)
        await s3_store.put_file(f"{digest}.mp4", movie, media_type="video/mp4", sha256=digest)
        patched.setattr(client, "complete_multipart_upload", refuse_for_now)
        with pytest.raises(StorageError):
            await s3_store.put_file(f"b/{digest}.mp4", movie, media_type="video/mp4", sha256=digest)
    assert await look(s3_store) == []  # nobody would find it again


async def refuse_for_now(**_: Any) -> object:
    raise TimeoutError


async def test_copies_within_a_service(server: S3Server, s3_store: S3Store, movie: Path) -> None:
    digest = digest_of(movie)
    workspace = S3Store(server.bucket, f"work-{os.urandom(4).hex()}", options=small_parts(server))
    put = await workspace.put_file("a.mp4", movie, media_type="video/x", sha256=digest)
    copied = await s3_store.copy_from(workspace, put, "b.mp4")
    assert copied is not None
    assert (copied.size_bytes, copied.sha256, copied.media_type) == (SIZE, digest, "video/x")
    assert b"".join([chunk async for chunk in s3_store.read("b.mp4")]) == movie.read_bytes()
    with pytest.raises(StorageError):
        await s3_store.copy_from(workspace, evolve(put, sha256="0" * 64), "c.mp4")
    await workspace.close()
    stranger = S3Store(server.bucket, "work", options=small_parts(server, access_key_id="another"))
    assert await s3_store.copy_from(stranger, put, "b.mp4") is None


async def test_large_objects_are_copied_in_parts(server: S3Server, movie: Path, look: Callable[..., Any]) -> None:
    digest, options = digest_of(movie), small_parts(server, copy_bytes=PART)
    store = S3Store(server.bucket, f"parts-{os.urandom(4).hex()}", options=options)
    put = await store.put_file("a.mp4", movie, media_type="video/x", sha256=digest)
    await begin(store, "b.mp4")  # of a copy that was killed
    if type(server).__name__ == "_RcloneServer":  # it can't; the upload is then made in the usual way
        with pytest.raises(StorageError, match="parts of objects"):
            await store.copy("a.mp4", "b.mp4")
    else:
        assert (await store.copy_from(store, put, "b.mp4")).sha256 == digest
        assert b"".join([chunk async for chunk in store.read("b.mp4")]) == movie.read_bytes()
    assert await look(store) == []
    await store.close()


async def test_a_cut_copy_is_no_try_of_the_upload(
    server: S3Server, movie: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3Store(server.bucket, f"copy-{os.urandom(4).hex()}", options=small_parts(server))
    digest = digest_of(movie)
    await store.put_file(f"{digest}.mp4", movie, media_type="video/mp4", sha256=digest)
    ref = FileRef(store="workspace", key=f"{digest}.mp4", sha256=digest, size_bytes=SIZE, media_type="video/mp4")
    uploads = StepUploads(
        delivery=DeliveryStores(store, LocalStore(tmp_path / "store", now=lambda: datetime.now(UTC)), 0.01)
    )
    copied = await uploads.copy(ref, f"videos/{digest}.mp4", store)
    assert copied == FileRef(
        store="delivery", key=f"videos/{digest}.mp4", sha256=digest, size_bytes=SIZE, media_type="video/mp4"
    )

    async def fail(*_: object) -> None:
        raise StorageUnavailable("cut")

    monkeypatch.setattr(store, "copy_from", fail)
    assert await uploads.copy(ref, f"videos/{digest}-2.mp4", store) is None
    assert uploads.fell_back is None
    await store.close()
