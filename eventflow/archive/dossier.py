"""What has to be known of a history before it may leave the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from eventflow.codec import Codec, DecodeError
from eventflow.domain.errors import DomainError
from eventflow.log.records import JobRecord, advance
from eventflow.topics import ARCHIVE_TOPICS, TOPIC_OF


class Unfit(Exception):
    """A history that can't be read or doesn't fold; the message says where."""


@frozen
class Dossier:
    """A history as it was read: `outcome_seq` is the last outcome's place in it, 0 where the job isn't finished.

    `last` is its last event, encoded.
    """

    job_id: str
    owner: str
    created: datetime
    version: int
    outcome_seq: int
    last: bytes
    deleted: bool = False


def dossier_of(codec: Codec, history: Sequence[bytes]) -> Dossier:
    """Decode and fold a whole history (not empty). Raises Unfit."""
    record: JobRecord | None = None
    created: datetime | None = None
    outcome_seq = 0
    try:
        for raw in history:
            envelope = codec.decode(raw)
            if record is not None and envelope.job_id != record.id:
                raise LookupError(f"event {envelope.seq} is one of job {envelope.job_id}")
            record = advance(record, envelope)
            created = created or envelope.occurred_at
            if TOPIC_OF.get(type(envelope.event)) in ARCHIVE_TOPICS:
                outcome_seq = envelope.seq
    except (DecodeError, DomainError, LookupError) as error:
        place = f"job {record.id} after version {record.version}" if record else "the first event"
        raise Unfit(f"{place}: {error}") from error
    if record is None or created is None:
        raise Unfit("a history has at least one event")
    seq = outcome_seq if record.job.finished else 0
    return Dossier(record.id, record.owner, created, record.version, seq, history[-1], record.job.gone)
