"""Properties that hold after any storm. Each check is a pure function of the evidence that yields violations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

import orjson
from attrs import frozen

from eventflow.domain import events as ev
from eventflow.domain.errors import DomainError
from eventflow.domain.values import FailureCategory, Step
from eventflow.domain.view import JobView, view_of
from ops.chaos.evidence import Evidence, History
from ops.chaos.journal import Line
from web.readmodel.job_status import render_status

#: Events that end a step for good: at most one per scene and run.
_STEP_OF: Mapping[type[ev.Event], Step] = {
    ev.SceneRendered: Step.RENDER_SCENE,
    ev.SceneUploaded: Step.UPLOAD_SCENE,
    ev.VideoGenerated: Step.ASSEMBLE,
    ev.DeliverablesUploaded: Step.UPLOAD_VIDEO,
    ev.VideoPublished: Step.EXTRACT_METADATA,
}
#: Further events of which a run (and scene) has at most one.
_ONCE = (ev.ScriptPlanned, ev.ScenePlanned, ev.ScenesCompleted, ev.VideoUploaded, ev.JobFailed, ev.JobCancelled)
#: Categories of failures that the faults explain: workers died repeatedly, or a store was away for too long.
_EXPLAINED = (FailureCategory.RESOURCE, FailureCategory.STORAGE)


@frozen
class Violation:
    """A violation of the property that `check` names."""

    check: str
    what: str


def accepted_jobs_exist(e: Evidence) -> Iterator[str]:
    """Every 202 is in the log: the job, its cancellation, its reprocessing."""
    wanted = {"accepted": ev.VideoRequested, "cancel": ev.CancellationRequested, "reprocess": ev.ReprocessRequested}
    for promise in e.promises:
        history = e.histories.get(promise.job)
        kinds = [type(envelope.event) for envelope in history.envelopes[: promise.version]] if history else []
        if wanted[promise.what] not in kinds:
            yield f"{promise.job}: {promise.what} was answered with 202 at version {promise.version}; the log has none"


def every_job_ended(e: Evidence) -> Iterator[str]:
    """Every job is in a terminal phase."""
    for job, view in _views(e).items():
        if view is not None and not view.job.finished:
            yield f"{job} is {view.job.phase.value} at version {view.version}"


def failures_are_explained(e: Evidence) -> Iterator[str]:
    """A job fails only for a reason that the faults explain."""
    for job, view in _views(e).items():
        failed = view.job.failure if view else None
        if failed is not None and failed.failure.category not in _EXPLAINED:
            yield f"{job} failed as {failed.failure.code} in {failed.step.value}: {failed.failure.message[:200]}"


def histories_are_gapless(e: Evidence) -> Iterator[str]:
    """Entry ids and sequence numbers are 1, 2, 3, ..., and every history folds."""
    for job, history in e.histories.items():
        numbers = list(range(1, len(history.ids) + 1))
        if history.unreadable:
            yield f"{job}: {history.unreadable[0]}"
        elif [f"{n}-0" for n in numbers] != list(history.ids):
            yield f"{job} has entries {history.ids}"
        elif numbers != [envelope.seq for envelope in history.envelopes]:
            yield f"{job} has sequence numbers {[envelope.seq for envelope in history.envelopes]}"
        elif folded(history) is None:
            yield f"{job} doesn't fold: {[envelope.type for envelope in history.envelopes]}"


def nothing_is_committed_twice(e: Evidence) -> Iterator[str]:
    """No scene and run has an event twice that it may have once."""
    for job, history in e.histories.items():
        seen = Counter(
            (envelope.type, getattr(envelope.event, "scene", None), getattr(envelope.event, "run", 1))
            for envelope in history.envelopes
            if type(envelope.event) in _STEP_OF or isinstance(envelope.event, _ONCE)
        )
        for (kind, scene, run), times in seen.items():
            if times > 1:
                yield f"{job}: {times} times {kind} of scene {scene}, run {run}"


def only_the_owner_settles(e: Evidence) -> Iterator[str]:
    """An entry is settled once, by its latest delivery: a worker that has lost the entry commits nothing."""
    latest: dict[tuple[str, str], int] = {}
    settled: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in e.journal:
        key = line.stream, line.entry
        if line.what == "delivered":
            latest[key] = max(latest.get(key, 0), line.count)
        elif line.what == "settled":
            settled[key].append(line)
    for key, lines in settled.items():
        name, last = f"{lines[0].job}: entry {key[1]} of {key[0]}", latest.get(key, 0)
        if len(lines) > 1:
            yield f"{name} was settled {len(lines)} times"
        elif lines[0].count < last:
            yield f"{name} was settled by delivery {lines[0].count}, and there was a delivery {last}"


def journalled_commits_are_in_the_log(e: Evidence) -> Iterator[str]:
    """Every commit that a worker's journal notes is in the log."""
    for line in e.journal:
        if line.what in ("committed", "settled") and line.version:
            history = e.histories.get(line.job)
            there = len(history.ids) if history else 0
            if there < line.version:
                yield f"{line.job}: a worker committed version {line.version}; the log has {there}"


