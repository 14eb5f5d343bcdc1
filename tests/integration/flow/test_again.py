"""Work that is done again: for want of a lost file, or because somebody asks for a stage; and nothing beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import FileRef, ReprocessFrom, Step
from eventflow.storage import StorageRefused
from handlers.generation import handler
from handlers.generation.encoding import assemble
from handlers.generation.pipelines.simulation import SimulationPipeline
from ops.compose import group_of, worker
from tests.support.programs import Finished, Programs
from tests.support.runtime import gapless, running_until_left
from tests.support.studio import WORKERS, Studio, StudioOf, simulation
from tests.support.waiting import wait_until

GENEROUS_S = 90
ONE = {"quality_levels": ("360p",)}


class Effects:
    """Side effects, counted where they happen: scenes by their index, and assembled videos."""

    def __init__(self) -> None:
        self.rendered: Counter[int] = Counter()
        self.assembled = 0

    def clear(self) -> None:
        self.rendered.clear()
        self.assembled = 0


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> Effects:
    seen, render, join = Effects(), SimulationPipeline.render, assemble.assemble

    def counted(self: SimulationPipeline, task: Any, *rest: Any) -> Any:
        seen.rendered[task.scene.index] += 1
        return render(self, task, *rest)

    def counted_assembly(*args: Any) -> Any:
        seen.assembled += 1
        return join(*args)

    monkeypatch.setattr(SimulationPipeline, "render", counted)
    monkeypatch.setattr(handler, "assemble", counted_assembly)
    return seen


@asynccontextmanager
async def working(studio: Studio, *names: str, topics: tuple[Topic, ...] = ()) -> AsyncIterator[None]:
    workers = [worker(studio.parts, group_of(studio.parts, name), topics=topics) for name in names]
    async with running_until_left(workers):
        yield


async def rendered_only(studio: Studio) -> str:
    """A job whose scenes are rendered, and of which nothing else is done."""
    job_id = await studio.space.submit(simulation(**ONE))
    async with working(studio, "generation", topics=(Topic.REQUESTED, Topic.PLANNED)):
        await until_event(studio, job_id, "ScenesCompleted")
    return job_id


async def until_event(studio: Studio, job_id: str, kind: str) -> None:
    async def recorded() -> bool:
        return kind in await studio.space.types(job_id)

    await wait_until(recorded, GENEROUS_S, what=f"{kind} is recorded")


async def until_ended(studio: Studio, job_id: str) -> Job:
    await wait_until(lambda: studio.space.ended(job_id), GENEROUS_S, what="the job has ended")
    job = await studio.space.job(job_id)
    assert gapless(await studio.space.history(job_id))
    assert await studio.space.parked() == []
    return job


async def published(studio: Studio, **changes: Any) -> tuple[str, Job]:
    """A published job whose workspace is cleared, as it is by default."""
    job_id = await studio.space.submit(simulation(**ONE, **changes))
    job = await until_ended(studio, job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    await wait_until(lambda: studio.cleared, what="the workspace is cleared")
    return job_id, job


async def lose(studio: Studio, *files: FileRef) -> None:
    for file in files:
        await studio.parts.stores[file.store].delete(file.key)


async def losses(studio: Studio, job_id: str) -> list[ev.ArtefactLost]:
    return [e.event for e in await studio.space.history(job_id) if isinstance(e.event, ev.ArtefactLost)]


async def rendered_events(studio: Studio, job_id: str) -> Counter[int]:
    history = await studio.space.history(job_id)
    return Counter(e.event.scene for e in history if isinstance(e.event, ev.SceneRendered))


async def test_lost_scene_is_rendered_again_for_assembly_and_no_other(studio: StudioOf, effects: Effects) -> None:
    async with studio(workers=()) as s:
        job_id = await rendered_only(s)
        file = (await s.space.job(job_id)).scenes[1].rendered[0].segments[0].file
        await lose(s, file)
        async with working(s, "generation"):
            await until_event(s, job_id, "VideoGenerated")
        async with working(s, *WORKERS):
            job = await until_ended(s, job_id)
        assert job.phase is Phase.COMPLETED, job.failure
        assert effects.rendered == {0: 1, 1: 2, 2: 1}
        assert await rendered_events(s, job_id) == effects.rendered
        [lost] = await losses(s, job_id)
        assert (lost.scene, lost.step, lost.key) == (1, Step.ASSEMBLE, file.key)
        types = Counter(await s.space.types(job_id))
    assert (types["ScenesCompleted"], types["VideoGenerated"], types["VideoPublished"]) == (2, 1, 1)
    assert types["StepFailed"] == 0


async def test_everything_rendered_on_a_lost_machine_is_rendered_again_in_one_go(
    studio: StudioOf, effects: Effects
) -> None:
    async with studio(workers=()) as s:
        job_id = await rendered_only(s)
        scenes = (await s.space.job(job_id)).scenes
        await lose(s, *(scene.rendered[0].segments[0].file for scene in scenes[:2]))
        async with working(s, "generation"):
            await until_event(s, job_id, "VideoGenerated")
        assert [lost.scene for lost in await losses(s, job_id)] == [0, 1]
    assert effects.rendered == {0: 2, 1: 2, 2: 1}
    assert effects.assembled == 1


async def test_lost_scene_is_rendered_again_for_upload_and_no_other(studio: StudioOf, effects: Effects) -> None:
    async with studio(workers=()) as s:
        job_id = await rendered_only(s)
        await lose(s, (await s.space.job(job_id)).scenes[2].rendered[0].segments[0].file)
        async with working(s, "upload"):
            await until_event(s, job_id, "ArtefactLost")
        async with working(s, *WORKERS):
            job = await until_ended(s, job_id)
        assert job.phase is Phase.COMPLETED, job.failure
        [lost] = await losses(s, job_id)
        assert (lost.scene, lost.step) == (2, Step.UPLOAD_SCENE)
        types = Counter(await s.space.types(job_id))
    assert effects.rendered == {0: 1, 1: 1, 2: 2}
    assert types["VideoPublished"] == 1


async def test_lost_video_is_assembled_again(studio: StudioOf, effects: Effects) -> None:
    async with studio(workers=()) as s:
        job_id = await rendered_only(s)
        async with working(s, "generation"):
            await until_event(s, job_id, "VideoGenerated")
        await lose(s, (await s.space.job(job_id)).videos[0].file)
        async with working(s, *WORKERS):
            job = await until_ended(s, job_id)
        assert job.phase is Phase.COMPLETED, job.failure
        [lost] = await losses(s, job_id)
    assert (lost.scene, lost.step) == (None, Step.UPLOAD_VIDEO)
    assert effects.rendered == {0: 1, 1: 1, 2: 1}
    assert effects.assembled == 2


async def test_lost_specification_is_planned_again_and_rendered_scenes_are_reused(
    studio: StudioOf, effects: Effects
) -> None:
    async with studio(workers=()) as s:
        job_id = await s.space.submit(simulation(**ONE))
        async with working(s, "generation", topics=(Topic.REQUESTED,)):
            await wait_until(lambda: _all_planned(s, job_id), what="all scenes are planned")
        await lose(s, (await s.space.job(job_id)).scenes[2].spec)
        async with working(s, *WORKERS):
            job = await until_ended(s, job_id)
        assert job.phase is Phase.COMPLETED, job.failure
        [lost] = await losses(s, job_id)
    assert (lost.scene, lost.step) == (2, Step.RENDER_SCENE)
    assert effects.rendered[2] == 1
    assert all(count <= 2 for count in effects.rendered.values())  # one may have been under way


async def _all_planned(studio: Studio, job_id: str) -> bool:
    return (await studio.space.job(job_id)).all_scenes_planned


async def test_scene_that_gets_lost_over_and_over_fails_the_job(studio: StudioOf, effects: Effects) -> None:
    class Forgetful:
        """A store that has no segments a moment after it took them."""

        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def put_file(self, key: str, *args: Any, **options: Any) -> Any:
            info = await self._inner.put_file(key, *args, **options)
            if key.endswith(".m4s"):
                await self._inner.delete(key)
            return info

    async with studio(stores=lambda given: {**given, "workspace": Forgetful(given["workspace"])}) as s:
        job_id = await s.space.submit(simulation(**ONE))
        job = await until_ended(s, job_id)
    assert job.failure is not None
    assert (job.failure.failure.category, job.failure.failure.code) == ("resource", "artefact_lost")
    assert max(effects.rendered.values()) <= 4


async def test_asked_scene_alone_is_rendered_again_from_a_cleared_workspace(studio: StudioOf, effects: Effects) -> None:
    async with studio() as s:
        job_id, before = await published(s)
        effects.clear()
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (1,)))
        during = await s.space.job(job_id)
        job = await until_ended(s, job_id)
    assert during.published == before.published
    assert job.phase is Phase.COMPLETED, job.failure
    assert effects.rendered == {1: 1}
    assert effects.assembled == 1
    assert job.published is not None
    assert job.published.version == 2


async def test_missing_scene_of_a_cleared_workspace_is_the_only_one_made_again(
    studio: StudioOf, effects: Effects
) -> None:
    """Both copies of a segment are gone, in the workspace and where it was delivered."""
    async with studio() as s:
        job_id, before = await published(s)
        effects.clear()
        await lose(s, before.scenes[0].uploaded[0].segments[0].file)
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, ()))
        job = await until_ended(s, job_id)
        assert job.phase is Phase.COMPLETED, job.failure
        assert [lost.scene for lost in await losses(s, job_id)] == [0, 0]  # its segment, then its specification
    assert effects.rendered == {0: 1}


async def test_upload_alone_brings_fallen_back_files_home(studio: StudioOf, effects: Effects) -> None:
    class Refusing:
        """A delivery store that takes nothing as long as `refuses`."""

        refuses = True

        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def put_file(self, key: str, *args: Any, **options: Any) -> Any:
            if self.refuses:
                raise StorageRefused("no such bucket")
            return await self._inner.put_file(key, *args, **options)

        async def copy_from(self, *_: Any) -> None:
            return None

    async with studio(stores=lambda given: {**given, "delivery": Refusing(given["delivery"])}) as s:
        job_id, before = await published(s)
        assert before.published is not None
        assert {v.file.store for v in before.published.videos} == {"fallback"}
        assert before.degraded
        effects.clear()
        Refusing.refuses = False
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.UPLOAD))
        job = await until_ended(s, job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    assert job.published is not None
    assert {v.file.store for v in job.published.videos} == {"delivery"}
    assert {f.store for scene in job.scenes for r in scene.uploaded for f in r.files} == {"delivery"}
    assert job.degraded == ()
    assert (dict(effects.rendered), effects.assembled) == ({}, 0)


async def test_metadata_alone_is_extracted_again(studio: StudioOf, effects: Effects) -> None:
    async with studio() as s:
        job_id, before = await published(s)
        effects.clear()
        so_far = len(await s.space.types(job_id))
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.METADATA))
        job = await until_ended(s, job_id)
        assert (await s.space.types(job_id))[so_far:] == ["ReprocessRequested", "VideoUploaded", "VideoPublished"]
    assert job.published is not None
    assert before.published is not None
    assert (job.published.version, job.published.metadata) == (2, before.published.metadata)
    assert (dict(effects.rendered), effects.assembled) == ({}, 0)


async def test_everything_is_made_again_from_planning(studio: StudioOf, effects: Effects) -> None:
    async with studio() as s:
        job_id, _ = await published(s)
        effects.clear()
        await s.space.do(job_id, cmd.RequestReprocess())
        job = await until_ended(s, job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    assert effects.rendered == {0: 1, 1: 1, 2: 1}


async def test_reprocess_that_goes_on_is_told_and_not_asked_for_again(studio: StudioOf, programs: Programs) -> None:
    async def run(job_id: str, *options: str) -> Finished:
        return await asyncio.to_thread(programs.run, "replay", "reprocess", job_id, *options)

    async with studio(workers=()) as s:  # nobody works: it goes on for ever
        job_id = await s.space.submit(simulation(quality_levels=("360p",)))
        refused = await run(job_id, "--from", "planning")
        assert refused.code == 1
        assert "Nothing was requested: the job is requested" in refused.err
        await s.space.do(job_id, cmd.RequestCancellation("enough"))
        assert (await run(job_id, "--from", "planning")).code == 0
        again = await run(job_id, "--from", "planning")
        assert again.code == 0
        assert again.out == "already reprocessing from planning since version 4; the job is requested\n"
        other = await run(job_id, "--from", "upload", "--scenes", "1")
        assert other.code == 1
        assert "Nothing was requested: already reprocessing from planning" in other.err
        assert (await s.space.types(job_id)).count("ReprocessRequested") == 1
