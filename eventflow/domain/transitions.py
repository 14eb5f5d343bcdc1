"""The table of what may follow what. An event that it doesn't list for a phase can't happen in it."""

from __future__ import annotations

from eventflow.domain import events as ev
from eventflow.domain.state import Phase

P = Phase
#: Events that may be recorded while a job is being worked on, without changing the phase.
_NOTES: tuple[type[ev.Event], ...] = (
    ev.StepFailed,
    ev.StepParked,
    ev.UploadFellBack,
    ev.StreamStarted,
    ev.StepDegraded,
    ev.WarningRaised,
    ev.RemoteWorkOrdered,
    ev.RemoteWorkStarted,
    ev.RemoteWorkEnded,
    ev.CostRecorded,
)


def _active(phase: Phase, moves: dict[type[ev.Event], Phase]) -> dict[type[ev.Event], Phase]:
    ends: dict[type[ev.Event], Phase] = {ev.JobFailed: P.FAILED, ev.CancellationRequested: P.CANCELLING}
    return {**dict.fromkeys(_NOTES, phase), **ends, **moves}


def _replanned(phase: Phase) -> dict[type[ev.Event], Phase]:
    """A job whose plan or narrator was lost is planned again: the cases in which it is reprocessed before its end."""
    return {ev.ArtefactLost: phase, ev.NarratorReplaced: phase, ev.ReprocessRequested: P.REQUESTED}


def _finished(phase: Phase) -> dict[type[ev.Event], Phase]:
    """After the end, a service may still bill, files may be relocated, and the job may be deleted."""
    after: dict[type[ev.Event], Phase] = {ev.VideoRelocated: phase, ev.DeletionRequested: P.DELETING}
    return {ev.ReprocessRequested: P.REQUESTED, ev.CostRecorded: phase, **after}


#: phase -> event -> next phase. A pair that is absent raises IllegalTransition. A ReprocessRequested from a later stage
#: than planning leads to the phase of that stage instead.
TRANSITIONS: dict[Phase, dict[type[ev.Event], Phase]] = {
    P.REQUESTED: _active(
        P.REQUESTED,
        {ev.PlanningStarted: P.PLANNING, ev.VideoGenerated: P.UPLOADING, **_replanned(P.REQUESTED)},
    ),
    P.PLANNING: _active(
        P.PLANNING,
        {
            **_replanned(P.PLANNING),
            ev.PlanningStarted: P.PLANNING,
            ev.ScriptPlanned: P.PLANNING,
            ev.ScenePlanned: P.RENDERING,
            ev.SceneReused: P.RENDERING,
            ev.VideoGenerated: P.UPLOADING,
        },
    ),
    P.RENDERING: _active(
        P.RENDERING,
        {
            **_replanned(P.RENDERING),
            ev.PlanningStarted: P.RENDERING,
            ev.ScenePlanned: P.RENDERING,
            ev.SceneReused: P.RENDERING,
            ev.SceneRendered: P.RENDERING,
            ev.SceneUploaded: P.RENDERING,
            ev.SceneSkipped: P.RENDERING,
            ev.ScenesCompleted: P.ASSEMBLING,
        },
    ),
    P.ASSEMBLING: _active(
        P.ASSEMBLING,
        {
            ev.SceneUploaded: P.ASSEMBLING,
            ev.SceneSkipped: P.ASSEMBLING,
            ev.VideoGenerated: P.UPLOADING,
            ev.ArtefactLost: P.RENDERING,
        },
    ),
    P.UPLOADING: _active(
        P.UPLOADING,
        {
            ev.ArtefactLost: P.RENDERING,
            ev.SceneRendered: P.UPLOADING,  # these two: uploaded again
            ev.VideoGenerated: P.UPLOADING,
            ev.SceneUploaded: P.UPLOADING,
            ev.SceneSkipped: P.UPLOADING,
            ev.DeliverablesUploaded: P.UPLOADING,
            ev.VideoUploaded: P.EXTRACTING,
        },
    ),
    P.EXTRACTING: _active(P.EXTRACTING, {ev.VideoPublished: P.COMPLETED, ev.ArtefactLost: P.RENDERING}),
    P.CANCELLING: {ev.JobCancelled: P.CANCELLED, ev.CostRecorded: P.CANCELLING},
    P.COMPLETED: _finished(P.COMPLETED),
    P.FAILED: _finished(P.FAILED),
    P.CANCELLED: _finished(P.CANCELLED),
    P.DELETING: {ev.JobDeleted: P.DELETED, ev.CostRecorded: P.DELETING},
    P.DELETED: {ev.CostRecorded: P.DELETED},
}