def done_work_was_journalled(e: Evidence) -> Iterator[str]:
    """Every step that is done in the log was finished by a worker, by its journal."""
    ended = {(line.job, line.step, line.scene, line.run) for line in e.journal if line.what == "end"}
    begun = {(line.job, line.step, line.scene, line.run) for line in e.journal if line.what == "begin"}
    for job, history in e.histories.items():
        for envelope in history.envelopes:
            step = _STEP_OF.get(type(envelope.event))
            if step is None:
                continue
            scene, run = getattr(envelope.event, "scene", None), getattr(envelope.event, "run", 1)
            # The handler publishes metadata before it ends.
            known = begun if step is Step.EXTRACT_METADATA else ended
            if (job, step.value, scene, run) not in known:
                yield f"{job}: {envelope.type} of scene {scene}, run {run} was journalled by no worker"


def served_is_the_fold(e: Evidence) -> Iterator[str]:
    """The status that the web app serves is the fold of the job's events."""
    for job, view in _views(e).items():
        served = e.served.get(job)
        if view is None or served is None:
            continue
        expected = orjson.loads(render_status(view, served.get("progress", 0.0)))
        if expected != served:
            wrong = [name for name in expected if expected[name] != served.get(name)]
            yield f"{job}: served {', '.join(wrong)} differ from the fold: {[served.get(name) for name in wrong]}"


def nothing_is_pending(e: Evidence) -> Iterator[str]:
    """No entry is pending, undelivered, delayed, or in a retry stream."""
    for p in e.leftovers.pending:
        yield f"entry {p.entry} of {p.stream} is pending for {p.consumer} of {p.group}, delivery {p.count}"
    yield from e.leftovers.undelivered
    if e.leftovers.delayed:
        yield f"{e.leftovers.delayed} delayed retries"
    if e.leftovers.retries:
        yield f"{e.leftovers.retries} entries in retry streams"


def no_consumer_is_left(e: Evidence) -> Iterator[str]:
    """Every drained worker has removed its consumers."""
    for stream, group, name in e.leftovers.consumers:
        yield f"consumer {name} of {group} on {stream}"


def no_dead_letters(e: Evidence) -> Iterator[str]:
    """Every entry can be handled: a dead letter is a defect."""
    for fields in e.leftovers.dead_letters:
        yield f"{fields.get('stream')} {fields.get('entry')}: {fields.get('reason') or 'without a reason'}"


def workers_drain(e: Evidence) -> Iterator[str]:
    """Every worker ends with 0 after SIGTERM."""
    for name, code in e.exit_codes.items():
        if code != 0:
            yield f"{name} ended with exit code {code} after SIGTERM"


def files_are_there(e: Evidence) -> Iterator[str]:
    """Every file of a published job is stored with the bytes that the log says."""
    yield from e.bad_files


CHECKS: Mapping[str, Callable[[Evidence], Iterator[str]]] = {
    "what was promised is in the log": accepted_jobs_exist,
    "every job has ended": every_job_ended,
    "failures have a cause": failures_are_explained,
    "histories are gapless and fold": histories_are_gapless,
    "nothing is committed twice": nothing_is_committed_twice,
    "only the owner of an entry settles it": only_the_owner_settles,
    "what workers committed is in the log": journalled_commits_are_in_the_log,
    "what is done was done by a worker": done_work_was_journalled,
    "what is served is the fold": served_is_the_fold,
    "nothing is pending or delayed": nothing_is_pending,
    "workers drain and end": workers_drain,
    "no consumer is left": no_consumer_is_left,
    "nothing is parked": no_dead_letters,
    "the files are there": files_are_there,
}


def violations(evidence: Evidence) -> list[Violation]:
    """Return the violations of all properties."""
    return [Violation(name, what) for name, check in CHECKS.items() for what in check(evidence)]


def folded(history: History) -> JobView | None:
    """Return the view of a history, or None if it doesn't fold."""
    try:
        return view_of(history.envelopes)
    except (DomainError, LookupError):
        return None


def _views(e: Evidence) -> dict[str, JobView | None]:
    return {job: folded(history) for job, history in e.histories.items()}
