"""`on_scene_failure: skip`: the video goes on without a scene that has failed for good."""

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.evolve import fold
from eventflow.domain.progress import progress
from eventflow.domain.state import Phase, SceneStatus
from eventflow.domain.values import FailureCategory, OnSceneFailure, ReprocessFrom, Step
from tests.support import stories as s
from tests.support.spec import given


def planned(scenes: int) -> list[ev.Event]:
    story = s.planned(scenes)
    return [s.requested(on_scene_failure=OnSceneFailure.SKIP), *story[1:]]


def fail(step: Step, scene: int) -> cmd.FailStep:
    return cmd.FailStep(step=step, scene=scene, run=1, failure=s.failure(), retry_at=None)


def failed(step: Step, scene: int) -> ev.StepFailed:
    return ev.StepFailed(step=step, scene=scene, run=1, failure=s.failure(), attempt=1, retry_at=None)


def skipped(scene: int) -> ev.SceneSkipped:
    return ev.SceneSkipped(scene=scene, run=1, failure=s.failure())


def test_the_other_scenes_are_awaited() -> None:
    job = given(planned(3)).when(fail(Step.RENDER_SCENE, 1)).then(failed(Step.RENDER_SCENE, 1), skipped(1))
    assert job.phase is Phase.RENDERING
    assert job.shown_scenes == (0, 2)
    assert job.degraded == ("scene 1 was left out: it broke",)


def test_the_last_one_to_fail_completes_the_scenes() -> None:
    history = [*planned(2), s.rendered(0)]
    given(history).when(fail(Step.RENDER_SCENE, 1)).then(
        failed(Step.RENDER_SCENE, 1), skipped(1), ev.ScenesCompleted(1)
    )


def test_a_scene_that_comes_after_a_skipped_one_completes_them() -> None:
    history = [*planned(2), failed(Step.RENDER_SCENE, 1), skipped(1)]
    given(history).when(s.finish_scene(0)).then(s.rendered(0), ev.ScenesCompleted(1))


def test_a_video_without_any_scene_fails() -> None:
    history = [*planned(2), failed(Step.RENDER_SCENE, 1), skipped(1)]
    given(history).when(fail(Step.RENDER_SCENE, 0)).then(
        failed(Step.RENDER_SCENE, 0),
        skipped(0),
        ev.JobFailed(run=1, failure=s.failure(), step=Step.RENDER_SCENE, scene=1, attempts=1),
    )


def test_scenes_that_are_still_to_be_planned_keep_it_going() -> None:
    history = [s.requested(on_scene_failure=OnSceneFailure.SKIP), *s.announced(2), s.scene_planned(0)]
    job = given(history).when(fail(Step.RENDER_SCENE, 0)).then(failed(Step.RENDER_SCENE, 0), skipped(0))
    assert job.active


def test_it_is_published_without_the_scene() -> None:
    history = [*planned(2), s.rendered(0), failed(Step.RENDER_SCENE, 1), skipped(1), ev.ScenesCompleted(1)]
    job = (
        given(history)
        .when(s.finish_video(), s.finish_upload(), s.finish_scene_upload(0), s.publish())
        .then(
            ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=s.THUMBNAILS, captions=s.CAPTIONS),
            ev.DeliverablesUploaded(
                run=1, videos=s.PUBLIC_VIDEOS, thumbnails=s.PUBLIC_THUMBNAILS, captions=s.PUBLIC_CAPTIONS
            ),
            s.uploaded(0),
            s.STARTED,
            ev.VideoUploaded(1),
            ev.VideoPublished(1, 1, s.METADATA),
        )
    )
    assert job.phase is Phase.COMPLETED
    assert job.scenes[1].status is SceneStatus.SKIPPED


def test_a_failed_upload_of_a_scene_ends_the_wait_for_it() -> None:
    story = [*planned(2), s.rendered(0), s.rendered(1), ev.ScenesCompleted(1)]
    history = [
        *story,
        ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=()),
        s.uploaded(0),
        s.STARTED,
        ev.DeliverablesUploaded(run=1, videos=s.PUBLIC_VIDEOS, thumbnails=()),
    ]
    given(history).when(fail(Step.UPLOAD_SCENE, 1)).then(failed(Step.UPLOAD_SCENE, 1), skipped(1), ev.VideoUploaded(1))


def test_what_is_up_can_be_watched_once_the_scenes_before_it_are_skipped() -> None:
    history = [*planned(2), s.rendered(0), s.rendered(1)]
    job = given(history).when(s.finish_scene_upload(1)).then(s.uploaded(1))
    assert not job.streaming
    skip = given(history, s.uploaded(1)).when(fail(Step.UPLOAD_SCENE, 0))
    assert skip.then(failed(Step.UPLOAD_SCENE, 0), skipped(0), s.STARTED, ev.ScenesCompleted(1)).streaming


def test_a_broken_environment_fails_the_job_all_the_same() -> None:
    why = s.failure(FailureCategory.INITIALIZATION)
    given(planned(2)).when(cmd.FailStep(step=Step.RENDER_SCENE, scene=0, run=1, failure=why, retry_at=None)).then(
        ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=why, attempt=1, retry_at=None),
        ev.JobFailed(run=1, failure=why, step=Step.RENDER_SCENE, scene=0, attempts=1),
    )


def published() -> list[ev.Event]:
    return [
        *planned(2),
        s.rendered(0),
        failed(Step.RENDER_SCENE, 1),
        skipped(1),
        ev.ScenesCompleted(1),
        ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=()),
        s.uploaded(0),
        s.STARTED,
        ev.DeliverablesUploaded(run=1, videos=s.PUBLIC_VIDEOS, thumbnails=()),
        ev.VideoUploaded(1),
        ev.VideoPublished(1, 1, s.METADATA),
    ]


def test_reprocessing_renders_the_skipped_scene_alone() -> None:
    command = cmd.RequestReprocess(ReprocessFrom.RENDERING, ())
    again = ev.ReprocessRequested(2, ReprocessFrom.RENDERING, ())
    job = given(published()).when(command).then(again, s.scene_planned(1, run=2), ev.StreamStarted(2))
    assert job.scenes[1].status is SceneStatus.PLANNED
    assert job.scenes[0].status is SceneStatus.UPLOADED


def test_uploading_again_leaves_it_skipped() -> None:
    command = cmd.RequestReprocess(ReprocessFrom.UPLOAD, None)
    given(published()).when(command).then(
        ev.ReprocessRequested(2, ReprocessFrom.UPLOAD, None),
        ev.SceneRendered(scene=0, run=2, renditions=s.RENDITIONS),
        ev.VideoGenerated(run=2, videos=s.VIDEOS, thumbnails=()),
    )


def test_it_counts_as_done_in_the_progress() -> None:
    history = published()
    job = fold(history[: history.index(ev.ScenesCompleted(1)) + 1])
    assert job is not None
    assert progress(job, {}) >= 75
