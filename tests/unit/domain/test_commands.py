"""What follows from each command, in the phases in which it can arrive."""

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.decide import _DECIDERS, decide
from eventflow.domain.errors import AlreadyFinished, IllegalTransition, JobExists, JobMissing, NotFinished
from eventflow.domain.evolve import fold
from eventflow.domain.state import FINISHED, Phase, Publication
from eventflow.domain.values import Step
from tests.support import stories as s
from tests.support.spec import given
from tests.support.walks import LATER

ENDING = (Phase.CANCELLING, Phase.DELETING)
ACTIVE = [phase for phase in Phase if phase not in FINISHED and phase not in ENDING]
NOTES = {
    Phase.RENDERING: (Step.UPLOAD_SCENE, 0),
    Phase.ASSEMBLING: (Step.ASSEMBLE, None),
    Phase.UPLOADING: (Step.UPLOAD_VIDEO, None),
}


def test_a_request_begins_a_job() -> None:
    given().when(cmd.RequestVideo(s.REQUEST)).then(ev.VideoRequested(s.REQUEST))


def test_a_job_begins_once() -> None:
    given(s.requested()).when(cmd.RequestVideo(s.REQUEST)).then_refused(JobExists)


@pytest.mark.parametrize("command", [cmd.StartPlanning(1), cmd.RequestReprocess(), cmd.RequestCancellation("")])
def test_without_a_request_there_is_no_job(command: cmd.Command) -> None:
    given().when(command).then_refused(JobMissing)


def test_every_command_is_decided() -> None:
    classes = {c for c in vars(cmd).values() if isinstance(c, type) and c.__module__ == cmd.__name__}
    assert set(_DECIDERS) == classes - {cmd.RequestVideo}


@pytest.mark.parametrize("phase", [Phase.REQUESTED, Phase.PLANNING])
def test_planning_starts_and_starts_again_after_a_crash(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.StartPlanning(1)).then(ev.PlanningStarted(1))


def test_planning_goes_on_while_scenes_are_missing() -> None:
    history = [s.requested(), *s.announced(2), s.scene_planned(0)]
    given(history).when(cmd.StartPlanning(1)).then(ev.PlanningStarted(1))
    given(s.planned(2)).when(cmd.StartPlanning(1)).then_nothing()


def test_a_script_is_announced_once() -> None:
    script = ev.ScriptPlanned(run=1, title="Title", scene_count=2, plan=s.WORK_FILE)
    job = given(s.requested(), ev.PlanningStarted(1)).when(s.announce(2)).then(script)
    assert (job.title, job.scene_count, job.plan) == ("Title", 2, s.WORK_FILE)
    given(s.requested(), *s.announced(2)).when(s.announce(3)).then_nothing()


def test_a_script_is_announced_by_who_has_started() -> None:
    given(s.requested()).when(s.announce(2)).then_nothing()


def test_a_script_without_scenes_is_a_defect() -> None:
    given(s.requested(), ev.PlanningStarted(1)).when(s.announce(0)).then_refused(IllegalTransition, "at least one")


def test_scenes_are_planned_in_order_each_once() -> None:
    job = given(s.requested(), s.announced(2)).when(s.plan_scene(0), s.plan_scene(0), s.plan_scene(1))
    after = job.then(s.scene_planned(0), s.scene_planned(1))
    assert after.phase is Phase.RENDERING
    assert [scene.start_cells for scene in after.scenes] == [0, 11]
    assert after.all_scenes_planned


@pytest.mark.parametrize("scene", [1, 2, 7])
def test_a_gap_between_scenes_is_a_defect(scene: int) -> None:
    given(s.requested(), s.announced(2)).when(s.plan_scene(scene)).then_refused(IllegalTransition, f"scene {scene}")


def test_more_scenes_than_announced_are_a_defect() -> None:
    given(s.planned(2)).when(s.plan_scene(2)).then_refused(IllegalTransition, "scene 2 of 2 is next")
    given(s.requested(), ev.PlanningStarted(1)).when(s.plan_scene(0)).then_refused(IllegalTransition)


def test_a_scene_may_be_rendered_before_the_next_is_planned() -> None:
    history = [s.requested(), *s.announced(2), s.scene_planned(0)]
    given(history).when(s.finish_scene(0)).then(s.rendered(0))


def test_the_last_rendered_scene_completes_them_all() -> None:
    given(s.planned(2)).when(s.finish_scene(1)).then(s.rendered(1))
    given(s.planned(2), s.rendered(1)).when(s.finish_scene(0)).then(s.rendered(0), ev.ScenesCompleted(1))
    given(s.planned(2), s.rendered(1), s.uploaded(1)).when(s.finish_scene(0)).then(s.rendered(0), ev.ScenesCompleted(1))


