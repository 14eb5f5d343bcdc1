"""Deletion of a finished job: what decides it, and what it changes."""

from __future__ import annotations

from typing import Any

from eventflow.domain import commands as cmd
from eventflow.domain.errors import JobGone, NotFinished
from eventflow.domain.events import DeletionRequested, Event, JobDeleted
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import Companions


def request_deletion(job: Job, c: cmd.RequestDeletion) -> list[Event]:
    """Raises NotFinished: the workers of a job have to have stopped first. A second request decides nothing."""
    if job.gone:
        return []
    if not job.finished:
        raise NotFinished(f"the job is {job.phase.value}; cancel it or wait for its end")
    return [DeletionRequested(c.reason, job.phase.value)]


def confirm_deletion(job: Job, c: cmd.ConfirmDeletion) -> list[Event]:
    return [JobDeleted(c.files)] if job.phase is Phase.DELETING else []


def refuse_gone(job: Job) -> None:
    """Raises JobGone for a job that is deleted, or about to be."""
    if job.gone:
        raise JobGone("the job was deleted; its files are gone, and it can't be done again")


def deleted(job: Job, e: JobDeleted) -> dict[str, Any]:
    """No file is named any more."""
    files = ("scenes", "videos", "thumbnails", "captions", "reusable")
    uploaded = ("uploaded_videos", "uploaded_thumbnails", "uploaded_captions")
    nothing: dict[str, Any] = dict.fromkeys((*files, *uploaded), ())
    nothing |= dict.fromkeys(("companions", "uploaded_companions"), Companions())
    return {**nothing, "plan": None, "published": None, "deliverables_uploaded": False}
