"""What viewers get is signed for the region that the bucket is in, whatever the settings say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from botocore.awsrequest import AWSRequest

from eventflow.storage.factory import open_store
from eventflow.storage.s3 import client
from eventflow.storage.s3.client import S3Options
from eventflow.storage.s3.region import SignedRegion
from tests.support.region_gate import region_gate
from tests.support.s3_servers import S3Server, environment_for, moto_server

REGION = "eu-central-1"
SETTINGS = [
    {"AWS_REGION": REGION},
    {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": "us-west-2"},
    {"AWS_DEFAULT_REGION": REGION},
    {"AWS_REGION": "us-west-2"},
    {},
]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.mark.parametrize("names_it", [True, False], ids=["the region is named", "only refusals name it"])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda given: "+".join(given) or "nothing")
async def test_signed_urls_are_for_the_buckets_region(
    server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    names_it: bool,
) -> None:
    with region_gate(server.endpoint_url, REGION, names_it=names_it) as url:
        given = {**environment_for(server), "AWS_ENDPOINT_URL_S3": url}
        del given["AWS_DEFAULT_REGION"]
        for name, value in {**given, **settings}.items():
            monkeypatch.setenv(name, value)
        store = open_store(f"s3://{server.bucket}/films", now=lambda: datetime.now(UTC))
        try:
            await store.put_bytes("a.txt", b"seen by viewers", media_type="text/plain")
            async with aiohttp.ClientSession() as session:
                signed = await store.signed_url("a.txt", expires_in=timedelta(minutes=1))
                async with session.get(signed, headers={"Range": "bytes=0-3"}) as answer:
                    assert (answer.status, await answer.read()) == (206, b"seen")
                signed = await store.signed_url("a.txt", expires_in=timedelta(minutes=1), method="HEAD")
                async with session.head(signed) as answer:
                    assert answer.status == 200
        finally:
            await store.close()


async def test_a_store_that_does_not_answer_keeps_nobody_from_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be good all the same: what is in front of the store has the files. One asks, for all."""
    monkeypatch.setattr(client, "_REGION_S", 0.3)
    asked = list[asyncio.StreamWriter]()
    silent = await asyncio.start_server(lambda _, writer: asked.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    options = S3Options(
        endpoint_url=f"http://127.0.0.1:{port}", region=REGION, access_key_id="key", secret_access_key="secret"
    )
    store = open_store("s3://bucket/films", now=lambda: datetime.now(UTC), s3=options)
    try:
        async with asyncio.timeout(10):  # a request of ours waits for half a minute
            wanted = (store.signed_url(f"{number}.mp4", expires_in=timedelta(minutes=1)) for number in range(20))
            urls = [*await asyncio.gather(*wanted), await store.signed_url("x.mp4", expires_in=timedelta(minutes=1))]
        assert all(f"%2F{REGION}%2Fs3" in url for url in urls)
        assert len(asked) == 1
    finally:
        await store.close()
        for writer in asked:
            writer.close()
        silent.close()
        await silent.wait_closed()


def test_what_was_taken_counts_more_than_what_is_named() -> None:
    """A service whose signatures are all for "auto" may name the place that a bucket is in."""
    region, request = SignedRegion(), AWSRequest("HEAD", "https://store.example/bucket")
    assert region.of({"BucketRegion": "WEUR"}) == "WEUR"
    request.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=key/20260101/auto/s3/aws4_request, Signature=0"
    region.note(request)
    assert region.of({"BucketRegion": "WEUR"}) == "auto"