def test_a_scene_is_rendered_once() -> None:
    given(s.planned(2), s.rendered(0)).when(s.finish_scene(0)).then_nothing()


@pytest.mark.parametrize("scene", [-1, 2, 99])
def test_scenes_that_there_are_not(scene: int) -> None:
    given(s.planned(2)).when(s.finish_scene(scene), s.finish_scene_upload(scene)).then_nothing()


def test_segments_are_uploaded_while_others_render() -> None:
    given(s.planned(2), s.rendered(0)).when(s.finish_scene_upload(0)).then(s.uploaded(0), s.STARTED)
    given(s.planned(2)).when(s.finish_scene_upload(0)).then_nothing()


def test_it_can_be_watched_once_its_first_scene_is_up() -> None:
    history = [*s.planned(3), s.rendered(0), s.rendered(1)]
    assert not given(history).when(s.finish_scene_upload(1)).then(s.uploaded(1)).streaming
    given(history, s.uploaded(1)).when(s.finish_scene_upload(0)).then(s.uploaded(0), s.STARTED)
    given(history, s.uploaded(0), s.STARTED).when(s.finish_scene_upload(1)).then(s.uploaded(1))


def test_without_segments_there_is_nothing_to_watch_before_the_end() -> None:
    done = cmd.FinishSceneUpload(scene=0, run=1, renditions=())
    assert (
        not given(s.planned(2), s.rendered(0))
        .when(done)
        .then(ev.SceneUploaded(scene=0, run=1, renditions=()))
        .streaming
    )


def test_assembly_makes_the_video() -> None:
    job = (
        given(s.all_rendered(2))
        .when(s.finish_video())
        .then(ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=s.THUMBNAILS, captions=s.CAPTIONS))
    )
    assert job.videos == s.VIDEOS
    given(s.planned(2)).when(s.finish_video()).then_nothing()
    given(s.generated(2)).when(s.finish_video()).then_nothing()


@pytest.mark.parametrize("history", [[s.requested()], [s.requested(), ev.PlanningStarted(1)]])
def test_a_pipeline_without_scenes_makes_the_video_in_one_piece(history: s.History) -> None:
    video = ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=s.THUMBNAILS, captions=s.CAPTIONS)
    deliverables = ev.DeliverablesUploaded(
        run=1, videos=s.PUBLIC_VIDEOS, thumbnails=s.PUBLIC_THUMBNAILS, captions=s.PUBLIC_CAPTIONS
    )
    given(history).when(s.finish_video(), s.finish_upload(), s.publish()).then(
        video, deliverables, ev.VideoUploaded(1), ev.VideoPublished(1, 1, s.METADATA)
    )


def test_announced_scenes_have_to_be_made() -> None:
    given(s.requested(), s.announced(2)).when(s.finish_video()).then_nothing()


def test_the_upload_is_complete_with_its_last_part() -> None:
    deliverables = ev.DeliverablesUploaded(
        run=1, videos=s.PUBLIC_VIDEOS, thumbnails=s.PUBLIC_THUMBNAILS, captions=s.PUBLIC_CAPTIONS
    )
    given(s.generated(2)).when(s.finish_upload()).then(deliverables)
    uploads = [s.uploaded(0), s.STARTED, s.uploaded(1)]
    given(s.generated(2), uploads).when(s.finish_upload()).then(deliverables, ev.VideoUploaded(1))
    given(s.generated(2), deliverables, uploads[:2]).when(s.finish_scene_upload(1)).then(
        s.uploaded(1), ev.VideoUploaded(1)
    )
    given(s.generated(2), deliverables).when(s.finish_upload()).then_nothing()
    given(s.all_rendered(2)).when(s.finish_upload()).then_nothing()


def test_publication_is_what_was_uploaded() -> None:
    job = given(s.all_uploaded(2)).when(s.publish()).then(ev.VideoPublished(1, 1, s.METADATA))
    assert job.phase is Phase.COMPLETED
    assert job.published == Publication(
        version=1,
        videos=s.PUBLIC_VIDEOS,
        thumbnails=s.PUBLIC_THUMBNAILS,
        metadata=s.METADATA,
        captions=s.PUBLIC_CAPTIONS,
    )
    given(s.published(2)).when(s.publish()).then_nothing()
    given(s.generated(2)).when(s.publish()).then_nothing()


