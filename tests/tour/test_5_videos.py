"""Whole videos: one scene again, a fork, a store that was away, and a pipeline of somebody else."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import ReprocessFrom, VideoRequest, files_of
from eventflow.requests.forks import create_fork, fork_of
from handlers.generation.pipelines.registry import get_pipeline, pipeline_names
from handlers.upload.fallback_reconciler import FallbackReconciler
from handlers.workspace import Workspace
from ops.compose import request_reader, utc_now
from tests.support.runtime import CAUSE
from tests.support.stored_jobs import stored_job
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until

SCRIPT = "# Streams\n\nAn event is a fact.\n\n## The end\n\nThat was all.\n"


async def test_one_scene_is_made_again(studio: StudioOf) -> None:
    """A finished job is reprocessed from a stage on, for some scenes alone; what is before or beside them is reused."""
    async with studio() as s:
        job_id = await s.space.submit(simulation(quality_levels=("360p",), cleanup_local_files=False))
        await _completed(s, job_id)
        done = len(await s.space.history(job_id))
        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (1,)))
        await _completed(s, job_id)
        again = [envelope.event for envelope in await s.space.history(job_id)][done:]
    assert [event.scene for event in again if isinstance(event, ev.SceneRendered)] == [1]
    assert [event.run for event in again if isinstance(event, ev.VideoPublished)] == [2]


async def test_a_fork_reuses_the_scenes_that_stay(studio: StudioOf) -> None:
    """A fork is a new job from an old one with some fields changed: here the last paragraph, so one scene is made."""
    async with studio() as s:
        original = await s.space.submit(VideoRequest(script=SCRIPT, quality_levels=("360p",)))
        await _completed(s, original)
        history = await s.space.history(original)
        changes = {"script": SCRIPT.replace("That was all.", "There is more to come.")}
        fork = fork_of(history, len(history), changes, request_reader(s.parts.settings))
        await create_fork(s.parts.log, fork, CAUSE)
        await _completed(s, fork.job_id)
        events = [envelope.event for envelope in await s.space.history(fork.job_id)]
    assert [event.scene for event in events if isinstance(event, ev.SceneReused)] == [0]
    assert [event.scene for event in events if isinstance(event, ev.SceneRendered)] == [1]


async def test_what_fell_back_is_brought_to_the_delivery_store(studio: StudioOf) -> None:
    """While the delivery store refuses files, videos are published from a local one. Later they are moved over, and
    the job's own history says so."""
    async with studio(workers=()) as s:
        stores = s.parts.stores
        job_id = await stored_job(s.space, stores, 3, role="fallback")
        workspace, grace = Workspace(stores["workspace"], s.folder / "scratch"), timedelta(hours=1)
        reconciler = FallbackReconciler(
            log=s.parts.log,
            workspace=workspace,
            delivery=stores["delivery"],
            fallback=stores["fallback"],
            clock=utc_now,
            grace=grace,
        )
        assert (await reconciler.round()).moved == 3
        assert (await s.space.types(job_id))[-1] == "VideoRelocated"
        assert {file.store for file in files_of(await s.space.job(job_id))} == {"delivery"}


PLUGIN = """
from handlers.generation.pipelines.simulation import SimulationPipeline

class Mine(SimulationPipeline):
    name = "mine"
"""


def test_a_pipeline_is_a_plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another distribution adds a pipeline by an entry point, and nothing here changes."""
    (tmp_path / "mine_pipeline.py").write_text(PLUGIN)
    installed = tmp_path / "mine-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[eventflow.pipelines]\nmine = mine_pipeline:Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "mine" in pipeline_names()
    pipeline = get_pipeline("mine")
    pipeline.check()
    assert pipeline.name == "mine"
    del sys.modules["mine_pipeline"]


async def _completed(s: Studio, job_id: str) -> Job:
    await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
    job = await s.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    return job
