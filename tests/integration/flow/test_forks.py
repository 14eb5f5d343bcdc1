"""Forks of a real job: what stays the same isn't rendered again, and the same fork is made once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import VideoRequest
from eventflow.requests.errors import RequestInvalid
from eventflow.requests.forks import UnknownVersion, create_fork, fork_of
from handlers.generation.fork_preview import ScenePreview, preview_fork
from handlers.generation.pipelines.explainer import ExplainerPipeline
from ops.compose import request_reader
from tests.support.runtime import CAUSE
from tests.support.studio import Studio, StudioOf
from tests.support.waiting import wait_until

SCRIPT = """# Streams

An event is a fact.

## Groups

Each reads on its own.

## The end

That was all.
"""
CHANGED = SCRIPT.replace("That was all.", "There is more to come, and it is not short.")


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each scene was rendered, by anybody in this process."""
    seen, render = Counter[int](), ExplainerPipeline.render

    def counted(self: ExplainerPipeline, task: Any, *rest: Any) -> Any:
        seen[task.scene.index] += 1
        return render(self, task, *rest)

    monkeypatch.setattr(ExplainerPipeline, "render", counted)
    return seen


async def done(studio: Studio, job_id: str) -> Job:
    await wait_until(lambda: studio.space.ended(job_id), 90, what="the job has ended")
    job = await studio.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    return job


async def test_one_changed_paragraph_is_one_rendered_scene(studio: StudioOf, rendered: Counter[int]) -> None:
    async with studio() as s:
        original = await s.space.submit(VideoRequest(script=SCRIPT, quality_levels=("360p",)))
        first = await done(s, original)
        await wait_until(lambda: s.cleared, what="the workspace is cleared")
        history = await s.space.history(original)
        last = len(first.scenes) - 1
        assert rendered == dict.fromkeys(range(last + 1), 1)
        rendered.clear()

        reader = request_reader(s.parts.settings)
        fork = fork_of(history, len(history), {"script": CHANGED}, reader)
        expected = [ScenePreview(i, scene.title, i != last) for i, scene in enumerate(first.scenes)]
        assert preview_fork(fork) == expected
        record, new = await create_fork(s.parts.log, fork, CAUSE)
        assert new
        again, new = await create_fork(s.parts.log, fork_of(history, len(history), {"script": CHANGED}, reader), CAUSE)
        assert not new
        assert again.id == record.id == fork.job_id
        listed = await s.parts.log.job_lists.read(record.owner, None, 10)
        assert [entry.job_id for entry in listed.entries] == [fork.job_id, original]
        second = await done(s, fork.job_id)

        assert rendered == {last: 1}
        [requested, *_] = events = [e.event for e in await s.space.history(fork.job_id)]
        assert isinstance(requested, ev.VideoRequested)
        assert requested.fork_of is not None
        assert (requested.fork_of.job_id, requested.fork_of.version) == (original, len(history))
        assert [e.scene for e in events if isinstance(e, ev.SceneReused)] == list(range(last))
        assert [e.scene for e in events if isinstance(e, ev.ScenePlanned)] == [last]
        assert [e.scene for e in events if isinstance(e, ev.SceneRendered)] == [last]
        assert await s.space.parked() == []
    assert second.published is not None
    assert [track.format for track in second.published.captions] == ["vtt", "srt"]  # of the reused scenes, too
    assert second.degraded == ()
    files = [f for scene in second.scenes for r in scene.uploaded for f in r.files]
    assert all(f.key.startswith(f"videos/{fork.job_id}/") for f in files)  # copies: the origin may be deleted
    assert second.scenes[:last] != first.scenes[:last]
    assert [s.duration_cells for s in second.scenes[:last]] == [s.duration_cells for s in first.scenes[:last]]


async def test_origin_that_is_gone_meanwhile_only_costs_the_work_again(
    studio: StudioOf, rendered: Counter[int]
) -> None:
    async with studio() as s:
        original = await s.space.submit(VideoRequest(script=SCRIPT, quality_levels=("360p",)))
        first = await done(s, original)
        rendered.clear()
        history = await s.space.history(original)
        fork = fork_of(history, len(history), {"cleanup_local_files": False}, request_reader(s.parts.settings))
        for scene in first.scenes:
            for file in scene.uploaded[0].files:
                await s.parts.stores[file.store].delete(file.key)
        await create_fork(s.parts.log, fork, CAUSE)
        await done(s, fork.job_id)
    assert set(rendered) == set(range(len(first.scenes)))


async def test_what_a_fork_may_not_say(studio: StudioOf) -> None:
    async with studio(workers=()) as s:
        job_id = await s.space.submit(VideoRequest(script=SCRIPT, quality_levels=("360p",)))
        history = await s.space.history(job_id)
        reader = request_reader(s.parts.settings)
        with pytest.raises(UnknownVersion, match="versions 1 to 1, not 2"):
            fork_of(history, 2, {}, reader)
        for overrides, pointer in [
            ({"quality_levels": ["9p"]}, "/quality_levels/0"),
            ({"voice.pitch": 2}, "/voice/pitch"),
            ({"colour": "red"}, "/colour"),
            ({"script.x": 1}, "/script.x"),
        ]:
            with pytest.raises(RequestInvalid) as caught:
                fork_of(history, 1, overrides, reader)  # type: ignore[arg-type]
            assert [error.pointer for error in caught.value.faults] == [pointer]
        one = fork_of(history, 1, {"voice.rate": 1.5}, reader)
        assert one.request.voice.rate == 1.5
        assert one.job_id != fork_of(history, 1, {"voice.rate": 1.4}, reader).job_id
        assert one.origin.scenes == ()
