"""Clips on the real log: whatever becomes of workers, each scene's clip is paid for once. The service keeps count."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import OrderOutcome, ReprocessFrom, Step, VideoRequest
from tests.support.programs import Program, Programs
from tests.support.runtime import Space, gapless, open_space
from tests.support.studio import Studio, StudioOf
from tests.support.video_server import KEY, VideoService, answer, hangs, make_clip, video_service
from tests.support.waiting import wait_until

SCRIPT = "# Tides\n\nThe sea rises twice a day.\n\n## Why\n\nThe moon pulls."
ONE_SCENE = "# Tides\n\nThe sea rises."
GENEROUS_S = 90
GENERATION = ("worker", "--group", "generation", "--concurrency", "2")


def request(script: str = ONE_SCENE, **changes: Any) -> VideoRequest:
    return VideoRequest(script=script, pipeline="remote", quality_levels=("360p",), **changes)


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(2, (160, 90), rate=10, sound=False)


@pytest.fixture
def service(clip: bytes) -> Iterator[VideoService]:
    with video_service(clip) as service:
        yield service


@pytest.fixture
def environment(environment: dict[str, str], service: VideoService) -> dict[str, str]:
    remote = {"URL": service.url, "DIALECT": "openai", "KEY": KEY, "POLL_SECONDS": "0.05", "SECONDS": "2"}
    return {**environment, **{f"EVENTFLOW_REMOTE_{name}": value for name, value in remote.items()}}


@pytest.fixture
async def space(environment: dict[str, str]) -> AsyncIterator[Space]:
    async with open_space(environment["EVENTFLOW_REDIS_URL"], environment["EVENTFLOW_NAMESPACE"]) as space:
        yield space


async def _ready(*workers: Program) -> None:
    for worker in workers:
        await wait_until(lambda worker=worker: "ready" in worker.out, 60, what=f"{worker.name} is ready")  # type: ignore[arg-type,misc]


async def _recorded(space: Space, job_id: str, kind: type[ev.Event], count: int = 1) -> None:
    async def enough() -> bool:
        return sum(isinstance(e.event, kind) for e in await space.history(job_id)) >= count

    await wait_until(enough, GENEROUS_S, what=f"{count} {kind.__name__}")


@pytest.mark.chaos
async def test_clips_of_a_killed_worker_are_taken_up_by_the_next_one(
    space: Space, programs: Programs, service: VideoService
) -> None:
    """One is waited for when the worker is killed; of the other it has ordered, but not heard the id yet."""

    async def second_is_silent(request: Any) -> Any:
        if "-1-1-0" in request.headers["Idempotency-Key"]:
            service.order(request.headers["Idempotency-Key"])
            return await hangs(request)
        return None

    service.released.clear()
    service.extra = {"cost": "0.40", "currency": "USD"}
    service.odd["submit"] = [second_is_silent, second_is_silent]
    first = programs.start(*GENERATION, EVENTFLOW_REMOTE_KEEPS_KEYS="on")
    await _ready(first)
    job_id = await space.submit(request(SCRIPT))
    await _recorded(space, job_id, ev.RemoteWorkStarted)
    await wait_until(lambda: len(service.made) == 2, what="both clips are ordered")
    await wait_until(lambda: service.asked("status"), what="the service is asked how far one is")
    first.signal_group(signal.SIGKILL)
    first.process.wait()
    service.released.set()
    second = programs.start(*GENERATION, EVENTFLOW_REMOTE_KEEPS_KEYS="on")
    await _recorded(space, job_id, ev.ScenesCompleted)
    history = [envelope.event for envelope in await space.history(job_id)]
    started = [event for event in history if isinstance(event, ev.RemoteWorkStarted)]
    costs = [event for event in history if isinstance(event, ev.CostRecorded)]
    orders = [order.headers["Idempotency-Key"].removeprefix(job_id) for order in service.asked("submit")]
    assert sorted(orders) == ["-0-1-0", "-1-1-0", "-1-1-0"]
    assert len(service.made) == 2
    assert sorted(event.remote_id for event in started) == service.made
    assert sorted((cost.reference, cost.amount, cost.currency) for cost in costs) == [
        (name, "0.40", "USD") for name in service.made
    ]
    assert not service.asked("cancel")
    assert gapless(await space.history(job_id))
    for worker in (first, second):
        assert KEY not in worker.out + worker.err


async def test_a_worker_that_is_shut_down_leaves_the_clip_in_work(studio: StudioOf, service: VideoService) -> None:
    service.released.clear()
    async with studio(workers=("generation",), EVENTFLOW_DRAIN_SECONDS="0.2") as s:
        job_id = await s.space.submit(request())
        await _recorded(s.space, job_id, ev.RemoteWorkStarted)
    assert not service.asked("cancel")
    service.released.set()
    async with studio(workers=("generation",)) as s:
        await _recorded(s.space, job_id, ev.ScenesCompleted)
    assert len(service.asked("submit")) == 1
    assert not service.asked("cancel")


async def test_a_cancelled_job_ends_its_clip(studio: StudioOf, service: VideoService) -> None:
    service.released.clear()
    async with studio(workers=("generation",)) as s:
        job_id = await s.space.submit(request())
        await _recorded(s.space, job_id, ev.RemoteWorkStarted)
        await s.space.do(job_id, cmd.RequestCancellation("enough"))
        await wait_until(lambda: s.space.ended(job_id), GENEROUS_S, what="the job has ended")
        await wait_until(lambda: service.asked("cancel"), GENEROUS_S, what="the clip is ended")
        assert (await s.space.job(job_id)).phase is Phase.CANCELLED
    assert [ended.path for ended in service.asked("cancel")] == ["/v1/videos/video_1"]
    assert len(service.asked("submit")) == 1


async def test_a_failed_clip_fails_its_scene_and_a_new_run_orders_another(
    studio: StudioOf, service: VideoService
) -> None:
    """The other scene's clip, which was paid for, is made and kept."""
    service.odd["status"] = [answer(200, {"id": "video_1", "status": "failed", "error": {"message": "too wet"}})]
    async with studio(EVENTFLOW_CONCURRENCY="1") as s:
        job_id = await s.space.submit(request(SCRIPT))
        await wait_until(lambda: s.space.ended(job_id), GENEROUS_S, what="the job has ended")
        job = await s.space.job(job_id)
        assert job.phase is Phase.FAILED
        assert job.failure is not None
        assert (job.failure.failure.code, job.failure.attempts) == ("remote_failed", 1)
        assert "too wet" in job.failure.failure.message
        assert len(service.asked("submit")) == 2
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (0,)))
        await wait_until(lambda: s.space.ended(job_id), GENEROUS_S, what="the job has ended again")
        job = await s.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    keys = [order.headers["Idempotency-Key"].removeprefix(job_id) for order in service.asked("submit")]
    assert keys == ["-0-1-0", "-1-1-0", "-0-2-0"]


