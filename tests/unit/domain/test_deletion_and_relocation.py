"""A finished job's files move from the fallback store to the delivery store, or are deleted for good."""

import pytest
from attrs import evolve as replace

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.errors import JobGone, NotFinished
from eventflow.domain.evolve import fold
from eventflow.domain.state import FINISHED, Job, Phase
from eventflow.domain.values import FileRef, Step, StoreRole, files_of
from tests.support import stories as s
from tests.support.spec import given

ENDED = sorted(FINISHED - {Phase.DELETED})
GONE = [Phase.DELETING, Phase.DELETED]
LOCAL = FileRef(
    store="fallback", key="videos/j/aa.mp4", sha256="aa" * 32, size_bytes=100, media_type="video/mp4", retry_count=3
)


@pytest.mark.parametrize("phase", ENDED)
def test_a_finished_job_is_deleted_on_request_and_names_no_file_then(phase: Phase) -> None:
    asked = ev.DeletionRequested("asked", phase.value)
    job = given(s.upto(phase)).when(cmd.RequestDeletion("asked"), cmd.ConfirmDeletion(7)).then(asked, ev.JobDeleted(7))
    assert (job.phase, job.gone, job.finished, files_of(job)) == (Phase.DELETED, True, True, [])
    assert job.request == s.REQUEST


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in FINISHED and phase not in GONE])
def test_a_job_at_work_is_cancelled_first(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.RequestDeletion("asked")).then_refused(NotFinished, match="cancel it")


@pytest.mark.parametrize("phase", GONE)
def test_a_job_is_deleted_once_and_never_again_at_work(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.RequestDeletion("again")).then_nothing()
    given(s.upto(phase)).when(cmd.RequestReprocess()).then_refused(JobGone, match="deleted")
    given(s.upto(phase)).when(cmd.RequestCancellation("no")).then_refused(JobGone)
    for late in (
        s.finish_upload(),
        s.publish(),
        cmd.RelocateFiles((LOCAL.key,)),
        cmd.FailStep(step=Step.PLAN, scene=None, run=1, failure=s.failure(), retry_at=None),
    ):
        given(s.upto(phase)).when(late).then_nothing()


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.RENDERING, Phase.DELETED])
def test_a_deletion_that_nobody_asked_for_is_not_confirmed(phase: Phase) -> None:
    given(s.upto(phase)).when(cmd.ConfirmDeletion(1)).then_nothing()


def fallen_back() -> list[ev.Event]:
    """A published job whose scene and video are in the fallback store, and its captions too, under another key."""
    captions = replace(s.PUBLIC_CAPTIONS[0], file=replace(LOCAL, key="videos/j/captions/bb.vtt"))
    note = ev.UploadFellBack(run=1, step=Step.UPLOAD_VIDEO, scene=None, key=LOCAL.key, reason="gone", retry_count=3)
    history: list[ev.Event] = []
    for event in s.published(1):
        if isinstance(event, ev.SceneUploaded):
            rendition = replace(s.UPLOADED[0], init=LOCAL, segments=(replace(s.UPLOADED[0].segments[0], file=LOCAL),))
            event = replace(event, renditions=(rendition,))
        if isinstance(event, ev.DeliverablesUploaded):
            videos = (replace(event.videos[0], file=LOCAL),)
            history.append(note)
            event = replace(event, videos=videos, thumbnails=(), captions=(captions,))
        history.append(event)
    return history


def stores(job: Job | None) -> set[StoreRole]:
    return {file.store for file in files_of(job)} - {"workspace"}


def test_relocated_files_are_named_in_the_delivery_store_everywhere() -> None:
    keys = (LOCAL.key, "videos/j/captions/bb.vtt")
    job = given(fallen_back()).when(cmd.RelocateFiles((*keys, "videos/j/nobody.mp4"))).then(ev.VideoRelocated(keys))
    assert stores(job) == {"delivery"}
    assert job.published is not None
    assert job.published.videos[0].file == replace(LOCAL, store="delivery")
    assert job.scenes[0].uploaded[0].segments[0].file.store == "delivery"
    assert (job.phase, job.degraded) == (Phase.COMPLETED, ())
    given(fallen_back(), ev.VideoRelocated(keys)).when(cmd.RelocateFiles(keys)).then_nothing()


def test_only_the_notes_of_fallbacks_go_with_the_files() -> None:
    first, *later = fallen_back()
    quotes = ev.StepDegraded(1, Step.PLAN, "the planner's answer fell back to local storage: it is shorter")
    job = fold([first, quotes, *later, ev.VideoRelocated((LOCAL.key, "videos/j/captions/bb.vtt"))])
    assert job is not None
    assert (job.degraded, job.fallback_notes) == ((quotes.reason,), ())


def test_a_file_that_stays_in_the_fallback_store_keeps_its_note() -> None:
    job = fold([*fallen_back(), ev.VideoRelocated((LOCAL.key,))])
    assert stores(job) == {"delivery", "fallback"}
    assert job is not None
    assert job.degraded == ("upload_video fell back to local storage: gone",)


def test_the_job_before_is_still_the_job_before() -> None:
    before = fold(fallen_back())
    fold([ev.VideoRelocated((LOCAL.key,))], before)
    assert stores(before) == {"fallback"}


def test_a_job_at_work_moves_nothing() -> None:
    working = fallen_back()[:-1]
    given(working).when(cmd.RelocateFiles((LOCAL.key,))).then_nothing()
