"""What a finished job has left behind: it is deleted, or moved from the fallback store to where it belongs.

Events that may follow the terminal one, what decides them, and what they change. Nothing here fails a job.
"""

from __future__ import annotations

from typing import Any

from eventflow.domain import commands as cmd
from eventflow.domain.carrier import changed
from eventflow.domain.companions import Companions
from eventflow.domain.errors import JobGone, NotFinished
from eventflow.domain.notes import DeletionRequested, Event, JobDeleted, VideoRelocated
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import FileRef

#: In the note of a fallback, so that the note can go when nothing is left there.
FELL_BACK = "fell back to local storage"
#: Classes that are no value of ours hold no files.
_PLAIN = (str, int, float, bytes, bool, type(None))


def request_deletion(job: Job, c: cmd.RequestDeletion) -> list[Event]:
    """Raises NotFinished: the workers of a job have to have stopped first. A second request decides nothing."""
    if job.gone:
        return []
    if not job.finished:
        raise NotFinished(f"the job is {job.phase.value}; cancel it or wait for its end")
    return [DeletionRequested(c.reason, job.phase.value)]


def confirm_deletion(job: Job, c: cmd.ConfirmDeletion) -> list[Event]:
    return [JobDeleted(c.files)] if job.phase is Phase.DELETING else []


def relocate(job: Job, c: cmd.RelocateFiles) -> list[Event]:
    """Only what a finished job still names in the fallback store."""
    if not job.finished or job.gone:
        return []
    named = {file.key for file in files_of(job) if file.store == "fallback"}
    moved = tuple(key for key in c.keys if key in named)
    return [VideoRelocated(moved)] if moved else []


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


def relocated(job: Job, e: VideoRelocated) -> dict[str, Any]:
    """Every name of the files says where they are now; once nothing is left behind, nor is the note of it."""
    keys = frozenset(e.keys)

    def placed(value: Any) -> Any:
        if isinstance(value, FileRef):
            moved = value.store == "fallback" and value.key in keys
            return changed(value, {"store": "delivery"}) if moved else value
        if isinstance(value, tuple):
            return tuple(placed(each) for each in value)
        if isinstance(value, _PLAIN) or not hasattr(value, "__attrs_attrs__"):
            return value
        fields = {a.name: getattr(value, a.name) for a in value.__attrs_attrs__}
        new = {name: there for name, old in fields.items() if (there := placed(old)) != old}
        return changed(value, new) if new else value

    changes: dict[str, Any] = {a.name: placed(getattr(job, a.name)) for a in Job.__attrs_attrs__}
    left = {file.key for file in files_of(job) if file.store == "fallback"} - keys
    if not left:
        changes["degraded"] = tuple(note for note in job.degraded if FELL_BACK not in note)
    return changes


def files_of(value: Any) -> list[FileRef]:
    """Every file that a job, an event or a part of one names, as often as it does."""
    if isinstance(value, FileRef):
        return [value]
    if isinstance(value, tuple):
        return [file for each in value for file in files_of(each)]
    if isinstance(value, _PLAIN) or not hasattr(value, "__attrs_attrs__"):
        return []
    return [file for a in value.__attrs_attrs__ for file in files_of(getattr(value, a.name))]
