"""What a job's history says and what is served can differ in; each difference knows what mends it, if anything does.

Differences are values: one that two looks in a row find is real, one that only the first finds was work on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

from eventflow.domain.progress import progress_field
from eventflow.domain.state import Job, Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import Step
from ops.replay.feed_check import FeedRepair
from ops.replay.outstanding import Outstanding
from ops.replay.scan import Due, JobSnapshot
from ops.replay.served import ServedRepair


class Kind(StrEnum):
    HISTORY = "history"  #: can't be decoded or folded, or isn't gapless
    MISSING = "missing"  #: others name the job, and its stream is gone
    STALLED = "stalled"  #: work is due that nobody will ever be handed
    STUCK = "stuck"  #: unfinished, and nothing is due
    LIMBO = "limbo"  #: to be cancelled, and nobody holds a delivery that would confirm it
    FEED = "feed"  #: the feed doesn't name every version once and in order
    LIVE = "live"  #: the live hash has what doesn't belong to the job's present run
    SERVED = "served"  #: a web process answers something else


@frozen
class LiveRepair:
    """Fields to take out of the live hash, and whether to set the cancel hint."""

    remove: tuple[str, ...]
    cancel: bool


@frozen
class Redelivery:
    """Send `payload`, the event `type` at version `seq`, to the retry stream of `group` for `topic`."""

    seq: int
    type: str
    group: str
    topic: Topic
    payload: bytes


@frozen
class Confirmation:
    """Record that the job is cancelled, which nobody else will."""


Repair = FeedRepair | LiveRepair | Redelivery | Confirmation | ServedRepair


@frozen
class Difference:
    """One thing that is wrong with the job at `version`. Without `mend` it takes a person: `detail` says what."""

    job_id: str
    version: int
    kind: Kind
    detail: str
    mend: Repair | None = None


def of_history(look: JobSnapshot, live: Mapping[str, str], *, named: bool) -> list[Difference]:
    """Of a job without a good history. `named`: whether the feed names it."""
    if not look.missing:
        return [Difference(look.id, look.version, Kind.HISTORY, look.reason)]
    found = []
    if named or not live:
        detail = "there is no stream of this job; restore it from an archive or a backup"
        found.append(Difference(look.id, 0, Kind.MISSING, detail))
    if live:
        mend = LiveRepair(tuple(sorted(live)), cancel=False)
        found.append(Difference(look.id, 0, Kind.LIVE, "there is a live hash of a job that isn't there", mend))
    return found


def of_work(look: JobSnapshot, coming: Outstanding) -> list[Difference]:
    """Whether somebody will be handed what is due. What is parked waits for `eventflow parked redrive`."""
    job = look.job
    if job is None or job.finished:
        return []
    if look.cancelling:
        held = look.id in coming.coming
        detail = "asked to be cancelled, and no delivery is left whose worker would confirm it"
        return [] if held else [Difference(look.id, look.version, Kind.LIMBO, detail, Confirmation())]
    if job.phase is Phase.DELETING:  # its files are removed after an outcome, which is no step of the job
        return []
    if not look.due:
        detail = f"{job.phase.value}, and nothing is due: cancel it, or cancel and reprocess it"
        return [Difference(look.id, look.version, Kind.STUCK, detail)]
    lost = [due for due in look.due if not coming.has(look.id, due.seq)]
    return [Difference(look.id, look.version, Kind.STALLED, _stalled(due), _again(due)) for due in lost]


def _stalled(due: Due) -> str:
    return f"{due.type} at version {due.seq} is on no way to group {due.group}"


def _again(due: Due) -> Redelivery:
    return Redelivery(due.seq, due.type, due.group, due.topic, due.payload)


def of_feed(look: JobSnapshot, mend: FeedRepair | None) -> list[Difference]:
    return [Difference(look.id, look.version, Kind.FEED, str(mend), mend)] if mend else []


def of_served(look: JobSnapshot, mend: ServedRepair | None) -> list[Difference]:
    return [Difference(look.id, look.version, Kind.SERVED, str(mend), mend)] if mend else []


def of_live(look: JobSnapshot, live: Mapping[str, str], seconds: int) -> list[Difference]:
    """`live` is the job's live hash, which the server forgets in `seconds` (negative: never, or there is none)."""
    job = look.job
    if job is None:
        return []
    remove = tuple(sorted(name for name, value in live.items() if not _belongs(job, name, value, seconds)))
    cancel = look.cancelling and "cancel" not in live
    if not remove and not cancel:
        return []
    told = [f"doesn't belong there: {', '.join(remove)}"] if remove else []
    told += ["the cancel hint is missing"] if cancel else []
    return [Difference(look.id, look.version, Kind.LIVE, "; ".join(told), LiveRepair(remove, cancel))]


#: Or may have, before they were to be deleted.
_ENDED_EARLY = (Phase.FAILED, Phase.CANCELLED, Phase.DELETING)


def _belongs(job: Job, name: str, value: str, seconds: int) -> bool:
    if name == "cancel":  # a job that ended early leaves its hint for a while, so that every worker hears of it
        return job.phase is Phase.CANCELLING or (job.phase in _ENDED_EARLY and seconds >= 0)
    return not job.finished and name in _fields(job) and _is_fraction(value)


def _fields(job: Job) -> set[str]:
    """The names under which steps of the present run report how far they are."""
    whole = {progress_field(step, None, job.run) for step in Step}
    scenes = (
        progress_field(step, index, scene.run)
        for index, scene in enumerate(job.scenes)
        for step in (Step.RENDER_SCENE, Step.UPLOAD_SCENE)
    )
    return whole.union(scenes)


def _is_fraction(value: str) -> bool:
    try:
        return 0.0 <= float(value) <= 1.0
    except ValueError:
        return False
