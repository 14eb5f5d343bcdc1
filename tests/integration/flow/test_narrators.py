"""A service that speaks for a job, and what becomes of the job when it doesn't."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve
from structlog.testing import capture_logs

from eventflow.domain.state import Phase
from eventflow.domain.values import VideoRequest, Voice
from handlers.generation import model_json
from handlers.workspace import Workspace
from tests.support.speech_server import GOOD, Answer, SpeechServer, speech_server
from tests.support.studio import StudioOf
from tests.support.waiting import wait_until

KEY = "sk-very-secret"
REQUEST = VideoRequest(script="# Hi\n\nOne line.", quality_levels=("360p",), voice=Voice("openai:alloy"))


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with speech_server() as running:
        yield running


@pytest.mark.parametrize(
    ("answers", "waits_s", "retries", "warned"),
    [
        ((Answer(429, headers={"Retry-After": "0"}), GOOD), 30, 0, ["service_waited_for"]),
        ((Answer(429, headers={"Retry-After": "0"}), GOOD), 0, 1, []),
        ((Answer(503),), 0, REQUEST.retry_attempts, ["narrator_fell_back"]),
        ((Answer(401),), 30, 0, ["narrator_fell_back"]),
    ],
    ids=["busy-for-a-moment", "busy-and-not-waited-for", "down", "wrong-key"],
)
async def test_a_job_gets_its_voice_or_another_one_and_says_so(
    studio: StudioOf, server: SpeechServer, answers: tuple[Answer, ...], waits_s: int, retries: int, warned: list[str]
) -> None:
    server.answers = list(answers)
    settings = {"EVENTFLOW_SPEECH_URL": server.url, "EVENTFLOW_SPEECH_KEY": KEY}
    settings["EVENTFLOW_SPEECH_PATIENCE_SECONDS"] = str(waits_s)
    with capture_logs() as logs:
        async with studio(**settings) as s:
            job_id = await s.space.submit(REQUEST)
            await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
            job, history = await s.space.job(job_id), await s.space.history(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    assert [w.code for w in job.warnings] == warned
    assert bool(job.published and job.published.captions)
    assert KEY not in repr((logs, history))
    assert len(job.attempts) == retries


THREE = "# Tides\n\nThe sea rises.\n\n## The moon\n\nThe moon pulls it.\n\n## The end\n\nLook up."


@pytest.mark.parametrize(
    ("fallback", "warned", "by_service", "runs"),
    [
        ("espeak", [None], [False, False, False], {2}),
        ("espeak-scene", [1], [True, False, True], {1}),
    ],
)
async def test_a_service_that_refuses_one_scene_loses_the_video_unless_a_setting_says_otherwise(
    studio: StudioOf,
    server: SpeechServer,
    fallback: str,
    warned: list[int | None],
    by_service: list[bool],
    runs: set[int],
) -> None:
    """espeak tells the times of words, of the service's they are estimated."""
    server.decide = lambda body: Answer(400, b'{"error": "no moons"}') if "pulls" in body["input"] else GOOD
    async with studio(EVENTFLOW_SPEECH_URL=server.url, EVENTFLOW_SPEECH_FALLBACK=fallback) as s:
        job_id = await s.space.submit(evolve(REQUEST, script=THREE))
        await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
        job, workspace = await s.space.job(job_id), Workspace(s.parts.stores["workspace"], s.folder)
        specs = [await workspace.get(scene.spec) for scene in job.scenes]
    assert job.phase is Phase.COMPLETED, job.failure
    warnings = [warning for warning in job.warnings if warning.code == "narrator_fell_back"]
    assert [warning.scene for warning in warnings] == warned
    assert "no moons" in warnings[0].message
    assert [model_json.load_narrated(spec, None).narration.estimated for spec in specs] == by_service
    assert {scene.run for scene in job.scenes} == runs
    assert job.attempts == ()


async def test_a_voice_of_a_service_that_is_not_there_fails_at_once(studio: StudioOf) -> None:
    async with studio() as s:
        job_id = await s.space.submit(REQUEST)
        await wait_until(lambda: s.space.ended(job_id), 60, what="the job has ended")
        job = await s.space.job(job_id)
    assert job.failure is not None
    assert job.failure.failure.code == "narrator_unavailable"
    assert "EVENTFLOW_SPEECH_URL" in job.failure.failure.message
