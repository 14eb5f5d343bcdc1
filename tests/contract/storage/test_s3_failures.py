"""What the S3 store does when S3 does not do what it should."""

import asyncio
import hashlib
import os
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import get_session

from eventflow.storage import IntegrityError, ObjectMissing, StorageRefused, StorageUnavailable
from eventflow.storage.s3 import checksums
from eventflow.storage.s3 import store as s3_module
from eventflow.storage.s3.client import S3Connection, S3Options
from eventflow.storage.s3.store import S3Store
from tests.contract.storage.conftest import small_parts
from tests.support.s3_servers import S3Server, environment_for, free_port, moto_server, options_for, rclone_server
from tests.support.waiting import wait_until

#: Storms of faults of a store: `make chaos` has them.
pytestmark = pytest.mark.chaos

MIB = 1024 * 1024


@pytest.fixture
async def client(server: S3Server) -> AsyncIterator[Any]:
    """A client of the tests' own, to look behind the store."""
    async with get_session().create_client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    ) as made:
        yield made


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    path = tmp_path / "movie.mp4"
    path.write_bytes(os.urandom(MIB) * 17)
    return path


def told(error: BaseException) -> str:
    """Everything a log may get to see of an error."""
    return "".join(traceback.format_exception(error))


def assert_tells_no_secret(error: BaseException, options: S3Options) -> None:
    text = told(error)
    assert options.secret_access_key
    assert options.secret_access_key not in text
    for word in ("X-Amz-Signature", "Signature=", "Credential=", "AWS4-HMAC"):
        assert word not in text


async def unfinished_uploads(client: Any, server: S3Server, store: S3Store) -> list[str]:
    try:
        answer = await client.list_multipart_uploads(Bucket=server.bucket)
    except client.exceptions.NoSuchUpload:
        return []  # rclone, as long as there has never been one
    return [u["Key"] for u in answer.get("Uploads", ()) if u["Key"].startswith(store.prefix)]


def all_calls(store: S3Store, folder: Path) -> list[Callable[[], Awaitable[object]]]:
    small, large = folder / "small", folder / "large"
    small.write_bytes(b"x")
    large.write_bytes(bytes(6 * MIB))
    return [
        store.check,
        lambda: store.head("x"),
        lambda: store.put_bytes("x", b"x", media_type="text/plain"),
        lambda: store.put_file("x", small, media_type="text/plain"),
        lambda: store.put_file("x", large, media_type="text/plain"),
        lambda: anext(store.read("x")),
        lambda: store.fetch("x", folder / "target"),
        lambda: store.copy("x", "y"),
        lambda: store.delete("x"),
        lambda: anext(aiter(store.list(""))),
    ]


async def test_nothing_listens(tmp_path: Path) -> None:
    options = S3Options(
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        region="us-east-1",
        access_key_id="access",
        secret_access_key="a-very-secret-key",
    )
    store = S3Store("bucket", options=options)
    try:
        with pytest.raises(StorageUnavailable):  # the first call makes the client, which takes its time
            await store.head("key")
        for call in all_calls(store, tmp_path):
            with pytest.raises(StorageUnavailable) as failed:
                async with asyncio.timeout(options.connect_timeout.total_seconds()):  # no time-out is waited for
                    await call()
            assert failed.value.transient
            assert_tells_no_secret(failed.value, options)
    finally:
        await store.close()


@pytest.mark.parametrize("make", [moto_server, rclone_server])
async def test_a_server_goes_down_and_comes_back(make: Any, movie: Path) -> None:
    with ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, make())
        store = S3Store(server.bucket, "p", options=small_parts(server))
        await store.put_bytes("x", b"data", media_type="text/plain")
        await asyncio.to_thread(server.stop)
        for call in (lambda: store.head("x"), lambda: store.put_file("y", movie, media_type="video/mp4")):
            with pytest.raises(StorageUnavailable):
                await call()
        await asyncio.to_thread(server.start)
        assert (await store.head("x")).size_bytes == 4
        await store.put_file("y", movie, media_type="video/mp4")
        await store.close()