async def test_a_busy_service_is_given_its_time(studio: StudioOf, service: VideoService) -> None:
    """The pause that it asks for is in the event of the failed try."""
    service.odd["submit"] = [answer(429, Retry_After="0.5")]
    async with studio(EVENTFLOW_REMOTE_BUSY_SECONDS="0") as s:
        job_id = await s.space.submit(request())
        await wait_until(lambda: s.space.ended(job_id), GENEROUS_S, what="the job has ended")
        history = await s.space.history(job_id)
        assert (await s.space.job(job_id)).phase is Phase.COMPLETED
    ((at, failed),) = [(e.occurred_at, e.event) for e in history if isinstance(e.event, ev.StepFailed)]
    assert (failed.step, failed.failure.code) == (Step.RENDER_SCENE, "service_failed")
    assert failed.retry_at is not None
    assert (failed.retry_at - at).total_seconds() >= 0.4
    assert len(service.made) == 1


async def test_without_a_service_the_job_says_which_setting_is_missing(studio: StudioOf) -> None:
    async with studio(EVENTFLOW_REMOTE_URL="") as s:
        job_id = await s.space.submit(request())
        await wait_until(lambda: s.space.ended(job_id), GENEROUS_S, what="the job has ended")
        job = await s.space.job(job_id)
    assert job.failure is not None
    assert job.failure.failure.code == "pipeline_unavailable"
    assert "EVENTFLOW_REMOTE_URL" in job.failure.failure.message


async def _ends(s: Studio, job_id: str) -> Job:
    await wait_until(lambda: s.space.ended(job_id), GENEROUS_S, what="the job has ended")
    return await s.space.job(job_id)


