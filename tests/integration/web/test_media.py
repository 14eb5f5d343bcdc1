"""Media of a published job: metadata, pictures, downloads, signed local files."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.support.driving import Driver
from tests.support.web_app import Client, Clock, StartClient, job_id

BIG = os.urandom(700_001)
SMALL = os.urandom(300)
PICTURE = b"\xff\xd8 a picture"
ETAG = f'"{hashlib.sha256(BIG).hexdigest()}"'


@pytest.fixture
async def job(driver: Driver) -> str:
    made = job_id()
    await driver.create(made)
    await driver.publish(made, {"1080p": BIG, "720p": SMALL}, [PICTURE, PICTURE + b"2"])
    return made


def url(job: str, what: str) -> str:
    return f"/api/v1/videos/jobs/{job}/{what}"


async def test_nothing_yet_is_a_409_with_the_jobs_status(client: Client, driver: Driver) -> None:
    made = job_id()
    await driver.create(made)
    for what in ("metadata", "thumbnail", "download", "stream?format=mp4"):
        async with client.get(url(made, what)) as answer:
            body = await answer.json(content_type=None)
            assert (answer.status, body["code"], body["job_status"]) == (409, "not_ready", "queued")
            assert answer.headers["Retry-After"]
    await driver.fail(made)
    async with client.get(url(made, "status?min_version=3")):
        pass
    async with client.get(url(made, "download")) as answer:
        assert (await answer.json(content_type=None))["job_status"] == "failed"
        assert "Retry-After" not in answer.headers


async def test_metadata_lists_files_and_their_stores(client: Client, job: str) -> None:
    async with client.get(url(job, "metadata")) as answer:
        assert answer.status == 200
        body = await answer.json()
    assert body["file_size"] == len(BIG)
    assert body["dimensions"] == {"width": 1920, "height": 1080}
    assert body["storage"] == {
        "videos": {"1080p": "delivery", "720p": "delivery"},
        "thumbnails": ["delivery"] * 2,
        "captions": [],
        "companions": [],
    }
    assert body["s3_keys"]["videos"]["720p"].endswith("-720p.mp4")
    assert body["technical_metadata"][0]["video"]["codec"] == "h264"
    assert body["technical_metadata"][0]["meets"] == ["youtube", "x"]
    assert body["version"] == 1
    async with client.get(body["video_urls"]["720p"]) as answer:
        assert await answer.read() == SMALL
    async with client.get(body["thumbnail_urls"][1]) as answer:
        assert await answer.read() == PICTURE + b"2"
        assert answer.content_type == "image/jpeg"


async def test_a_download_leads_to_a_signed_attachment_with_ranges(client: Client, job: str) -> None:
    async with client.get(url(job, "download"), allow_redirects=False) as answer:
        assert answer.status == 307
        assert answer.headers["Cache-Control"] == "no-store"
        location = answer.headers["Location"]
    async with client.get(location) as answer:
        assert await answer.read() == BIG
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["ETag"] == ETAG
    async with client.get(url(job, "download?quality=720p"), headers={"Range": "bytes=10-19"}) as answer:
        assert answer.status == 206
        assert await answer.read() == SMALL[10:20]
    async with client.get(url(job, "stream?format=mp4&quality=720p")) as answer:
        assert await answer.read() == SMALL
        assert "Content-Disposition" not in answer.headers
        assert answer.content_type == "video/mp4"


@pytest.mark.parametrize("way", ["proxy", "signed"])
async def test_ranges_and_conditions_through_the_app(client: Client, job: str, way: str) -> None:
    target = url(job, "download?proxy=true")
    if way == "signed":
        async with client.get(url(job, "download"), allow_redirects=False) as answer:
            target = answer.headers["Location"]
    async with client.get(target) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(BIG)))
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert await answer.read() == BIG
        assert answer.headers["X-Request-Id"]
    async with client.get(target, headers={"Range": "bytes=-5"}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {len(BIG) - 5}-{len(BIG) - 1}/{len(BIG)}"
        assert await answer.read() == BIG[-5:]
    async with client.get(target, headers={"Range": "bytes=400000-", "If-Range": ETAG}) as answer:
        assert answer.status == 206
        assert await answer.read() == BIG[400_000:]
    async with client.get(target, headers={"Range": "bytes=5-9", "If-Range": '"old"'}) as answer:
        assert answer.status == 200
        assert await answer.read() == BIG
    async with client.get(target, headers={"Range": f"bytes={len(BIG)}-"}) as answer:
        assert answer.status == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(BIG)}"
        assert answer.content_type == "application/problem+json"
    async with client.get(target, headers={"If-None-Match": ETAG}) as answer:
        assert answer.status == 304
    async with client.head(target) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(BIG)))
        assert await answer.read() == b""
    async with client.get(url(job, "status")) as answer:  # the connection is still good
        assert answer.status == 200


async def test_thumbnails_come_as_bytes_that_can_be_kept(client: Client, job: str) -> None:
    async with client.get(url(job, "thumbnail?index=1")) as answer:
        assert await answer.read() == PICTURE + b"2"
        assert "max-age" in answer.headers["Cache-Control"]
        etag = answer.headers["ETag"]
    async with client.get(url(job, "thumbnail?index=1"), headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with client.get(url(job, "thumbnail?index=2")) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "no_thumbnail")


async def test_unknown_qualities_and_formats_name_the_available_ones(client: Client, job: str) -> None:
    async with client.get(url(job, "download?quality=9p")) as answer:
        body = await answer.json(content_type=None)
        assert (answer.status, body["qualities"]) == (404, ["1080p", "720p"])
    for what in ("stream", "stream?format=hls"):
        async with client.get(url(job, what)) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "no_stream")


async def test_a_changed_or_expired_url_is_refused(client: Client, job: str, clock: Clock) -> None:
    async with client.get(url(job, "download"), allow_redirects=False) as answer:
        location = answer.headers["Location"]
    async with client.get(location.replace("d=", "d=x")) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "bad_signature")
    async with client.get(urlsplit(location).path) as answer:
        assert answer.status == 403
    clock.at += timedelta(seconds=3_601)
    async with client.get(location) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "expired_signature")


async def test_the_fallback_store_serves_its_files(client: Client, driver: Driver) -> None:
    made = job_id()
    await driver.create(made)
    await driver.publish(made, {"720p": SMALL}, store="fallback")
    async with client.get(url(made, "download")) as answer:
        assert await answer.read() == SMALL
    async with client.get(url(made, "status")) as answer:
        stored = (await answer.json())["storage"]
        assert stored == {"videos": {"720p": "fallback"}, "thumbnails": [], "captions": [], "companions": []}


async def test_a_file_that_is_gone_and_a_store_that_is_down(client: Client, driver: Driver, job: str) -> None:
    async for info in driver.stores["delivery"].list(""):
        await driver.stores["delivery"].delete(info.key)
    async with client.get(url(job, "download?proxy=1")) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "file_missing")
    async with client.get(url(job, "download")) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "file_missing")


async def test_a_publication_stays_served_while_its_job_is_reprocessed(
    client: Client, driver: Driver, job: str, start: StartClient
) -> None:
    async with client.post(f"/api/v1/admin/jobs/{job}/reprocess") as answer:
        assert answer.status == 202
        version = (await answer.json())["version"]
    for each in (client, await start()):
        async with each.get(url(job, f"status?min_version={version}")) as answer:
            body = await answer.json()
            assert (body["status"], body["playable"], body["progress"]) == ("queued", True, 0.0)
        async with each.get(url(job, "download?quality=720p")) as answer:
            assert await answer.read() == SMALL
