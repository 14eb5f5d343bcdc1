"""Deletion of a finished job's files: what decides it, and what it changes. The job's history stays."""

from __future__ import annotations

from eventflow.domain import commands as cmd
from eventflow.domain._records import update_draft
from eventflow.domain.errors import JobGone, NotFinished
from eventflow.domain.events import DeletionRequested, Event, JobDeleted
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import NO_COMPANIONS


def request_deletion(job: Job, c: cmd.RequestDeletion) -> list[Event]:
    """Decide a deletion; a second request decides nothing.

    Raises NotFinished: the job's workers have to stop first, or they would write files after the deletion.
    """
    if job.gone:
        return []
    if not job.finished:
        raise NotFinished(f"the job is {job.phase.value}; cancel it or wait for its end")
    return [DeletionRequested(c.reason, job.phase.value)]


def confirm_deletion(job: Job, c: cmd.ConfirmDeletion) -> list[Event]:
    return [JobDeleted(c.files)] if job.phase is Phase.DELETING else []


def refuse_gone(job: Job) -> None:
    """Raise JobGone if the job is deleted or being deleted."""
    if job.gone:
        raise JobGone("the job was deleted; its files are gone, and it can't be done again")


def forget_files(draft: Job, e: JobDeleted) -> None:
    """Change `draft` so that it names no file."""
    update_draft(
        draft,
        plan=None,
        scenes=(),
        reusable=(),
        videos=(),
        thumbnails=(),
        captions=(),
        companions=NO_COMPANIONS,
        deliverables_uploaded=False,
        uploaded_videos=(),
        uploaded_thumbnails=(),
        uploaded_captions=(),
        uploaded_companions=NO_COMPANIONS,
        published=None,
    )
