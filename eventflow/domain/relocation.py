"""Relocation of a finished job's files from the fallback store to the delivery store.

What a finished job has left behind: it is deleted, or moved from the fallback store to where it belongs.

Events that may follow the terminal one, what decides them, and what they change. Nothing here fails a job.
"""

from __future__ import annotations

from typing import Any

from eventflow.domain import commands as cmd
from eventflow.domain._records import replace
from eventflow.domain.events import Event, VideoRelocated
from eventflow.domain.state import Job
from eventflow.domain.values import PLAIN_TYPES, FileRef, files_of

#: In the note of a fallback, so that the note can go when nothing is left there.
FELL_BACK = "fell back to local storage"


def relocate(job: Job, c: cmd.RelocateFiles) -> list[Event]:
    """Only what a finished job still names in the fallback store."""
    if not job.finished or job.gone:
        return []
    named = {file.key for file in files_of(job) if file.store == "fallback"}
    moved = tuple(key for key in c.keys if key in named)
    return [VideoRelocated(moved)] if moved else []


def relocated(job: Job, e: VideoRelocated) -> dict[str, Any]:
    """Every name of the files says where they are now; once nothing is left behind, nor is the note of it."""
    keys = frozenset(e.keys)

    def placed(value: Any) -> Any:
        if isinstance(value, FileRef):
            moved = value.store == "fallback" and value.key in keys
            return replace(value, {"store": "delivery"}) if moved else value
        if isinstance(value, tuple):
            return tuple(placed(each) for each in value)
        if isinstance(value, PLAIN_TYPES) or not hasattr(value, "__attrs_attrs__"):
            return value
        fields = {a.name: getattr(value, a.name) for a in value.__attrs_attrs__}
        new = {name: there for name, old in fields.items() if (there := placed(old)) != old}
        return replace(value, new) if new else value

    changes: dict[str, Any] = {a.name: placed(getattr(job, a.name)) for a in Job.__attrs_attrs__}
    left = {file.key for file in files_of(job) if file.store == "fallback"} - keys
    if not left:
        changes["degraded"] = tuple(note for note in job.degraded if FELL_BACK not in note)
    return changes
