"""Files in S3: the redirect leads to the store, and the proxy reads ranges from it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from eventflow.domain.values import StoreRole
from eventflow.storage import ObjectStore
from eventflow.storage.s3.store import S3Store
from tests.support.driving import Driver
from tests.support.s3_servers import S3Server, moto_server, options_for
from tests.support.web_app import Client, StartClient, job_id
from web.deps import WebDeps

VIDEO = os.urandom(600_000)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
async def s3(server: S3Server) -> AsyncIterator[S3Store]:
    store = S3Store(server.bucket, "videos", options=options_for(server), environ={})
    yield store
    await store.close()


async def test_downloads_from_s3(
    s3: S3Store, server: S3Server, start: StartClient, deps: WebDeps, stores: dict[StoreRole, ObjectStore]
) -> None:
    everywhere: dict[StoreRole, ObjectStore] = {**stores, "delivery": s3}
    client: Client = await start(stores=everywhere)
    driver = Driver(deps.log, everywhere)
    job = job_id()
    await driver.create(job)
    await driver.publish(job, {"720p": VIDEO}, [b"picture"])
    url = f"/api/v1/videos/jobs/{job}/"
    async with client.get(url + "download", allow_redirects=False) as answer:
        assert answer.status == 307
        assert answer.headers["Location"].startswith(server.endpoint_url)
    async with client.get(url + "download", headers={"Range": "bytes=100-199"}) as answer:
        assert answer.status == 206
        assert await answer.read() == VIDEO[100:200]
        assert answer.headers["Content-Disposition"].startswith("attachment")
    async with client.get(url + "download?proxy=true", headers={"Range": "bytes=300000-"}) as answer:
        assert answer.status == 206
        assert await answer.read() == VIDEO[300_000:]
    async with client.get(url + "thumbnail") as answer:
        assert await answer.read() == b"picture"
    server.stop()
    try:
        async with client.get(url + "download?proxy=true") as answer:
            body = await answer.json(content_type=None)
            assert (answer.status, body["code"]) == (503, "storage_unavailable")
        async with client.get(url + "status") as answer:
            assert answer.status == 200
    finally:
        server.start()