@pytest.mark.parametrize("size_bytes", [10, 6 * MIB])
async def test_a_server_that_never_answers(tmp_path: Path, size_bytes: int) -> None:
    release = asyncio.Event()

    async def never_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    listener = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    options = S3Options(
        endpoint_url=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key_id="access",
        secret_access_key="a-very-secret-key",
        connect_timeout=timedelta(seconds=0.2),
        read_timeout=timedelta(seconds=0.3),
        slowest_bytes_per_s=100 * MIB,
        part_bytes=8 * MIB,
    )
    store = S3Store("bucket", options=options)
    with pytest.raises(StorageUnavailable) as failed:
        await store.put_bytes("x", bytes(size_bytes), media_type="text/plain")
    assert_tells_no_secret(failed.value, options)
    with pytest.raises(StorageUnavailable):
        await store.head("x")
    await store.close()
    release.set()
    listener.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("wrong", [{"secret_access_key": "a-wrong-secret"}, {"access_key_id": "an-unknown-id"}])
async def test_wrong_credentials(rclone: S3Server, tmp_path: Path, wrong: dict[str, str]) -> None:
    # moto accepts any; rclone checks.
    options = small_parts(rclone, **wrong)
    store = S3Store(rclone.bucket, options=options)
    for call in all_calls(store, tmp_path):
        with pytest.raises(StorageRefused) as refused:
            await call()
        assert not refused.value.transient
        assert_tells_no_secret(refused.value, options)
    with pytest.raises(StorageRefused, match="Check AWS_"):
        await store.check()
    await store.close()


async def test_no_credentials() -> None:
    store = S3Store("bucket", options=S3Options(endpoint_url="http://127.0.0.1:1", region="us-east-1"))
    with pytest.raises(StorageRefused, match="AWS_ACCESS_KEY_ID"):
        await store.check()
    with pytest.raises(StorageRefused, match="AWS_ACCESS_KEY_ID"):
        await store.signed_url("x", expires_in=timedelta(minutes=1))
    await store.close()


