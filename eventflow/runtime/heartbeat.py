"""What the heartbeat says of a delivery, and whom its answer concerns."""

from __future__ import annotations

from eventflow.domain.view import progress_field
from eventflow.log.consume import Renewal
from eventflow.runtime.held import Held
from eventflow.topics import TOPIC_OF, Topic


def renewal_of(held: Held) -> Renewal:
    envelope, reaction = held.envelope, held.reaction
    job_id = envelope.job_id if envelope else "-"
    if reaction is None or reaction.work is None or reaction.fraction == held.reported:
        return Renewal(held.delivery.claim, job_id, "", None)
    held.reported = reaction.fraction
    work = reaction.work
    return Renewal(held.delivery.claim, job_id, progress_field(work.step, work.scene, work.run), reaction.fraction)


def follows_the_end(held: Held) -> bool:
    """Whether it tells of the job's end or deletion, and so isn't stopped by it."""
    return held.envelope is not None and TOPIC_OF.get(type(held.envelope.event)) in (Topic.OUTCOME, Topic.DELETION)
