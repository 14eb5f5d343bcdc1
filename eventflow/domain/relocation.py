"""Relocation of a finished job's files from the fallback store to the delivery store."""

from __future__ import annotations

from typing import Any

from eventflow.domain import commands as cmd
from eventflow.domain._records import replace, update_draft
from eventflow.domain.events import Event, VideoRelocated
from eventflow.domain.state import Job
from eventflow.domain.values import PLAIN_TYPES, FileRef, files_of


def relocate_files(job: Job, c: cmd.RelocateFiles) -> list[Event]:
    """Decide the move of those of `c.keys` that a finished job still names in the fallback store."""
    if not job.finished or job.gone:
        return []
    named = {file.key for file in files_of(job) if file.store == "fallback"}
    moved = tuple(key for key in c.keys if key in named)
    return [VideoRelocated(moved)] if moved else []


def move_files(draft: Job, e: VideoRelocated) -> None:
    """Name the files in the delivery store, wherever `draft` names them.

    Once it names no file in the fallback store, the notes of the fallbacks go, too.
    """
    keys = frozenset(e.keys)
    for attribute in Job.__attrs_attrs__:
        old = getattr(draft, attribute.name)
        if (new := _moved(old, keys)) is not old:
            update_draft(draft, **{attribute.name: new})
    if not any(file.store == "fallback" for file in files_of(draft)):
        degraded = tuple(note for note in draft.degraded if note not in draft.fallback_notes)
        update_draft(draft, degraded=degraded, fallback_notes=())


def _moved(value: Any, keys: frozenset[str]) -> Any:
    """Return `value` with every file of `keys` in the delivery store; `value` itself if it names none of them."""
    if isinstance(value, FileRef):
        moved = value.store == "fallback" and value.key in keys
        return replace(value, store="delivery") if moved else value
    if isinstance(value, tuple):
        items = tuple(_moved(each, keys) for each in value)
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, PLAIN_TYPES) or not hasattr(value, "__attrs_attrs__"):
        return value
    changes = {}
    for attribute in value.__attrs_attrs__:
        old = getattr(value, attribute.name)
        if (new := _moved(old, keys)) is not old:
            changes[attribute.name] = new
    return replace(value, **changes) if changes else value
