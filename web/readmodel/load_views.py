"""Reads jobs from their streams and folds them, several in one round trip.

The fold keeps only what the status and media answers show: the script, the scenes' specifications and their
segments would make a cache of many jobs large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve as replace
from attrs import frozen

from eventflow.domain.envelope import Envelope
from eventflow.domain.view import JobView, view_of
from eventflow.log.event_store import JobEventStore
from web.readmodel.hls_editions import slim_event

_PAGE = 1_000


class HistoryGap(Exception):
    """An event is missing between a view and what was read to continue it."""


@frozen
class Wanted:
    """The events of `job_id` after `version` are wanted."""

    job_id: str
    version: int


@frozen
class Reading:
    """What was read: the new events, oldest first, and the fractions of running steps by progress field."""

    envelopes: tuple[Envelope, ...]
    live: Mapping[str, float]


async def read_jobs(log: JobEventStore, wanted: Sequence[Wanted], *, live: bool) -> list[Reading]:
    """One reading for each of `wanted`, in order, in one pipeline. Raises DecodeError and connection errors.

    Without `live` the fractions are left out (empty).
    """
    async with log.redis.pipeline(transaction=False) as pipe:
        for want in wanted:
            keys = log.keyspace.of_job(want.job_id)
            pipe.xrange(keys.events(want.job_id), min=f"{want.version + 1}-0", count=_PAGE)
            if live:
                pipe.hgetall(keys.live(want.job_id))
        answers: list[Any] = await pipe.execute()
    readings = []
    step = 2 if live else 1
    for place, want in enumerate(wanted):
        rows = answers[place * step]
        envelopes = [log.codec.decode(fields[b"e"]) for _, fields in rows]
        if not rows and log.archive is not None:
            envelopes = await log.history(want.job_id, after=want.version)
        if len(rows) == _PAGE:
            envelopes += await log.history(want.job_id, after=envelopes[-1].seq)
        live_fractions = fractions(answers[place * step + 1]) if live else {}
        readings.append(Reading(tuple(envelopes), live_fractions))
    return readings


def fractions(fields: Mapping[bytes, bytes]) -> dict[str, float]:
    """The hash holds other things too (the cancel hint); progress fields have colons in their names."""
    return {name.decode(): float(value) for name, value in fields.items() if b":" in name}


def slim(envelope: Envelope) -> Envelope:
    """The envelope without what no answer shows."""
    kept = slim_event(envelope.event)
    return envelope if kept is envelope.event else replace(envelope, event=kept)


def fold_on(view: JobView | None, envelopes: Sequence[Envelope]) -> JobView | None:
    """`view` after `envelopes`, slimmed; those it has seen are skipped. Raises HistoryGap, IllegalTransition."""
    return view_of(_unseen(view.version if view else 0, envelopes), view)


def _unseen(version: int, envelopes: Iterable[Envelope]) -> Iterator[Envelope]:
    for envelope in envelopes:
        if envelope.seq <= version:
            continue
        version += 1
        if envelope.seq != version:
            raise HistoryGap(f"job {envelope.job_id}: event {envelope.seq} doesn't follow version {version - 1}")
        yield slim(envelope)
