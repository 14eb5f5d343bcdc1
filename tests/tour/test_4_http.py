"""Over HTTP: asking once, reading what one has written, watching while it grows, links that end, and files of users."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import m3u8

from eventflow.domain import commands as cmd
from eventflow.domain.values import SceneRendition, Segment
from tests.support.driving import Driver, file_ref
from tests.support.mediafiles import picture
from tests.support.web_app import Client, Clock, job_id

JOBS = "/api/v1/videos/jobs"
VIDEO = bytes(range(256))


async def test_an_idempotency_key_makes_one_job(client: Client) -> None:
    """A request that is sent again under its key gets the first answer again, and says so."""
    sent: dict[str, Any] = {"json": {"script": "# Hello"}, "headers": {"Idempotency-Key": "order-1"}}
    async with client.post("/api/v1/videos/generate", **sent) as first:
        assert first.status == 202
        job = (await first.json())["job_id"]
    async with client.post("/api/v1/videos/generate", **sent) as again:
        assert (again.status, (await again.json())["job_id"]) == (202, job)
        assert again.headers["Idempotency-Replayed"] == "true"


async def test_min_version_reads_what_was_written(client: Client, driver: Driver) -> None:
    """Views follow the log a moment later. A reader who knows a version waits for a view that has it."""
    job = job_id()
    await driver.create(job)
    asked = asyncio.create_task(_status(client, job, min_version=3))
    await driver.plan(job)
    assert (await asked) >= 3


async def test_a_playlist_grows_with_the_video(client: Client, driver: Driver) -> None:
    """The first scene can be watched while the others are being made; at the end the playlist says that it is one."""
    job = job_id()
    await driver.create(job)
    await driver.plan(job, scenes=2)
    await _status(client, job, await _upload(driver, job, 0))
    growing = await _playlist(client, job)
    assert (len(growing.segments), growing.is_endlist) == (1, False)
    await _status(client, job, await _upload(driver, job, 1))
    whole = await _playlist(client, job)
    assert (len(whole.segments), whole.is_endlist) == (2, True)


async def test_a_range_is_served(client: Client, driver: Driver) -> None:
    """Players seek: a range gives these bytes and no others."""
    job = await _published(driver)
    async with client.get(f"{JOBS}/{job}/download?proxy=true", headers={"Range": "bytes=10-19"}) as answer:
        assert (answer.status, await answer.read()) == (206, VIDEO[10:20])
        assert answer.headers["Content-Range"] == f"bytes 10-19/{len(VIDEO)}"


async def test_a_signed_url_expires(client: Client, driver: Driver, clock: Clock) -> None:
    """A download redirects to a link that needs no key, and that ends."""
    job = await _published(driver)
    async with client.get(f"{JOBS}/{job}/download?expires_in=60", allow_redirects=False) as answer:
        link = answer.headers["Location"]
    async with client.get(link) as answer:
        assert (answer.status, await answer.read()) == (200, VIDEO)
    clock.at += timedelta(seconds=61)
    async with client.get(link) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "expired_signature")


async def test_an_upload_is_reencoded(client: Client) -> None:
    """What a file is, its content says. It is decoded in a sandbox, and what is kept was encoded by us."""
    hidden = picture("PNG") + b"<script>alert(1)</script>"
    headers = {"Content-Type": "text/html"}
    async with client.post("/api/v1/assets", data=hidden, headers=headers) as answer:
        asset = await answer.json()
    assert (answer.status, asset["kind"], asset["media_type"]) == (201, "image", "image/png")
    async with client.post("/api/v1/assets", data=picture("PNG"), headers=headers) as answer:
        same = await answer.json()
    assert re.fullmatch("as_[0-9a-f]{32}", asset["id"])
    assert same == asset, "the appended text is gone: both pictures are the same file"


async def _status(client: Client, job: str, min_version: int) -> int:
    async with client.get(f"{JOBS}/{job}/status?min_version={min_version}") as answer:
        return int((await answer.json())["version"])


async def _published(driver: Driver) -> str:
    job = job_id()
    await driver.create(job)
    await driver.publish(job, {"720p": VIDEO})
    return job


async def _upload(driver: Driver, job: str, scene: int) -> int:
    """A scene of one segment, rendered and in the delivery store; returns the job's version."""
    init, segment = (file_ref(data, "720p.mp4", "video/mp4") for data in (b"init", b"segment %d" % scene))
    made = (
        SceneRendition(
            quality="720p",
            width=1280,
            height=720,
            decoder_config="config",
            init=init,
            segments=(Segment(segment, 10),),
            codecs="avc1.64001f",
        ),
    )
    return (
        await driver.run(
            job,
            cmd.FinishScene(scene=scene, run=1, renditions=made),
            cmd.FinishSceneUpload(scene=scene, run=1, renditions=made),
        )
    ).version


async def _playlist(client: Client, job: str) -> m3u8.M3U8:
    async with client.get(f"{JOBS}/{job}/stream?quality=720p&format=hls") as answer:
        return m3u8.loads(await answer.text())
