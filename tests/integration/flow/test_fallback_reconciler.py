"""Files of the fallback store move to the delivery store once S3 is back; on a real S3 server."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from attrs import define
from yarl import URL

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import FileRef, files_of
from eventflow.storage import ObjectStore, StorageUnavailable
from handlers.upload.fallback_reconciler import FallbackReconciler, Round
from handlers.workspace import Workspace
from ops.compose import utc_now
from tests.support.programs import Programs
from tests.support.s3_servers import S3Server, environment_for, moto_server, rclone_server
from tests.support.stored_jobs import stored_job
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until

REQUEST = simulation(quality_levels=("360p",))
GRACE = timedelta(hours=1)


@define
class Clock:
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


def use(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in environment_for(server).items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.bucket}/films"


def reconciler(s: Studio, clock: Clock, delivery: Any = None) -> FallbackReconciler:
    stores = s.parts.stores
    workspace = Workspace(stores["workspace"], s.folder / "scratch")
    return FallbackReconciler(
        log=s.parts.log,
        workspace=workspace,
        delivery=delivery or stores["delivery"],
        fallback=stores["fallback"],
        clock=clock,
        grace=GRACE,
    )


def local(job: Job) -> list[FileRef]:
    return [file for file in files_of(job) if file.store == "fallback"]


async def fallen_back(s: Studio, **changes: Any) -> Job:
    job_id = await s.space.submit(simulation(quality_levels=("360p",), **changes))
    await wait_until(lambda: s.space.ended(job_id), 60, what="the job has ended")
    job = await s.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    assert local(job)
    return job


async def get(store: ObjectStore, key: str) -> bytes:
    url = await store.signed_url(key, expires_in=timedelta(minutes=5))
    async with aiohttp.ClientSession() as session, session.get(URL(url, encoded=True)) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_files_move_when_s3_is_back_and_leave_the_fallback_store_after_the_grace(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with moto_server() as server:
        url = use(server, monkeypatch)
        server.stop()
        async with studio(EVENTFLOW_DELIVERY_URL=url) as s:
            before = await fallen_back(s)
            fallback, count = reconciler(s, clock), len(s.files("fallback"))
            with pytest.raises(StorageUnavailable):
                await fallback.round()
            await asyncio.to_thread(server.start)
            assert await fallback.round() == Round(moved=count)
            assert await fallback.round() == Round()

            job_id = s.files("fallback")[0].parts[-3]
            job = await s.space.job(job_id)
            last = (await s.space.history(job_id))[-1].event
            assert isinstance(last, ev.VideoRelocated)
            assert set(last.keys) == {file.key for file in local(before)}
            assert (job.phase, local(job), job.degraded) == (Phase.COMPLETED, [], ())
            assert job.published is not None
            for file in (*files_of(job.published), *files_of(job.scenes[0].uploaded)):
                assert file.store == "delivery"
                assert hashlib.sha256(await get(s.parts.stores["delivery"], file.key)).hexdigest() == file.sha256

            assert len(s.files("fallback")) == count, "links that were handed out lead here"
            clock.ahead = GRACE + timedelta(seconds=1)
            assert await fallback.round() == Round(removed=count)
            assert s.files("fallback") == []
            assert await fallback.round() == Round()


async def finished_round(reconciler: FallbackReconciler) -> None:
    """A round that is begun again where the store is unavailable, as a worker does after a pause.

    rclone answers 500 to one of two that write the same file at once.
    """
    while True:
        try:
            await reconciler.round()
            return
        except StorageUnavailable:
            await asyncio.sleep(0.05)


async def test_two_workers_at_once_say_it_once(studio: StudioOf, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with rclone_server() as server:
        url = use(server, monkeypatch)
        server.stop()
        async with studio(EVENTFLOW_DELIVERY_URL=url) as s:
            await fallen_back(s)
            await asyncio.to_thread(server.start)
            await asyncio.gather(*(finished_round(reconciler(s, clock)) for _ in range(3)))
            job_id = s.files("fallback")[0].parts[-3]
            assert (await s.space.types(job_id)).count("VideoRelocated") == 1


async def test_what_is_meant_to_be_local_stays(studio: StudioOf, clock: Clock) -> None:
    async with studio() as s:
        await fallen_back(s, s3_upload_enabled=False)
        assert await reconciler(s, clock).round() == Round()
        assert s.files("fallback")
        assert s.files("delivery") == []


class Meanwhile:
    """A store with which something else happens while a file is on its way there."""

    def __init__(self, store: ObjectStore, action: Any) -> None:
        self._store, self._action = store, action

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def put_file(self, *args: Any, **options: Any) -> Any:
        await self._action()
        return await self._store.put_file(*args, **options)


async def test_a_job_that_is_deleted_meanwhile_leaves_no_copies(studio: StudioOf, clock: Clock) -> None:
    async with studio(workers=("metadata",)) as s:
        job_id = await made_local(s, 3)

        async def delete() -> None:
            await s.space.do(job_id, cmd.RequestDeletion("asked"))

        delivery = Meanwhile(s.parts.stores["delivery"], delete)
        assert await reconciler(s, clock, delivery).round() == Round()
        await wait_until(lambda: s.space.ended(job_id), 30, what="the job is deleted")
        assert s.files("delivery") == s.files("fallback") == []


async def test_a_file_that_is_gone_or_damaged_does_not_keep_the_others(studio: StudioOf, clock: Clock) -> None:
    async with studio(workers=()) as s:
        job_id = await made_local(s, 4)
        first, second, *others = sorted(s.files("fallback"))
        first.unlink()
        second.write_bytes(b"damaged")
        assert await reconciler(s, clock).round() == Round(moved=len(others))
        left = {file.key.rsplit("/", 1)[1] for file in local(await s.space.job(job_id))}
        assert left == {first.name, second.name}
        clock.ahead = GRACE * 2
        assert (await reconciler(s, clock).round()).removed == len(others)


async def test_the_last_copy_stays(studio: StudioOf, clock: Clock) -> None:
    """Somebody has removed it from the delivery store in the grace."""
    async with studio(workers=()) as s:
        await made_local(s, 1)
        await reconciler(s, clock).round()
        for path in s.files("delivery"):
            path.unlink()
        clock.ahead = GRACE * 2
        assert await reconciler(s, clock).round() == Round()
        assert s.files("fallback")


async def made_local(s: Studio, files: int, kilobytes: int = 1) -> str:
    return await stored_job(s.space, s.parts.stores, files, role="fallback", kilobytes=kilobytes)


@pytest.mark.chaos
async def test_a_killed_worker_leaves_the_rest_to_the_next_one(
    studio: StudioOf, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL when some files are in S3 and no event says so."""
    files = 120
    with moto_server() as server:
        url = use(server, monkeypatch)
        there = {
            **environment_for(server),
            "EVENTFLOW_DELIVERY_URL": url,
            "EVENTFLOW_RECONCILE_FALLBACK_SECONDS": "0.2",
        }
        async with studio(EVENTFLOW_DELIVERY_URL=url, workers=()) as s:
            job_id, store = await made_local(s, files, kilobytes=64), s.parts.stores["delivery"]

            async def arrived() -> int:
                return len([info async for info in store.list("videos/")])

            first = programs.start("worker", "--group", "upload", **there)
            await wait_until(arrived, 60, what="some files have arrived")
            first.signal_group(signal.SIGKILL)
            first.wait()
            some = await arrived()
            print(f"\nkilled with {some} of {files} files copied")
            assert 0 < some < files
            assert len(local(await s.space.job(job_id))) > 0
            programs.start("worker", "--group", "upload", **there)
            await wait_until(lambda: relocated(s, job_id), 60, what="the files are in the delivery store")
            job = await s.space.job(job_id)
            assert local(job) == []
            for file in set(files_of(job.scenes[0].uploaded)):
                assert (await store.head(file.key)).sha256 == file.sha256
            assert len(s.files("fallback")) == files


async def relocated(s: Studio, job_id: str) -> bool:
    return "VideoRelocated" in await s.space.types(job_id)
