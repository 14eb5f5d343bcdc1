"""What becomes of a job with a page that can't be drawn."""

from __future__ import annotations

from collections import Counter

import pytest

from eventflow.domain.state import Phase
from eventflow.domain.values import Step, VideoRequest
from handlers.generation.pages import draw
from handlers.generation.script import formula
from tests.support.studio import StudioOf
from tests.support.waiting import wait_until

DEEP = r"\begin{cases}" * 20 + "x" + r"\end{cases}^2" * 20
REQUEST = VideoRequest(script=f"# Hi\n\nOne.\n\n## Deep\n\n$$\n{DEEP}\n$$", quality_levels=("360p",), narrated=False)


async def test_a_formula_that_cannot_be_drawn_is_a_warning_each_time(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time: what was made as well as it could be isn't another job's, though scenes are kept."""
    monkeypatch.setattr(formula, "MAX_DEPTH", 100)
    async with studio(EVENTFLOW_SCENE_CACHE_DAYS="1") as s:
        for _ in range(2):
            job_id = await s.space.submit(REQUEST)
            await wait_until(lambda job_id=job_id: s.space.ended(job_id), 90, what="the job has ended")  # type: ignore[misc]
            job = await s.space.job(job_id)
            assert job.phase is Phase.COMPLETED, job.failure
            assert [(w.code, w.step, w.scene) for w in job.warnings] == [("block_as_text", Step.RENDER_SCENE, 1)]
            assert job.warnings[0].message.startswith("a formula can't be drawn and is shown as text")
            assert not job.attempts


async def test_a_page_that_cannot_be_drawn_at_all_fails_at_once(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw, "_sheets", lambda theme: b'#panic("no sheet")')
    async with studio() as s:
        job_id = await s.space.submit(REQUEST)
        await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
        job = await s.space.job(job_id)
    assert job.failure is not None
    assert job.failure.failure.code == "draw"
    assert "no sheet" in job.failure.failure.message
    tries = Counter(attempt.scene for attempt in job.attempts)
    assert set(tries.values()) == {1}