def test_a_fallback_is_recorded_and_marks_the_job_degraded() -> None:
    fell_back = ev.UploadFellBack(run=1, step=Step.UPLOAD_SCENE, scene=0, key="k", reason="no route", retry_count=3)
    command = cmd.RecordFallback(run=1, step=Step.UPLOAD_SCENE, scene=0, key="k", reason="no route", retry_count=3)
    job = given(s.planned(1), s.rendered(0)).when(command).then(fell_back)
    assert job.degraded == ("upload_scene fell back to local storage: no route",)
    again = given(s.planned(2), s.rendered(0), s.rendered(1), ev.ScenesCompleted(1), fell_back)
    other = ev.UploadFellBack(run=1, step=Step.UPLOAD_SCENE, scene=1, key="k2", reason="no route", retry_count=3)
    job = again.when(
        cmd.RecordFallback(run=1, step=Step.UPLOAD_SCENE, scene=1, key="k2", reason="no route", retry_count=3)
    ).then(other)
    assert len(job.degraded) == 1


def test_a_degradation_is_recorded() -> None:
    command = cmd.RecordDegradation(1, Step.ASSEMBLE, "no thumbnails")
    job = given(s.all_rendered(1)).when(command).then(ev.StepDegraded(1, Step.ASSEMBLE, "no thumbnails"))
    assert job.degraded == ("no thumbnails",)


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.REQUESTED])
def test_notes_of_work_that_is_over_are_dropped(phase: Phase) -> None:
    for where, (step, scene) in NOTES.items():
        if where is not phase:
            fallback = cmd.RecordFallback(run=1, step=step, scene=scene, key="k", reason="r", retry_count=3)
            note = cmd.RecordDegradation(1, step, "r")
            if step is not Step.UPLOAD_SCENE or phase not in (Phase.ASSEMBLING, Phase.UPLOADING):
                given(s.upto(phase)).when(fallback, note).then_nothing()
    stale = (
        cmd.RecordFallback(run=9, step=Step.UPLOAD_SCENE, scene=0, key="k", reason="r", retry_count=3),
        cmd.RecordDegradation(9, Step.ASSEMBLE, "r"),
    )
    given(s.upto(phase)).when(*stale).then_nothing()


def test_a_second_delivery_of_an_upload_records_no_second_fallback() -> None:
    note = cmd.RecordFallback(run=1, step=Step.UPLOAD_SCENE, scene=0, key="k", reason="r", retry_count=3)
    given(s.planned(1), s.rendered(0), s.uploaded(0)).when(note, s.finish_scene_upload(0)).then_nothing()


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("run", [0, 2])
def test_results_of_another_run_are_dropped(phase: Phase, run: int) -> None:
    commands = [
        cmd.StartPlanning(run),
        s.announce(1, run),
        s.plan_scene(0, run),
        s.finish_scene(0, run),
        s.finish_scene_upload(0, run),
        s.finish_video(run),
        s.finish_upload(run),
        s.publish(run),
        cmd.FailStep(step=Step.PLAN, scene=None, run=run, failure=s.failure(), retry_at=None),
        cmd.FailStep(step=Step.RENDER_SCENE, scene=0, run=run, failure=s.failure(), retry_at=None),
    ]
    given(s.upto(phase)).when(*commands).then_nothing()  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", [p for p in ACTIVE if p is not Phase.REQUESTED])
def test_cancellation_is_asked_for_then_confirmed(phase: Phase) -> None:
    asked, confirmed = ev.CancellationRequested("no"), ev.JobCancelled(1)
    job = given(s.upto(phase)).when(cmd.RequestCancellation("no")).then(asked)
    assert not job.active
    assert not job.finished
    job = given(s.upto(phase), asked).when(cmd.ConfirmCancellation()).then(confirmed)
    assert job.phase is Phase.CANCELLED


def test_a_queued_job_is_cancelled_at_once() -> None:
    given(s.requested()).when(cmd.RequestCancellation("no")).then(ev.CancellationRequested("no"), ev.JobCancelled(1))


def test_cancelling_again_changes_nothing() -> None:
    given(s.upto(Phase.CANCELLING)).when(cmd.RequestCancellation("no")).then_nothing()


@pytest.mark.parametrize("phase", sorted(FINISHED - {Phase.DELETED}))
def test_the_end_cannot_be_cancelled(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.RequestCancellation("no")).then_refused(AlreadyFinished, phase.value)
    given(s.upto(phase)).when(cmd.ConfirmCancellation()).then_nothing()


@pytest.mark.parametrize("phase", ACTIVE)
def test_nobody_confirms_what_nobody_asked_for(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.ConfirmCancellation()).then_nothing()


