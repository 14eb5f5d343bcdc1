"""Differences between a job's history and derived data; each knows its repair, if there is one.

Differences are values: one that two inspections in a row find is real; one that only the first finds was in progress.
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


class DifferenceKind(StrEnum):
    HISTORY = "history"  #: it can't be decoded or folded, or has a gap
    MISSING = "missing"  #: the feed or a live hash names the job, but it has no stream
    STALLED = "stalled"  #: work is due, and no delivery of it is left
    STUCK = "stuck"  #: the job is unfinished, and no work is due
    LIMBO = "limbo"  #: the job is to be cancelled, and no delivery is left that would confirm it
    FEED = "feed"  #: the feed doesn't name every version once and in order
    LIVE = "live"  #: the live hash has fields that aren't of the job's present run
    SERVED = "served"  #: a web process serves another status


@frozen
class LiveRepair:
    """Fields to remove from the live hash, and whether to set the cancel hint."""

    remove: tuple[str, ...]
    cancel: bool


@frozen(kw_only=True)
class Redelivery:
    """Send `payload`, the event `type` at version `seq`, to the retry stream of `group` for `topic`."""

    seq: int
    type: str
    group: str
    topic: Topic
    payload: bytes


@frozen
class Confirmation:
    """Record that the job is cancelled, because no delivery is left that would."""


Repair = FeedRepair | LiveRepair | Redelivery | Confirmation | ServedRepair


@frozen(kw_only=True)
class Difference:
    """One fault of the job at `version`. Without `repair` it needs an operator: `detail` says what to do."""

    job_id: str
    version: int
    kind: DifferenceKind
    detail: str
    repair: Repair | None = None


def of_history(look: JobSnapshot, live: Mapping[str, str], *, named: bool) -> list[Difference]:
    """Differences of a job without a sound history. `named`: whether the feed names it."""
    if not look.missing:
        return [Difference(job_id=look.id, version=look.version, kind=DifferenceKind.HISTORY, detail=look.reason)]
    found = []
    if named or not live:
        detail = "the job has no stream: restore it from an archive or a backup"
        found.append(Difference(job_id=look.id, version=0, kind=DifferenceKind.MISSING, detail=detail))
    if live:
        repair = LiveRepair(tuple(sorted(live)), cancel=False)
        found.append(
            Difference(
                job_id=look.id,
                version=0,
                kind=DifferenceKind.LIVE,
                detail="a live hash of a job that doesn't exist",
                repair=repair,
            )
        )
    return found


def of_work(look: JobSnapshot, coming: Outstanding) -> list[Difference]:
    """Whether due work will be delivered. Dead letters wait for `eventflow dead-letters redrive`."""
    job = look.job
    if job is None or job.finished:
        return []
    if look.cancelling:
        held = look.id in coming.coming
        detail = "cancellation requested, and no delivery is left whose worker would confirm it"
        return (
            []
            if held
            else [
                Difference(
                    job_id=look.id,
                    version=look.version,
                    kind=DifferenceKind.LIMBO,
                    detail=detail,
                    repair=Confirmation(),
                )
            ]
        )
    if job.phase is Phase.DELETING:  # files are removed after an outcome, without a step of the job
        return []
    if not look.due:
        detail = f"{job.phase.value}, and nothing is due: cancel it, or cancel and reprocess it"
        return [Difference(job_id=look.id, version=look.version, kind=DifferenceKind.STUCK, detail=detail)]
    lost = [due for due in look.due if not coming.has(look.id, due.seq)]
    return [
        Difference(
            job_id=look.id, version=look.version, kind=DifferenceKind.STALLED, detail=_stalled(due), repair=_again(due)
        )
        for due in lost
    ]


def _stalled(due: Due) -> str:
    return f"{due.type} at version {due.seq} isn't delivered to group {due.group}"


def _again(due: Due) -> Redelivery:
    return Redelivery(seq=due.seq, type=due.type, group=due.group, topic=due.topic, payload=due.payload)


def of_feed(look: JobSnapshot, repair: FeedRepair | None) -> list[Difference]:
    """The difference that `repair` would repair in the feed, if any."""
    return (
        [Difference(job_id=look.id, version=look.version, kind=DifferenceKind.FEED, detail=str(repair), repair=repair)]
        if repair
        else []
    )


def of_served(look: JobSnapshot, repair: ServedRepair | None) -> list[Difference]:
    """The difference that `repair` would repair in the web processes, if any."""
    return (
        [
            Difference(
                job_id=look.id, version=look.version, kind=DifferenceKind.SERVED, detail=str(repair), repair=repair
            )
        ]
        if repair
        else []
    )


def of_live(look: JobSnapshot, live: Mapping[str, str], seconds: int) -> list[Difference]:
    """`live` is the job's live hash, which expires in `seconds` (negative: never, or there is none)."""
    job = look.job
    if job is None:
        return []
    remove = tuple(sorted(name for name, value in live.items() if not _belongs(job, name, value, seconds)))
    cancel = look.cancelling and "cancel" not in live
    if not remove and not cancel:
        return []
    faults = [f"fields of no present step: {', '.join(remove)}"] if remove else []
    faults += ["the cancel hint is missing"] if cancel else []
    return [
        Difference(
            job_id=look.id,
            version=look.version,
            kind=DifferenceKind.LIVE,
            detail="; ".join(faults),
            repair=LiveRepair(remove, cancel),
        )
    ]


#: Phases after an early end; a job that is being deleted may have ended early.
_ENDED_EARLY = (Phase.FAILED, Phase.CANCELLED, Phase.DELETING)


def _belongs(job: Job, name: str, value: str, seconds: int) -> bool:
    if name == "cancel":  # kept for an hour after an early end, so that every worker sees it
        return job.phase is Phase.CANCELLING or (job.phase in _ENDED_EARLY and seconds >= 0)
    return not job.finished and name in _fields(job) and _is_fraction(value)


def _fields(job: Job) -> set[str]:
    """The names under which steps of the present run report their progress."""
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
