"""The fold from a job's events to the view that answers show, without what no answer shows. No I/O.

Scripts, scene specifications and segments are left out: a cache of many jobs would be large with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve as replace

from eventflow.domain import events as ev
from eventflow.domain.envelope import Envelope
from eventflow.domain.values import FileRef, SceneRendition
from eventflow.domain.view import JobView, view_of

_NO_FILE = FileRef(store="workspace", key="", sha256="", size_bytes=0, media_type="")
#: Stands for the renditions of an uploaded scene that is reused: the fold only needs to know that there are some.
_UPLOADED = (SceneRendition(quality="", width=0, height=0, decoder_config="", init=_NO_FILE, segments=()),)


class HistoryGap(Exception):
    """An event is missing between a view and the events that should continue it."""


def fold_on(view: JobView | None, envelopes: Sequence[Envelope]) -> JobView | None:
    """Continue `view` with `envelopes`, slimmed; those that it contains are skipped.

    Raises HistoryGap, IllegalTransition.
    """
    return view_of(_unseen(view.version if view else 0, envelopes), view)


def _unseen(version: int, envelopes: Iterable[Envelope]) -> Iterator[Envelope]:
    for envelope in envelopes:
        if envelope.seq <= version:
            continue
        version += 1
        if envelope.seq != version:
            raise HistoryGap(f"job {envelope.job_id}: event {envelope.seq} doesn't follow version {version - 1}")
        yield slim(envelope)


def slim(envelope: Envelope) -> Envelope:
    """The envelope without what no answer shows."""
    kept = slim_event(envelope.event)
    return envelope if kept is envelope.event else replace(envelope, event=kept)


def slim_event(event: ev.Event) -> ev.Event:
    """The event without what no answer shows."""
    if isinstance(event, ev.VideoRequested):
        return ev.VideoRequested(replace(event.request, script=""))  # without a fork's scenes either
    if isinstance(event, ev.ScenePlanned):
        return replace(event, spec=_NO_FILE, narration=None)
    if isinstance(event, ev.SceneReused):
        uploaded = event.uploaded and _UPLOADED
        return replace(event, spec=_NO_FILE, narration=None, renditions=(), uploaded=uploaded)
    if isinstance(event, ev.SceneRendered | ev.SceneUploaded):
        return replace(event, renditions=())
    return event