async def test_an_answer_that_cannot_be_read_is_one_order_and_is_in_the_history(
    studio: StudioOf, service: VideoService
) -> None:
    """A new run orders another clip: whoever asks for it has read that the first may cost."""
    service.odd["submit"] = [answer(200, {"status": "queued", "job": "77"})] * 4
    async with studio() as s:
        job_id = await s.space.submit(request())
        job = await _ends(s, job_id)
        assert job.failure is not None
        assert (job.failure.failure.code, job.failure.attempts) == ("remote_order_unknown", 1)
        assert "EVENTFLOW_REMOTE_KEEPS_KEYS" in job.failure.failure.message
        events = [envelope.event for envelope in await s.space.history(job_id)]
        (ordered,) = [event for event in events if isinstance(event, ev.RemoteWorkOrdered)]
        (ended,) = [event for event in events if isinstance(event, ev.RemoteWorkEnded)]
        assert ordered.order == f"{job_id}-0-1-0"
        assert (ended.outcome, '"job": "77"' in ended.answer) == (OrderOutcome.UNKNOWN, True)
        assert len(service.asked("submit")) == 1
        service.odd["submit"].clear()
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (0,)))
        assert (await _ends(s, job_id)).phase is Phase.COMPLETED
    assert [order.headers["Idempotency-Key"] for order in service.asked("submit")] == [
        f"{job_id}-0-1-0",
        f"{job_id}-0-2-0",
    ]


async def test_a_clip_at_a_host_that_was_not_named_is_charged_and_fetched_by_a_reprocess(
    studio: StudioOf, service: VideoService
) -> None:
    """It isn't ordered again. The host of the test is the service itself once its address is told as a path."""
    service.extra = {"usage": {"cost": 0.5}}
    service.odd["content"] = [answer(302, Location="https://cdn.example.org/x.mp4")]
    async with studio() as s:
        job_id = await s.space.submit(request())
        job = await _ends(s, job_id)
        assert job.failure is not None
        assert "EVENTFLOW_REMOTE_CONTENT_HOSTS" in job.failure.failure.message
        assert [(cost.amount, cost.currency, cost.reference) for cost in job.costs] == [("0.5", "USD", "video_1")]
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (0,)))
        job = await _ends(s, job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    assert len(job.costs) == 1
    assert len(service.asked("submit")) == 1


@pytest.mark.chaos
async def test_a_finished_video_that_is_reprocessed_gets_another_clip(studio: StudioOf, service: VideoService) -> None:
    async with studio() as s:
        job_id = await s.space.submit(request())
        assert (await _ends(s, job_id)).phase is Phase.COMPLETED
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (0,)))
        assert (await _ends(s, job_id)).phase is Phase.COMPLETED
    assert service.made == ["video_1", "video_2"]


async def test_without_a_dialect_the_job_says_which_there_are(studio: StudioOf, service: VideoService) -> None:
    async with studio(EVENTFLOW_REMOTE_DIALECT="none") as s:
        job = await _ends(s, await s.space.submit(request()))
    assert job.failure is not None
    assert job.failure.failure.code == "pipeline_unavailable"
    assert "EVENTFLOW_REMOTE_DIALECT" in job.failure.failure.message
    assert "openrouter" in job.failure.failure.message
    assert not service.journal


async def test_openrouter_whole(studio: StudioOf, service: VideoService) -> None:
    """The length and the size are the nearest that the model allows; a clip of another length is a warning."""
    service.listing = {
        "data": [
            {
                "id": "google/veo-3.1",
                "supported_durations": [3, 6],
                "supported_resolutions": ["480p"],
                "supported_aspect_ratios": ["16:9", "9:16"],
            }
        ]
    }
    service.extra = {"usage": {"cost": 0.25}, "unsigned_urls": [f"{service.url}/videos/video_1/content?index=0"]}
    async with studio(EVENTFLOW_REMOTE_DIALECT="openrouter", EVENTFLOW_REMOTE_MODEL="google/veo-3.1") as s:
        job = await _ends(s, await s.space.submit(request()))
    assert job.phase is Phase.COMPLETED, job.failure
    (order,) = service.asked("submit")
    named = {name: order.body[name] for name in ("model", "duration", "aspect_ratio", "resolution")}
    assert named == {"model": "google/veo-3.1", "duration": 3, "aspect_ratio": "16:9", "resolution": "480p"}
    assert [(cost.amount, cost.currency) for cost in job.costs] == [("0.25", "USD")]
    warnings = {warning.code: warning.message for warning in job.warnings}
    assert warnings["clip_length"] == "a clip of 2.0 s was made for the 3 s that were ordered"
