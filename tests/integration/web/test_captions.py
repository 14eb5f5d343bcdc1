"""Captions of a published job."""

from __future__ import annotations

import pytest

from tests.support.driving import Driver
from tests.support.web_app import Client, job_id

VTT = b"WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\nHello\n"
GERMAN = VTT.replace(b"Hello", b"Hallo")
SRT = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"


@pytest.fixture
async def captions(driver: Driver) -> str:
    made = job_id()
    await driver.create(made)
    tracks = {("en-US", "vtt"): VTT, ("en-US", "srt"): SRT, ("de", "vtt"): GERMAN}
    await driver.publish(made, {"720p": b"x" * 100}, captions=tracks)  # type: ignore[arg-type]
    return f"/api/v1/videos/jobs/{made}/captions"


@pytest.mark.parametrize(
    ("query", "content", "kind"),
    [
        ("", VTT, "text/vtt"),
        ("?format=srt", SRT, "application/x-subrip"),
        ("?format=vtt&language=DE", GERMAN, "text/vtt"),
        ("?language=en-us", VTT, "text/vtt"),
    ],
)
async def test_a_redirect_leads_to_the_track(
    client: Client, captions: str, query: str, content: bytes, kind: str
) -> None:
    async with client.get(captions + query, allow_redirects=False) as answer:
        assert answer.status == 307
        assert answer.headers["Cache-Control"] == "no-store"
        location = answer.headers["Location"]
    async with client.get(location) as answer:
        assert answer.status == 200
        assert answer.content_type == kind
        assert await answer.read() == content


async def test_the_app_sends_the_bytes_to_pages_of_any_origin(client: Client, captions: str) -> None:
    async with client.get(captions + "?proxy=true") as answer:
        assert await answer.read() == VTT
        assert answer.content_type == "text/vtt"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        etag = answer.headers["ETag"]
    async with client.get(captions + "?proxy=true", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with client.get(captions + "?proxy=true", headers={"Range": "bytes=0-5"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"WEBVTT")


async def test_what_there_is_not_is_said(client: Client, captions: str, driver: Driver) -> None:
    async with client.get(captions + "?language=fr") as answer:
        body = await answer.json(content_type=None)
        assert (answer.status, body["code"], body["languages"]) == (404, "no_captions", ["en-US", "de"])
    async with client.get(captions + "?format=ass") as answer:
        assert answer.status == 422
    bare = job_id()
    await driver.create(bare)
    async with client.get(f"/api/v1/videos/jobs/{bare}/captions") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (409, "not_ready")
    record = await driver.publish(bare, {"720p": b"x"})
    async with client.get(f"/api/v1/videos/jobs/{bare}/status?min_version={record.version}") as answer:
        assert answer.status == 200
    async with client.get(f"/api/v1/videos/jobs/{bare}/captions") as answer:
        assert answer.status == 404
