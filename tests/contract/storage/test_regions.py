"""What viewers get is signed for the region that the bucket is in, whatever the settings say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from eventflow.storage.factory import open_store
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