@pytest.mark.parametrize("phase", [Phase.CANCELLING, *FINISHED])
def test_work_that_ends_after_the_job_is_dropped(phase: Phase) -> None:
    late = [cmd.StartPlanning(1), s.announce(2), s.plan_scene(2), s.finish_scene(0), s.finish_scene_upload(0)]
    late += [s.finish_video(), s.finish_upload(), s.publish()]
    late += [cmd.FailStep(step=step, scene=None, run=1, failure=s.failure(), retry_at=None) for step in Step]
    given(s.upto(phase)).when(*late).then_nothing()  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", sorted(FINISHED - {Phase.DELETED}))
def test_reprocessing_begins_anew_under_a_new_run(phase: Phase) -> None:
    before = fold(s.upto(phase))
    job = given(s.upto(phase)).when(cmd.RequestReprocess()).then(ev.ReprocessRequested(2))
    assert before is not None
    assert (job.phase, job.run, job.scenes, job.attempts, job.failure) == (Phase.REQUESTED, 2, (), (), None)
    assert job.request == before.request
    assert job.published == before.published


def test_reprocessing_keeps_the_old_publication_until_there_is_a_new_one() -> None:
    first = fold(s.published(1))
    assert first is not None
    again = [ev.ReprocessRequested(2), ev.PlanningStarted(2), ev.VideoGenerated(run=2, videos=s.VIDEOS, thumbnails=())]
    uploaded = [ev.DeliverablesUploaded(run=2, videos=s.PUBLIC_VIDEOS, thumbnails=()), ev.VideoUploaded(2)]
    for length in range(len(again) + 1):
        job = fold(again[:length], first)
        assert job is not None
        assert job.published == first.published
    broken = fold(
        [*again, ev.JobFailed(run=2, failure=s.failure(), step=Step.UPLOAD_VIDEO, scene=None, attempts=1)], first
    )
    assert broken is not None
    assert broken.published == first.published
    job = given(s.published(1), again, uploaded).when(s.publish(2)).then(ev.VideoPublished(2, 2, s.METADATA))
    assert job.published is not None
    assert (job.published.version, job.published.thumbnails) == (2, ())


@pytest.mark.parametrize("phase", [*ACTIVE, Phase.CANCELLING])
def test_what_is_being_worked_on_cannot_be_reprocessed(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.RequestReprocess()).then_refused(NotFinished, phase.value)


def test_the_old_run_of_a_scene_is_no_longer_wanted() -> None:
    job = fold([*s.published(2), ev.ReprocessRequested(2), *s.announced(2, 2), s.scene_planned(0, 2)])
    assert decide(job, s.finish_scene(0, 1)) == []
    assert decide(job, s.finish_scene(0, 2)) == [s.rendered(0, 2)]


def test_a_step_is_parked_while_it_is_due() -> None:
    park = cmd.DeadLetterStep(step=Step.RENDER_SCENE, scene=0, run=1, reason="odd")
    parked = ev.StepParked(step=Step.RENDER_SCENE, scene=0, run=1, reason="odd")
    job = given(s.planned(2)).when(park).then(parked)
    assert [(p.step, p.scene) for p in job.dead_letters] == [(Step.RENDER_SCENE, 0)]
    given(s.planned(2), s.rendered(0)).when(park).then_nothing()
    given(s.planned(2)).when(cmd.DeadLetterStep(step=Step.RENDER_SCENE, scene=0, run=2, reason="odd")).then_nothing()


def test_a_job_whose_work_is_parked_has_nobody_to_confirm_its_cancellation() -> None:
    parked = ev.StepParked(step=Step.RENDER_SCENE, scene=0, run=1, reason="odd")
    requested = ev.CancellationRequested("r")
    given(s.planned(2), parked).when(cmd.RequestCancellation("r")).then(requested, ev.JobCancelled(1))
    given(s.planned(2), parked, s.rendered(0)).when(cmd.RequestCancellation("r")).then(requested)
    failed = ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=s.failure(), attempt=1, retry_at=None)
    given(s.planned(2), parked, failed).when(cmd.RequestCancellation("r")).then(requested)


def test_a_job_that_waits_for_a_retry_has_nobody_to_confirm_either() -> None:
    requested = ev.CancellationRequested("r")
    put_off = ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=s.failure(), attempt=1, retry_at=LATER)
    given(s.planned(2), put_off).when(cmd.RequestCancellation("r")).then(requested, ev.JobCancelled(1))
    given(s.planned(2), put_off, s.rendered(0)).when(cmd.RequestCancellation("r")).then(requested)
