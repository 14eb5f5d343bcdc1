"""What is signed of a body: the digest that was computed with it, and not a second one in the event loop."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from eventflow.storage import StorageUnavailable
from eventflow.storage.s3.checksums import PartBody
from eventflow.storage.s3.presign import signs_bodies
from eventflow.storage.s3.store import S3Store
from tests.contract.storage.conftest import small_parts
from tests.support.s3_servers import S3Server

MIB = 1024 * 1024
DIGEST = hashlib.sha256(b"data").hexdigest()


async def test_the_signature_takes_the_digest_that_is_known(
    rclone: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "movie.mp4"
    path.write_bytes(b"film" * (3 * MIB))
    read: list[int] = []
    right = PartBody.read

    def counted(self: PartBody, size_bytes: int = -1) -> object:
        data = right(self, size_bytes)
        read.append(len(data))
        return data

    monkeypatch.setattr(PartBody, "read", counted)
    store = S3Store(rclone.bucket, "signer", options=small_parts(rclone))
    await store.put_file("large", path, media_type="video/mp4")
    await store.put_bytes("small", b"x" * 1000, media_type="text/plain")
    await store.close()
    assert sum(read) == 12 * MIB + 1000, "each byte is read once, to be sent"


@pytest.mark.parametrize(("endpoint", "said"), [("http", DIGEST), ("https", "UNSIGNED-PAYLOAD")])
async def test_what_a_request_says_of_its_body(rclone: S3Server, endpoint: str, said: str) -> None:
    """Over TLS nothing is signed of it, as botocore does it too."""
    address = rclone.endpoint_url.replace("http:", f"{endpoint}:")
    store = S3Store(rclone.bucket, "signer", options=small_parts(rclone, endpoint_url=address))
    sent: list[str] = []

    def note(request: Any, **_: Any) -> None:
        sent.append(request.headers["x-amz-content-sha256"].decode())

    try:
        client = await store._connection.client()
        client.meta.events.register("before-send.s3.PutObject", note)
        assert signs_bodies(client) is (endpoint == "http")
        with suppress(StorageUnavailable):  # nobody speaks TLS there
            await store.put_bytes("small", b"data", media_type="text/plain")
    finally:
        await store.close()
    assert sent == [said]