async def test_credentials_and_endpoint_from_the_environment(rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_for(rclone).items():
        monkeypatch.setenv(name, value)
    store = S3Store(rclone.bucket, "env")
    await store.put_bytes("x", b"data", media_type="text/plain")
    assert (await store.signed_url("x", expires_in=timedelta(minutes=1))).startswith(rclone.endpoint_url)
    await store.close()


async def test_an_unknown_bucket(server: S3Server, tmp_path: Path) -> None:
    store = S3Store("no-such-bucket", options=small_parts(server))
    for call in all_calls(store, tmp_path):
        with pytest.raises(StorageRefused) as refused:
            await call()
        assert refused.value.upstream_code == "NoSuchBucket"
    with pytest.raises(StorageRefused, match="Create"):
        await store.check()
    await store.close()


async def test_urls_name_the_public_endpoint(server: S3Server) -> None:
    options = options_for(server, public_endpoint_url="https://media.example.org")
    store = S3Store(server.bucket, "p", options=options)
    url = await store.signed_url("x", expires_in=timedelta(minutes=1))
    assert url.startswith(f"https://media.example.org/{server.bucket}/p/x?")
    await store.close()


@pytest.mark.parametrize("checksum", ["md5", "sha256", "none"])
async def test_each_checksum_is_accepted(server: S3Server, movie: Path, checksum: str) -> None:
    store = S3Store(server.bucket, f"checksum-{checksum}", options=small_parts(server, checksum=checksum))
    await store.put_bytes("small", b"data", media_type="text/plain")
    put = await store.put_file("large", movie, media_type="video/mp4")
    assert put.sha256 == hashlib.sha256(movie.read_bytes()).hexdigest()
    await store.close()


async def test_a_body_that_was_damaged_on_its_way(rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # rclone verifies Content-MD5; moto verifies nothing.
    right = checksums.Body
    monkeypatch.setattr(s3_module, "Body", lambda data, sha256: right(data.replace(b"1", b"2"), sha256))
    store = S3Store(rclone.bucket, "damaged", options=small_parts(rclone))
    with pytest.raises(IntegrityError):
        await store.put_bytes("x", b"0123", media_type="text/plain")
    with pytest.raises(ObjectMissing):
        await store.head("x")
    await store.close()


async def test_what_is_gone_before_it_is_confirmed_is_to_be_stored_again(
    s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not "missing": that would be a file that the job has lost, and no reason to store it again."""
    request = S3Connection.request

    async def lossy(self: S3Connection, what: str, call: Any, **asked: Any) -> Any:
        answer = await request(self, what, call, **asked)
        if call.__name__ == "put_object":
            await s3_store.delete("x")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(S3Connection, "request", lossy)
        with pytest.raises(StorageUnavailable, match="gone already"):
            await s3_store.put_bytes("x", b"0123", media_type="text/plain")
    assert (await s3_store.put_bytes("x", b"0123", media_type="text/plain")).size_bytes == 4


async def test_a_file_of_other_content_leaves_no_upload(
    s3_store: S3Store, server: S3Server, client: Any, movie: Path
) -> None:
    with pytest.raises(IntegrityError):
        await s3_store.put_file("x", movie, media_type="video/mp4", sha256="0" * 64)
    assert await unfinished_uploads(client, server, s3_store) == []


async def test_a_failing_progress_report_leaves_no_upload(
    s3_store: S3Store, server: S3Server, client: Any, movie: Path
) -> None:
    def fail(_: int) -> None:
        raise LookupError("of the caller")

    with pytest.raises(LookupError):
        await s3_store.put_file("x", movie, media_type="video/mp4", on_progress=fail)
    assert await unfinished_uploads(client, server, s3_store) == []
    with pytest.raises(ObjectMissing):
        await s3_store.head("x")


async def test_cancellation_leaves_no_upload(s3_store: S3Store, server: S3Server, client: Any, movie: Path) -> None:
    # From within: the first part has arrived, and the upload can't be complete.
    def cancel(_: int) -> None:
        put.cancel()

    put = asyncio.create_task(s3_store.put_file("x", movie, media_type="video/mp4", on_progress=cancel))
    with pytest.raises(asyncio.CancelledError):
        await put
    assert await unfinished_uploads(client, server, s3_store) == []
    with pytest.raises(ObjectMissing):
        await s3_store.head("x")


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13, 21])
async def test_cancellation_at_any_moment_leaves_no_upload(
    s3_store: S3Store, server: S3Server, client: Any, movie: Path, steps: int
) -> None:
    await s3_store.check()  # the client exists: what follows is the upload
    put = asyncio.create_task(s3_store.put_file("x", movie, media_type="video/mp4", sha256=None))
    for _ in range(steps * 10):
        await asyncio.sleep(0)
    put.cancel()
    await asyncio.sleep(0)
    put.cancel()  # in the middle of the clean-up
    with pytest.raises(asyncio.CancelledError):
        await put

    async def nothing_left() -> bool:
        return await unfinished_uploads(client, server, s3_store) == []

    await s3_store.close()  # waits for what goes on behind a cancelled call
    await wait_until(nothing_left)


async def test_what_could_not_be_aborted_is_noted(movie: Path) -> None:
    with ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, rclone_server())
        store = S3Store(server.bucket, "p", options=small_parts(server, parallel_parts=1))
        stopped = False

        def stop(_: int) -> None:
            nonlocal stopped
            if not stopped:
                stopped = True
                server.stop()

        with pytest.raises(StorageUnavailable) as failed:
            await store.put_file("x", movie, media_type="video/mp4", on_progress=stop)
        assert "unfinished multipart upload" in told(failed.value)
        await store.close()
