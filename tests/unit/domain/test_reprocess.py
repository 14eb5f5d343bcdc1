"""Lost files, stages that are done again, and scenes that needn't be: what is decided, and what the job is then."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.decide import MAX_LOSSES, decide_all
from eventflow.domain.errors import CannotReprocess, NotFinished
from eventflow.domain.evolve import fold
from eventflow.domain.reprocess import reusable_scene
from eventflow.domain.state import FINISHED, Job, Phase, SceneStatus
from eventflow.domain.values import FileRef, ForkOrigin, ReprocessFrom, SceneRendition, Stage, Step, VideoRequest
from eventflow.domain.view import StageState, Status
from tests.support import stories as s
from tests.support.spec import given
from tests.unit.domain.test_view import view

KEY = s.WORK_FILE.key
ONE_QUALITY = VideoRequest(script="# A script", quality_levels=("720p",))
P, R, U, M = ReprocessFrom.PLANNING, ReprocessFrom.RENDERING, ReprocessFrom.UPLOAD, ReprocessFrom.METADATA


def report(step: Step, scene: int | None = None, run: int = 1, key: str = KEY) -> cmd.ReportLostArtefact:
    return cmd.ReportLostArtefact(step=step, scene=scene, run=run, keys=(key,))


def job_of(history: s.History) -> Job:
    job = fold(history)
    assert job is not None
    return job


def test_a_scene_that_can_not_be_uploaded_is_rendered_again_and_no_other() -> None:
    history = [*s.planned(2), s.rendered(0)]
    lost = ev.ArtefactLost(run=1, step=Step.UPLOAD_SCENE, scene=0, key=KEY)
    job = given(history).when(report(Step.UPLOAD_SCENE, 0)).then(lost, s.scene_planned(0, 2))
    assert job.phase is Phase.RENDERING
    assert [scene.run for scene in job.scenes] == [2, 1]
    given([*history, lost, s.scene_planned(0, 2)]).when(s.finish_scene_upload(0), s.finish_scene(0)).then_nothing()


def test_assembly_goes_back_for_the_scenes_it_lacks() -> None:
    other = FileRef(
        store="workspace", key="jobs/j/bb.bin", sha256="bb" * 32, size_bytes=100, media_type="application/octet-stream"
    )
    mine = ev.SceneRendered(
        scene=1,
        run=1,
        renditions=(
            SceneRendition(quality="720p", width=1280, height=720, decoder_config="cafe", init=other, segments=()),
        ),
    )
    history = [*s.planned(2), s.rendered(0), mine, ev.ScenesCompleted(1)]
    lost = ev.ArtefactLost(run=2, step=Step.ASSEMBLE, scene=1, key=other.key)
    again = s.scene_planned(1, 3)
    job = given(history).when(report(Step.ASSEMBLE, key=other.key)).then(lost, again)
    assert (job.phase, job.run) == (Phase.RENDERING, 2)
    after = given(history, lost, again).when(s.finish_scene(1, 3)).then(s.rendered(1, 3), ev.ScenesCompleted(2))
    assert after.phase is Phase.ASSEMBLING
    given(history, lost, again).when(s.finish_video(1)).then_nothing()  # of before the loss


def test_a_video_that_is_gone_is_assembled_again() -> None:
    lost = ev.ArtefactLost(run=2, step=Step.UPLOAD_VIDEO, scene=None, key=KEY)
    job = given(s.generated(2)).when(report(Step.UPLOAD_VIDEO)).then(lost, ev.ScenesCompleted(2))
    assert (job.phase, job.videos) == (Phase.ASSEMBLING, ())
    lost = ev.ArtefactLost(run=2, step=Step.EXTRACT_METADATA, scene=None, key=KEY)
    job = given(s.all_uploaded(2)).when(report(Step.EXTRACT_METADATA)).then(lost, ev.ScenesCompleted(2))
    assert (job.deliverables_uploaded, job.uploaded_videos) == (False, ())
    assert {scene.status for scene in job.scenes} == {SceneStatus.UPLOADED}


def test_a_specification_that_is_gone_is_planned_again_and_rendered_scenes_are_reused() -> None:
    history = [ev.VideoRequested(ONE_QUALITY), *s.planned(2)[1:], s.rendered(0), s.uploaded(0), s.STARTED]
    lost, again = ev.ArtefactLost(run=1, step=Step.RENDER_SCENE, scene=1, key=KEY), ev.ReprocessRequested(2, P, ())
    job = given(history).when(report(Step.RENDER_SCENE, 1)).then(lost, again)
    assert (job.phase, job.run, job.scenes) == (Phase.REQUESTED, 2, ())
    reusable = reusable_scene(job, "source 0", 0)
    assert reusable is not None
    assert reusable_scene(job, "source 0", 11) == reusable  # whoever uses it moves its segments
    assert reusable_scene(job, "source 1", 11) is None
    planning = [*s.announced(2, 2)]
    reused = given(history, lost, again, planning).when(
        cmd.ReuseScene(run=2, scene=0, title="Scene 0", reusable=reusable)
    )
    after = reused.then(
        ev.SceneReused(
            scene=0,
            run=2,
            title="Scene 0",
            start_cells=0,
            duration_cells=11,
            spec=s.WORK_FILE,
            narration=s.WORK_FILE,
            source="source 0",
            renditions=s.RENDITIONS,
            uploaded=s.UPLOADED,
        ),
        ev.StreamStarted(2),
    )
    assert after.scenes[0].status is SceneStatus.UPLOADED


def test_the_plan_itself_is_made_again() -> None:
    lost, again = ev.ArtefactLost(run=1, step=Step.PLAN, scene=None, key=KEY), ev.ReprocessRequested(2, P, ())
    given([s.requested(), *s.announced(2)]).when(report(Step.PLAN)).then(lost, again)
    whole = [
        s.requested(),
        ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=()),
    ]  # in one piece: there is nothing to assemble it from
    lost = ev.ArtefactLost(run=2, step=Step.UPLOAD_VIDEO, scene=None, key=KEY)
    given(whole).when(report(Step.UPLOAD_VIDEO)).then(lost, ev.ReprocessRequested(3, P, ()))


@pytest.mark.parametrize("phase", [*FINISHED, Phase.CANCELLING])
def test_a_loss_for_work_that_is_over_is_no_loss(phase: Phase) -> None:
    for step in Step:
        given(s.upto(phase)).when(report(step, 0), report(step)).then_nothing()


def test_a_scene_that_gets_lost_over_and_over_fails_as_a_resource() -> None:
    job: Job | None = job_of([*s.planned(1), s.rendered(0), ev.ScenesCompleted(1)])
    for _ in range(MAX_LOSSES):
        assert job is not None
        events, job = decide_all(job, [report(Step.UPLOAD_SCENE, 0, job.scenes[0].run)])
        assert isinstance(events[0], ev.ArtefactLost)
        assert job is not None
        _, job = decide_all(job, [s.finish_scene(0, job.scenes[0].run)])
    assert job is not None
    events, job = decide_all(job, [report(Step.UPLOAD_SCENE, 0, job.scenes[0].run)])
    assert [type(event) for event in events] == [ev.StepFailed, ev.JobFailed]
    assert job is not None
    assert job.failure is not None
    assert (job.failure.failure.category, job.failure.failure.code) == ("resource", "artefact_lost")
    fresh = job_of([ev.VideoRequested(ONE_QUALITY), *s.published(1)[1:], ev.ReprocessRequested(2, R, (0,))])
    assert fresh.lost == ()


def test_asked_scenes_are_rendered_again() -> None:
    requested = ev.ReprocessRequested(2, R, (1,))
    job = (
        given(s.published(2))
        .when(cmd.RequestReprocess(R, (1,)))
        .then(requested, s.scene_planned(1, 2), ev.StreamStarted(2))
    )
    assert (job.phase, job.videos, job.published) == (Phase.RENDERING, (), job_of(s.published(2)).published)
    everything = [s.scene_planned(0, 2), s.scene_planned(1, 2)]
    given(s.published(2)).when(cmd.RequestReprocess(R)).then(ev.ReprocessRequested(2, R), *everything)
    nothing = ev.ReprocessRequested(2, R, ())
    given(s.published(2)).when(cmd.RequestReprocess(R, ())).then(nothing, ev.StreamStarted(2), ev.ScenesCompleted(2))


def test_what_is_missing_is_done_with_what_is_asked() -> None:
    """Scene 0 is uploaded, 1 rendered, 2 planned: of a job that was cancelled."""
    history = [*s.planned(3), s.rendered(0), s.uploaded(0), s.rendered(1)]
    ended = [ev.CancellationRequested("no"), ev.JobCancelled(1)]
    requested = ev.ReprocessRequested(2, R, (0,))
    given(history, ended).when(cmd.RequestReprocess(R, (0,))).then(
        requested, s.scene_planned(0, 2), s.rendered(1, 2), s.scene_planned(2, 2)
    )


def test_uploads_are_done_again() -> None:
    video = ev.VideoGenerated(run=2, videos=s.VIDEOS, thumbnails=s.THUMBNAILS, captions=s.CAPTIONS)
    scenes = [s.rendered(0, 2), s.rendered(1, 2)]
    job = given(s.published(2)).when(cmd.RequestReprocess(U)).then(ev.ReprocessRequested(2, U), *scenes, video)
    assert (job.phase, job.deliverables_uploaded) == (Phase.UPLOADING, False)
    assert job.uploaded_videos == s.PUBLIC_VIDEOS  # where the workspace is cleared, this is what can be uploaded again
    one = ev.ReprocessRequested(2, U, (1,))
    given(s.published(2)).when(cmd.RequestReprocess(U, (1,))).then(one, s.rendered(1, 2))
    given(s.published(2), one, s.rendered(1, 2)).when(s.finish_scene_upload(1, 2)).then(
        s.uploaded(1, 2), ev.VideoUploaded(2)
    )


def test_metadata_is_extracted_again() -> None:
    job = given(s.published(2)).when(cmd.RequestReprocess(M)).then(ev.ReprocessRequested(2, M), ev.VideoUploaded(2))
    assert job.phase is Phase.EXTRACTING


@pytest.mark.parametrize(
    ("history", "command", "field", "way_out"),
    [
        (s.published(2), cmd.RequestReprocess(R, (0, 2)), "scenes", "no scene 2; available: 0 to 1"),
        (s.published(2), cmd.RequestReprocess(P, (5,)), "scenes", "no scene 5"),
        (s.published(2), cmd.RequestReprocess(M, ()), "scenes", "leave the scenes out"),
        (s.upto(Phase.CANCELLED), cmd.RequestReprocess(U), "from", "from rendering"),
        (s.upto(Phase.FAILED), cmd.RequestReprocess(M), "from", "from upload"),
        (
            [s.requested(), ev.JobFailed(run=1, failure=s.failure(), step=Step.PLAN, scene=None, attempts=1)],
            cmd.RequestReprocess(R),
            "from",
            "planning",
        ),
    ],
)
def test_what_can_not_be_done_again(
    history: s.History, command: cmd.RequestReprocess, field: str, way_out: str
) -> None:
    with pytest.raises(CannotReprocess, match=way_out) as caught:
        decide_all(job_of(history), [command])
    assert caught.value.field == field


@pytest.mark.parametrize("stage", list(ReprocessFrom))
def test_a_job_at_work_is_not_done_again(stage: ReprocessFrom) -> None:
    given(s.generated(2)).when(cmd.RequestReprocess(stage)).then_refused(NotFinished, "uploading")


def test_a_fork_begins_with_the_scenes_it_may_reuse() -> None:
    origin = job_of([ev.VideoRequested(ONE_QUALITY), *s.published(2)[1:]])
    scenes = tuple(scene.reusable for scene in origin.scenes)
    fork = ForkOrigin("00-" + "ab" * 16, 12, tuple(scene for scene in scenes if scene))
    job = given().when(cmd.RequestVideo(ONE_QUALITY, fork)).then(ev.VideoRequested(ONE_QUALITY, fork))
    assert reusable_scene(job, "source 1", 11) is not None
    better = VideoRequest(script="# A script", quality_levels=("720p", "1080p"))
    job = given().when(cmd.RequestVideo(better, fork)).then(ev.VideoRequested(better, fork))
    assert reusable_scene(job, "source 1", 11) is None  # 1080p was never rendered


def test_stages_that_are_done_again_begin_again_and_others_stay() -> None:
    requested = ev.ReprocessRequested(2, U)
    shown = view(*s.published(1), requested, s.rendered(0, 2))
    states = [shown.stages[stage].state for stage in Stage]
    done, active, pending = StageState.COMPLETED, StageState.ACTIVE, StageState.PENDING
    assert states == [done, done, done, active, pending]
    assert (shown.status, shown.playable) == (Status.PROCESSING, True)
    lost = ev.ArtefactLost(run=2, step=Step.ASSEMBLE, scene=0, key=KEY)
    shown = view(*s.all_rendered(1), lost, s.scene_planned(0, 3))
    assert shown.stages[Stage.RENDERING].state is active
    assert shown.stages[Stage.RENDERING].attempt == 2
    assert shown.stages[Stage.ASSEMBLING].state is pending
    assert shown.stage is Stage.RENDERING


REPLACE = cmd.ReplaceNarrator(run=1, scene=1, voice="openai:alloy", instead="en-us", reason="the key is wrong")
REPLACED = ev.NarratorReplaced(run=1, scene=1, voice="openai:alloy", instead="en-us")


def fell_back(part: str, run: int) -> ev.WarningRaised:
    message = f"openai:alloy failed at scene 1, en-us speaks {part} instead: the key is wrong"
    return ev.WarningRaised(run=run, step=Step.PLAN, scene=None, code="narrator_fell_back", message=message)


def test_another_narrator_speaks_the_whole_video_under_the_same_plan() -> None:
    of_plan = ev.WarningRaised(run=1, step=Step.PLAN, scene=None, code="missing_glyphs", message="m")
    of_scene = ev.WarningRaised(run=1, step=Step.PLAN, scene=0, code="longer_than_wished", message="m")
    history = [s.requested(), *s.announced(2), of_plan, of_scene, s.scene_planned(0), s.rendered(0)]
    again = [REPLACED, ev.ReprocessRequested(2, P, ()), *s.announced(2, 2), replace(of_plan, run=2)]
    job = given(history).when(REPLACE).then(*again, fell_back("the whole video", 2))
    assert (job.phase, job.run, job.scenes, job.substitute) == (Phase.PLANNING, 2, (), "en-us")
    assert (job.plan, job.scene_count) == (s.WORK_FILE, 2)
    given(history, again).when(s.finish_scene(0), replace(REPLACE, run=2)).then_nothing()


def test_before_the_first_scene_planning_just_goes_on() -> None:
    job = given(s.requested(), s.announced(2)).when(REPLACE, REPLACE).then(REPLACED, fell_back("the whole video", 1))
    assert (job.phase, job.run, job.substitute) == (Phase.PLANNING, 1, "en-us")


@pytest.mark.parametrize(("run", "whole"), [(1, False), (7, True)])
def test_scenes_whose_clips_are_ordered_keep_their_voice(run: int, whole: bool) -> None:
    """An order of an earlier run of the scene is none of its present one."""
    ordered = ev.RemoteWorkStarted(run=run, scene=0, service="remote", remote_id="task-1")
    history = [s.requested(), *s.announced(2), s.scene_planned(0), ordered]
    events, job = decide_all(job_of(history), [REPLACE])
    assert job is not None
    assert (job.run, len(job.scenes)) == ((2, 0) if whole else (1, 1))
    assert whole or events == [REPLACED, fell_back("from scene 1 on", 1)]


def test_a_job_that_is_done_again_tries_its_own_narrator_first() -> None:
    replaced = [s.requested(), *s.announced(1), replace(REPLACED, scene=0), s.scene_planned(0)]
    failed = ev.JobFailed(run=1, failure=s.failure(), step=Step.PLAN, scene=None, attempts=1)
    job = given(replaced, failed).when(cmd.RequestReprocess(P)).then(ev.ReprocessRequested(2, P, None))
    assert job.substitute == ""
    given(replaced, failed, ev.ReprocessRequested(2, P, None)).when(REPLACE).then_nothing()
