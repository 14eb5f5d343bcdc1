"""A job that is cancelled while its scenes are rendered: its encoders stop, its files go, its end is recorded."""

from __future__ import annotations

from eventflow.domain.commands import RequestCancellation
from eventflow.domain.values import VideoRequest
from tests.support.studio import StudioOf
from tests.support.waiting import wait_until

SCRIPT = "\n\n".join(f"# Scene {n}\n\n" + " ".join(["Words to be said, and many of them."] * 30) for n in range(6))


async def test_nothing_is_left_of_a_cancelled_job(studio: StudioOf) -> None:
    async with studio() as s:
        job_id = await s.space.submit(VideoRequest(script=SCRIPT, quality_levels=("360p",)))

        async def planned() -> bool:
            return "ScenePlanned" in await s.space.types(job_id)

        await wait_until(planned)
        await wait_until(lambda: s.files("workspace") and s.scratch)
        await s.space.do(job_id, RequestCancellation("changed my mind"))
        await wait_until(lambda: s.space.ended(job_id))
        await wait_until(lambda: not s.files("workspace"), what="the workspace is cleared")
        await wait_until(lambda: not s.scratch, what="the scratch folder is empty")
        types = await s.space.types(job_id)
        assert types.count("JobCancelled") == 1
        assert types[-1] == "JobCancelled"
        assert "StepFailed" not in types
        assert await s.space.parked() == []
