"""Worker processes that share no folder: in an S3 workspace each fetches what another one has made."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from eventflow.domain.state import Phase
from eventflow.domain.values import VideoRequest, files_of
from handlers.media.probe import probe
from tests.support.files import stored_files
from tests.support.programs import Program, Programs
from tests.support.runtime import Space, open_space
from tests.support.s3_servers import environment_for, options_for, rclone_server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.chaos

WORDS = "A consumer group reads the events of its topic and commits what follows. " * 3
SCRIPT = "\n\n".join(f"## Part {number}\n\n{WORDS}" for number in range(1, 7))


@pytest.fixture
async def space(environment: dict[str, str]) -> AsyncIterator[Space]:
    async with open_space(environment["EVENTFLOW_REDIS_URL"], environment["EVENTFLOW_NAMESPACE"]) as space:
        yield space


def scenes(worker: Program, step: str) -> list[Any]:
    lines = [json.loads(line) for line in worker.err.splitlines() if line.startswith("{")]
    return [line["scene"] for line in lines if line["event"] == "step settled" and line.get("step") == step]


async def test_scenes_of_two_machines_become_one_video(space: Space, programs: Programs, tmp_path: Path) -> None:
    from eventflow.storage.s3.store import S3Store

    with rclone_server() as server:
        shared = {
            **environment_for(server),
            "EVENTFLOW_WORKSPACE_URL": f"s3://{server.bucket}/work",
            "EVENTFLOW_DELIVERY_URL": f"s3://{server.bucket}/films",
        }

        def machine(name: str, *options: str) -> Program:
            own = {
                "EVENTFLOW_DATA_DIR": f"{tmp_path}/{name}/data",
                "EVENTFLOW_SCRATCH_DIR": f"{tmp_path}/{name}/scratch",
            }
            return programs.start("worker", *options, **shared, **own)

        renderers = [machine(name, "--group", "generation", "--concurrency", "1") for name in ("one", "two")]
        others = [machine(group, "--group", group) for group in ("upload", "metadata")]
        for worker in (*renderers, *others):
            await wait_until(lambda worker=worker: "ready" in worker.out, 60, what=f"{worker.name} is ready")  # type: ignore[arg-type,misc]
        job_id = await space.submit(VideoRequest(script=SCRIPT, quality_levels=("360p",)))
        await wait_until(lambda: space.ended(job_id), 120, what="the job has ended")
        job = await space.job(job_id)
        assert job.phase is Phase.COMPLETED, job.failure

        rendered = [scenes(worker, "render_scene") for worker in renderers]
        print(f"\nMEASURED scenes rendered by each: {[len(each) for each in rendered]}")
        assert all(rendered), "one of them has rendered all"
        assert sorted(rendered[0] + rendered[1]) == list(range(len(job.scenes)))
        assert sum(len(scenes(worker, "assemble")) for worker in renderers) == 1

        store = S3Store(server.bucket, "films", options=options_for(server))
        try:
            assert job.published is not None
            assert {file.store for file in files_of(job.published)} == {"delivery"}
            [video] = job.published.videos
            await store.fetch(video.file.key, tmp_path / "video.mp4", sha256=video.file.sha256)
            info = probe(tmp_path / "video.mp4")
            assert info.video is not None
            assert info.duration_s == pytest.approx(video.duration_s, abs=0.1)
        finally:
            await store.close()
        for worker in (*renderers, *others):
            worker.signal(signal.SIGTERM)
            assert worker.wait().code == 0, worker.err[-2000:]
        for name in ("one", "two", "upload", "metadata"):
            kept = {path.name for path in stored_files(tmp_path / name)}
            assert kept <= {"signing.key"}, "no file of a job is kept on a machine"
