"""The same flow with delivery to S3: moto for ranges and multipart, rclone for signatures; and with S3 down."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import FileRef
from tests.support.s3_servers import S3Server, environment_for, moto_server, rclone_server
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until

REQUEST = simulation(quality_levels=("360p",))


def _use(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in environment_for(server).items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.bucket}/films"


async def _published(studio: Studio) -> tuple[str, Job]:
    job_id = await studio.space.submit(REQUEST)
    await wait_until(lambda: studio.space.ended(job_id), 60, what="the job has ended")
    job = await studio.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    return job_id, job


def _files(job: Job) -> list[FileRef]:
    assert job.published is not None
    scenes = [s for scene in job.scenes for r in scene.uploaded for s in (r.init, *(x.file for x in r.segments))]
    return [*scenes, *(v.file for v in job.published.videos), *(t.file for t in job.published.thumbnails)]


async def _get(url: str, **headers: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(URL(url, encoded=True), headers=headers) as answer:
        return answer.status, await answer.read()


async def test_files_are_in_s3_and_served_by_ranges(studio: StudioOf, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server() as server:
        async with studio(EVENTFLOW_DELIVERY_URL=_use(server, monkeypatch)) as s:
            _, job = await _published(s)
            files = _files(job)
            assert {ref.store for ref in files} == {"delivery"}
            assert {ref.retry_count for ref in files} == {0}
            assert s.files("fallback") == []
            store = s.parts.stores["delivery"]
            for ref in files:
                assert (await store.head(ref.key)).size_bytes == ref.size_bytes
            assert job.published is not None
            video = job.published.videos[0].file
            url = await store.signed_url(video.key, expires_in=timedelta(minutes=5))
            status, whole = await _get(url)
            assert (status, len(whole)) == (200, video.size_bytes)
            assert await _get(url, Range="bytes=1000-1999") == (206, whole[1000:2000])
    assert job.degraded == ()


async def test_large_file_goes_up_in_parts_with_its_digest(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from handlers.upload.uploader import DeliveryStores, StepUploads
    from handlers.workspace import digest_of

    path = tmp_path / "large.mp4"
    path.write_bytes(bytes(range(256)) * (20 * 1024 * 4))  # 20 MiB: more than two parts of 8 MiB
    digest, size = digest_of(path)
    with moto_server() as server:
        async with studio(EVENTFLOW_DELIVERY_URL=_use(server, monkeypatch), workers=()) as s:
            stores = s.parts.stores
            uploads = StepUploads(delivery=DeliveryStores(stores["delivery"], stores["fallback"], 0.01))
            ref = FileRef(store="workspace", key="x", sha256=digest, size_bytes=size, media_type="video/mp4")
            stored = await uploads.upload(path, ref, "videos/large.mp4")
            info = await stores["delivery"].head("videos/large.mp4")
            assert (stored.store, info.size_bytes, info.sha256) == ("delivery", size, digest)
            assert info.etag.strip('"').endswith("-3")  # S3's mark of an object in three parts


async def test_signed_urls_open_for_their_bearer_alone(studio: StudioOf, monkeypatch: pytest.MonkeyPatch) -> None:
    with rclone_server() as server:
        async with studio(EVENTFLOW_DELIVERY_URL=_use(server, monkeypatch)) as s:
            job_id, job = await _published(s)
            assert job.published is not None
            store, video = s.parts.stores["delivery"], job.published.videos[0].file
            url = await store.signed_url(video.key, expires_in=timedelta(minutes=5))
            status, body = await _get(url)
            assert (status, len(body)) == (200, video.size_bytes)

            signature = URL(url, encoded=True).query["X-Amz-Signature"]
            forged = ("0" if signature[0] != "0" else "1") + signature[1:]
            assert (await _get(url.replace(signature, forged)))[0] == 403
            other = job.published.thumbnails[0].file.key
            assert (await _get(url.replace(video.key, other)))[0] == 403
            assert (await _get(url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000")))[0] == 403
            assert (await _get(url.split("?")[0]))[0] in (400, 403)  # rclone finds no signature to check: 400

            short = await store.signed_url(video.key, expires_in=timedelta(seconds=1))

            async def refused() -> bool:
                return (await _get(short))[0] in (400, 403)

            await wait_until(refused, 15, what="the URL has expired")
            for envelope in await s.space.history(job_id):
                raw = s.space.log.codec.encode(envelope)
                assert b"X-Amz" not in raw
                assert b"http://" not in raw


async def test_s3_that_is_down_costs_three_retries_and_then_local_files_do(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto_server() as server:
        url = _use(server, monkeypatch)
        server.stop()
        async with studio(EVENTFLOW_DELIVERY_URL=url) as s:
            job_id, job = await _published(s)
            history = await s.space.history(job_id)
            assert s.files("fallback")
    assert job.published is not None
    videos = [v.file for v in job.published.videos]
    assert [(ref.store, ref.retry_count) for ref in videos] == [("fallback", 3)]
    thumbnails = [t.file for t in job.published.thumbnails]
    assert {ref.retry_count for ref in thumbnails} == {0}  # they went straight where the video had to go
    assert {ref.store for ref in _files(job)} == {"fallback"}
    fell_back = [e.event for e in history if isinstance(e.event, ev.UploadFellBack)]
    assert {(e.step, e.scene) for e in fell_back} == {
        *(("upload_scene", scene) for scene in range(3)),
        ("upload_video", None),
    }
    assert {e.retry_count for e in fell_back} == {3}
    assert all("unavailable" in e.reason for e in fell_back)
    assert len(job.degraded) >= 2
    assert all("fell back to local storage" in note for note in job.degraded)
    assert job.attempts == ()  # no step failed: the retries were the upload's own


async def test_s3_that_comes_back_in_time_is_used(studio: StudioOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down when the first try is made, back before the last one."""
    with moto_server() as server:
        url = _use(server, monkeypatch)
        server.stop()
        async with studio(EVENTFLOW_DELIVERY_URL=url, EVENTFLOW_UPLOAD_RETRY_BASE_SECONDS="0.8") as s:
            from handlers.upload import uploader

            tried = asyncio.Event()
            original = uploader.StepUploads._put

            async def note(self: uploader.StepUploads, *args: object) -> None:
                try:
                    await original(self, *args)  # type: ignore[arg-type]
                finally:
                    tried.set()

            monkeypatch.setattr(uploader.StepUploads, "_put", note)
            job_id = await s.space.submit(REQUEST)
            async with asyncio.timeout(30):
                await tried.wait()
            await asyncio.to_thread(server.start)
            await wait_until(lambda: s.space.ended(job_id), 60, what="the job has ended")
            job = await s.space.job(job_id)
    assert job.published is not None
    assert {v.file.store for v in job.published.videos} == {"delivery"}
    assert 1 <= max(ref.retry_count for ref in _files(job)) <= 3
