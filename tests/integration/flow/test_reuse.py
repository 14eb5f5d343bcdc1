"""Scenes that needn't be made: left out because they failed for good, or there already from another try or job."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from msgspec.structs import replace

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import OnSceneFailure, ReprocessFrom, VideoFile
from eventflow.requests.forks import create_fork, fork_of
from handlers.generation.control import Control
from handlers.generation.encoding.verify_output import ExpectedMedia, check_media
from handlers.generation.errors import EncodeError
from handlers.generation.model import Brief, Plan, SceneDraft
from handlers.generation.model_json import to_spec
from handlers.generation.pipelines.simulation import SimulationPipeline, TestScene
from handlers.generation.time_grid import segment_cells
from handlers.scene_cache import CacheLimits, CacheSweeper, SceneCache
from ops.compose import request_reader
from tests.support.runtime import CAUSE
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until

GENEROUS_S = 90
CACHED = {"EVENTFLOW_SCENE_CACHE_DAYS": "1"}


class Stage:
    """A pipeline whose script is the lengths of its scenes in cells; it counts what it renders, and fails at wish."""

    def __init__(self) -> None:
        self.rendered, self.narrated = Counter[int](), Counter[int]()
        self.failing, self.older = set[int](), set[int]()

    def clear(self) -> None:
        self.rendered.clear()
        self.narrated.clear()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage, render, narrate = Stage(), SimulationPipeline.render, SimulationPipeline.narrate

    def plan(self: SimulationPipeline, brief: Brief, control: Control) -> Plan:
        cells = [int(word) for word in (brief.script or "").split()]
        specs = [to_spec(TestScene("testsrc2", 300.0 + n, length)) for n, length in enumerate(cells)]
        drafts = tuple(SceneDraft(index=n, title=f"Scene {n}", spec=spec) for n, spec in enumerate(specs))
        return Plan(title="Lengths", scenes=drafts, voice=brief.voice, style=brief.style)

    def counted_narrate(self: SimulationPipeline, task: Any, *rest: Any) -> Any:
        stage.narrated[task.draft.index] += 1
        return narrate(self, task, *rest)

    def counted_render(self: SimulationPipeline, task: Any, *rest: Any) -> Any:
        stage.rendered[task.scene.index] += 1
        if task.scene.index in stage.failing:
            raise EncodeError("this one never works")
        scene = render(self, task, *rest)
        if task.scene.index in stage.older:
            stage.older.remove(task.scene.index)
            older = tuple(evolve(rendition, decoder_config="of before") for rendition in scene.renditions)
            return evolve(scene, renditions=older)
        return scene

    monkeypatch.setattr(SimulationPipeline, "plan", plan)
    monkeypatch.setattr(SimulationPipeline, "narrate", counted_narrate)
    monkeypatch.setattr(SimulationPipeline, "render", counted_render)
    return stage


async def done(studio: Studio, job_id: str) -> Job:
    await wait_until(lambda: studio.space.ended(job_id), GENEROUS_S, what="the job has ended")
    job = await studio.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    assert await studio.space.parked() == []
    return job


async def made(studio: Studio, script: str, quality: str = "360p", **changes: Any) -> tuple[str, Job]:
    job_id = await studio.space.submit(simulation(script=script, quality_levels=(quality,), **changes))
    return job_id, await done(studio, job_id)


async def check_film(studio: Studio, job: Job, folder: Path, *cells: int) -> None:
    """Both streams of the published film, packet by packet."""
    assert job.published is not None
    video: VideoFile = job.published.videos[0]
    path = folder / "film.mp4"
    await studio.parts.stores[video.file.store].fetch(video.file.key, path)
    segments = tuple(length for scene in cells for length in segment_cells(scene))
    check_media(
        path, ExpectedMedia(start_cells=0, segments=segments, width=video.width, height=video.height), "the film"
    )


async def test_a_scene_that_fails_for_good_is_left_out_until_it_works(
    studio: StudioOf, stage: Stage, tmp_path: Path
) -> None:
    async with studio() as s:
        stage.failing.add(1)
        options: dict[str, Any] = {"on_scene_failure": OnSceneFailure.SKIP, "retry_attempts": 0}
        job_id, job = await made(s, "2 3 4", **options)
        assert job.scenes[1].status is SceneStatus.SKIPPED
        assert any("scene 1 was left out" in note for note in job.degraded)
        await check_film(s, job, tmp_path, 2, 4)
        assert job.published is not None
        assert {thumbnail.index for thumbnail in job.published.thumbnails} == {0, 1}

        stage.failing.clear()
        stage.clear()
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, ()))
        whole = await done(s, job_id)
        assert stage.rendered == {1: 1}
        assert {scene.status for scene in whole.scenes} == {SceneStatus.UPLOADED}
        await check_film(s, whole, tmp_path, 2, 3, 4)


async def test_an_encoder_that_was_changed_in_between_makes_the_scenes_again(studio: StudioOf, stage: Stage) -> None:
    async with studio() as s:
        stage.older.add(0)
        await made(s, "2 3")
        assert stage.rendered == {0: 2, 1: 2}
        assert stage.narrated == {0: 1, 1: 1}


async def test_the_last_picture_is_held_until_a_video_is_three_seconds_long(
    studio: StudioOf, stage: Stage, tmp_path: Path
) -> None:
    async with studio(**CACHED) as s:
        _, short = await made(s, "2 1")
        await check_film(s, short, tmp_path, 2, 4)
        stage.clear()
        _, again = await made(s, "2 1")
        assert stage.rendered == {}
        await check_film(s, again, tmp_path, 2, 4)
        _, longer = await made(s, "2 1 4")
        assert stage.rendered == {1: 1, 2: 1}, "elsewhere the scene is as long as it is by itself"
        await check_film(s, longer, tmp_path, 2, 1, 4)


async def test_after_an_edit_one_scene_is_rendered_and_those_behind_it_are_moved(
    studio: StudioOf, stage: Stage, tmp_path: Path
) -> None:
    async with studio() as s:
        original, _ = await made(s, "2 3 4 2")
        await wait_until(lambda: s.cleared, what="the workspace is cleared")
        stage.clear()
        history = await s.space.history(original)
        fork = fork_of(history, len(history), {"script": "2 5 4 2"}, request_reader(s.parts.settings))
        await create_fork(s.parts.log, fork, CAUSE)
        job = await done(s, fork.job_id)
        assert stage.rendered == stage.narrated == {1: 1}
        assert [scene.start_cells for scene in job.scenes] == [0, 2, 7, 11]
        await check_film(s, job, tmp_path, 2, 5, 4, 2)
        events = [e.event for e in await s.space.history(fork.job_id)]
        assert [e.scene for e in events if isinstance(e, ev.SceneReused)] == [0, 2, 3]


async def test_the_same_scene_in_another_job_of_its_owner_is_not_made_again(
    studio: StudioOf, stage: Stage, tmp_path: Path
) -> None:
    async with studio(**CACHED) as s:
        await made(s, "2 3 4")
        stage.clear()
        _, job = await made(s, "3 3 4")
        assert stage.rendered == stage.narrated == {0: 1}
        await check_film(s, job, tmp_path, 3, 3, 4)

        stage.clear()
        other = simulation(script="2 3 4", quality_levels=("360p",))
        job_id = new_job_id(0, "ab" * 16)
        await s.parts.log.create(job_id, other, replace(CAUSE, owner="somebody else"))
        await done(s, job_id)
        assert stage.rendered == {0: 1, 1: 1, 2: 1}


async def test_what_somebody_asks_to_be_made_again_is_not_taken_from_the_cache(studio: StudioOf, stage: Stage) -> None:
    async with studio(**CACHED) as s:
        job_id, _ = await made(s, "2 3")
        stage.clear()
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.PLANNING, (1,)))
        await done(s, job_id)
        assert stage.rendered == stage.narrated == {1: 1}
        stage.clear()
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.PLANNING, None))
        await done(s, job_id)
        assert stage.rendered == {0: 1, 1: 1}


@pytest.mark.parametrize("harm", ["gone", "cut", "no entry", "not json"])
async def test_a_damaged_entry_is_a_scene_that_is_made(studio: StudioOf, stage: Stage, harm: str) -> None:
    async with studio(**CACHED) as s:
        await made(s, "2")
        files = [file for file in s.files("workspace") if "cache" in file.parts]
        [entry], [segment] = [f for f in files if f.name == "entry.json"], [f for f in files if f.suffix == ".m4s"]
        if harm == "gone":
            segment.unlink()
        elif harm == "cut":
            segment.write_bytes(segment.read_bytes()[:-9])
        elif harm == "no entry":
            entry.unlink()
        else:
            entry.write_bytes(b'{"source": 1')
        stage.clear()
        _, job = await made(s, "2")
        assert stage.rendered == {0: 1}
        assert job.degraded == ()
        stage.clear()
        await made(s, "2")
        assert stage.rendered == {}  # it was put in order


async def test_old_entries_and_too_many_are_swept(studio: StudioOf, stage: Stage) -> None:
    async with studio(**CACHED) as s:
        await made(s, "2 3")
        store, cached = s.parts.stores["workspace"], [f for f in s.files("workspace") if "cache" in f.parts]
        written = max([info.modified_at async for info in store.list("cache/")])
        limits = CacheLimits(timedelta(days=1))
        assert await SceneCache(store, lambda: written, limits).sweep() == 0
        assert await SceneCache(store, lambda: written, evolve(limits, max_bytes=0)).sweep() == 2
        assert len(cached) > 4
        assert [f for f in s.files("workspace") if "cache" in f.parts] == []

        stage.clear()
        await made(s, "2 3")
        assert stage.rendered == {0: 1, 1: 1}
        late = SceneCache(store, lambda: written + timedelta(days=3), limits)
        keeper = CacheSweeper(late)
        await keeper.look()
        assert [f for f in s.files("workspace") if "cache" in f.parts] == []
