"""Topics on the real log: planned by a model, with what it cost; without one, the job says which setting is missing."""

from __future__ import annotations

import pytest

from eventflow.domain import events as ev
from eventflow.domain.values import VideoRequest
from handlers.generation.http_services import busy_waits
from tests.support.chat_answers import refused, told
from tests.support.chat_server import KEY, Says, chat_service, says
from tests.support.studio import StudioOf
from tests.support.waiting import wait_until

OUTLINE = {"title": "Bees", "scenes": [{"title": "Bees", "narration": "They hum.", "blocks": []}]}
REQUEST = VideoRequest(script="", topic="Bees", quality_levels=("360p",))


async def test_a_topic_becomes_a_video(studio: StudioOf) -> None:
    with chat_service(says("Let me think."), says(OUTLINE)) as service:
        settings = {"URL": service.url, "MODEL": "m", "KEY": KEY}
        async with studio(**{f"EVENTFLOW_PLANNER_{name}": value for name, value in settings.items()}) as s:
            job_id = await s.space.submit(REQUEST)
            await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
            job, history = await s.space.job(job_id), await s.space.history(job_id)
    assert job.published is not None, job.failure
    assert job.title == "Bees"
    assert len(service.asked) == 2
    costs = [envelope.event for envelope in history if isinstance(envelope.event, ev.CostRecorded)]
    assert costs == [
        ev.CostRecorded(
            run=1, scene=None, service="planner", amount="321", currency="tokens", reference=f"chatcmpl-{messages}"
        )
        for messages in (2, 4)
    ]


LOADING = refused(503, told("Loading model", type="unavailable_error"))
USED_UP = refused(429, told("You exceeded your current quota", code="insufficient_quota"))


@pytest.mark.parametrize(
    ("answers", "calls", "said"),
    [((LOADING, says(OUTLINE)), 2, "waiting for the planner"), ((USED_UP,), 1, "account at the planner is used up")],
    ids=["a model that loads", "an account that is used up"],
)
async def test_a_planner_is_asked_as_often_as_it_helps(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch, answers: tuple[Says, ...], calls: int, said: str
) -> None:
    """Within one attempt: no step fails because a model loads, and none is repeated for an account without credit."""
    monkeypatch.setattr(busy_waits, "backoff_s", lambda *_, **__: 0.01)
    with chat_service(*answers) as service:
        settings = {"URL": service.url, "MODEL": "m", "PATIENCE_SECONDS": "30"}
        settings = {f"EVENTFLOW_PLANNER_{name}": value for name, value in settings.items()}
        async with studio(workers=("generation",), **settings) as s:
            job_id = await s.space.submit(REQUEST)

            async def settled() -> bool:
                job = await s.space.job(job_id)
                return job.failure is not None or bool(job.scenes)

            await wait_until(settled, 60, what="the script is planned, or has failed")
            job = await s.space.job(job_id)
    assert len(service.asked) == calls
    assert len([attempt for attempt in job.attempts if not attempt.final]) == 0
    assert said in (job.failure.failure.message if job.failure else job.warnings[0].message)


async def test_without_a_planner_the_job_says_which_setting_is_missing(studio: StudioOf) -> None:
    async with studio(workers=("generation",), EVENTFLOW_PLANNER_MODEL="m") as s:
        job_id = await s.space.submit(REQUEST)
        await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
        job = await s.space.job(job_id)
    assert job.failure is not None
    assert (job.failure.failure.code, job.failure.attempts) == ("planner_unavailable", 1)
    assert "set EVENTFLOW_PLANNER_URL," in job.failure.failure.message
