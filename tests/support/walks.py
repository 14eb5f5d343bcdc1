"""Random walks through a job's life, for properties: apt commands mixed with stale, doubled and senseless ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.decide import decide
from eventflow.domain.errors import DomainError
from eventflow.domain.evolve import evolve
from eventflow.domain.reprocess import reusable_scene
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import FailureCategory, ReprocessFrom, Step, VideoRequest, Work
from tests.support import stories as s

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@frozen
class Moment:
    """The job and its history after `events`, which `command` has led to."""

    command: Command
    events: list[ev.Event]
    job: Job
    history: list[ev.Event]


def walk(seed: int, steps: int = 60, *, folly: float = 0.3) -> Iterator[Moment]:
    """A moment for each command that was met. `folly` is the share of commands that are drawn blindly."""
    rng = Random(seed)
    job: Job | None = None
    history: list[ev.Event] = []
    past: list[Command] = []
    for _ in range(steps):
        command = _next(rng, job, past, folly)
        past.append(command)
        try:
            events = decide(job, command)
        except DomainError:
            continue
        for event in events:
            job = evolve(job, event)  # outside of the try: what is decided must be possible
        history += events
        if job is not None:
            yield Moment(command, events, job, list(history))


def _next(rng: Random, job: Job | None, past: list[Command], folly: float) -> Command:
    if job is None:
        return cmd.RequestVideo(VideoRequest(script="x", quality_levels=("720p",), retry_attempts=rng.randint(0, 3)))
    if rng.random() < folly:
        return rng.choice(past) if rng.random() < 0.4 else blind(rng)
    return rng.choice(apt(rng, job))


def apt(rng: Random, job: Job) -> list[Command]:
    """What workers and requesters would send now; sometimes a failure instead of a success."""
    if job.phase is Phase.DELETING:
        return [cmd.ConfirmDeletion(3)]
    if job.finished:
        return reprocesses(rng, job)
    if job.phase is Phase.CANCELLING:
        return [cmd.ConfirmCancellation()]
    if rng.random() < 0.15:
        return [fail(rng, work) for work in works_of(job)]
    if rng.random() < 0.15:
        return [lose(rng, work, job) for work in works_of(job)]
    return [command for work in works_of(job) for command in commands_of(work, job, rng.randint(1, 3))]


def works_of(job: Job) -> list[Work]:
    """The work that is waiting to be done, worked out from the state alone."""
    works = []
    if job.phase in (Phase.REQUESTED, Phase.PLANNING, Phase.RENDERING) and not job.all_scenes_planned:
        works.append(Work(step=Step.PLAN, scene=None, run=job.run))
    for index, scene in enumerate(job.scenes):
        if scene.status is SceneStatus.PLANNED:
            works.append(Work(step=Step.RENDER_SCENE, scene=index, run=scene.run))
        if scene.status is SceneStatus.RENDERED:
            works.append(Work(step=Step.UPLOAD_SCENE, scene=index, run=scene.run))
    if job.phase is Phase.ASSEMBLING:
        works.append(Work(step=Step.ASSEMBLE, scene=None, run=job.run))
    if job.phase is Phase.UPLOADING and not job.deliverables_uploaded:
        works.append(Work(step=Step.UPLOAD_VIDEO, scene=None, run=job.run))
    if job.phase is Phase.EXTRACTING:
        works.append(Work(step=Step.EXTRACT_METADATA, scene=None, run=job.run))
    return works


def commands_of(work: Work, job: Job, scenes: int = 2) -> list[Command]:
    """What the handler of `work` might send next; `scenes` is how many a new script has."""
    run, scene = work.run, work.scene or 0
    planning: list[Command] = [cmd.StartPlanning(run), s.announce(scenes, run)]
    if len(job.scenes) < (job.scene_count or 0):
        planning.append(_plan(len(job.scenes), job, run))
    fallback = cmd.RecordFallback(run=run, step=work.step, scene=work.scene, key="k", reason="gone", retry_count=3)
    by_step: dict[Step, list[Command]] = {
        Step.PLAN: planning,
        Step.RENDER_SCENE: [s.finish_scene(scene, run)],
        Step.UPLOAD_SCENE: [fallback, s.finish_scene_upload(scene, run)],
        Step.ASSEMBLE: [cmd.RecordDegradation(run, work.step, "no thumbnails"), s.finish_video(run)],
        Step.UPLOAD_VIDEO: [fallback, cmd.RecordDegradation(run, work.step, "lost"), s.finish_upload(run)],
        Step.EXTRACT_METADATA: [s.publish(run)],
    }
    return by_step[work.step]


def _plan(scene: int, job: Job, run: int) -> Command:
    reusable = reusable_scene(job, f"source {scene}", scene * 11)
    return (
        cmd.ReuseScene(run=run, scene=scene, title=f"Scene {scene}", reusable=reusable)
        if reusable
        else s.plan_scene(scene, run)
    )


def fail(rng: Random, work: Work) -> cmd.FailStep:
    category = rng.choice([*FailureCategory, FailureCategory.GENERATION, FailureCategory.STORAGE])
    retry_at = LATER if rng.random() < 0.8 else None
    return cmd.FailStep(step=work.step, scene=work.scene, run=work.run, failure=s.failure(category), retry_at=retry_at)


def lose(rng: Random, work: Work, job: Job | None = None) -> cmd.ReportLostArtefact:
    """A file is gone: of some scene, or one that nobody knows."""
    files = [f.key for s in (job.scenes if job else ()) for r in s.rendered for f in r.files]
    return cmd.ReportLostArtefact(
        step=work.step, scene=work.scene, run=work.run, keys=(rng.choice([*files, "jobs/j/unknown"]),)
    )


def reprocesses(rng: Random, job: Job) -> list[Command]:
    """Each stage that the job can be done again from, with some scenes or all."""
    found: list[Command] = []
    for stage in ReprocessFrom:
        some = tuple(i for i in range(len(job.scenes)) if rng.random() < 0.5)
        command = cmd.RequestReprocess(stage, rng.choice([None, some]))
        try:
            decide(job, command)
        except DomainError:
            continue
        found.append(command)
    return found or [cmd.RequestReprocess()]


def blind(rng: Random) -> Command:
    """Any command at all, of any run, about any scene."""
    run, scene = rng.randint(0, 3), rng.randint(-1, 3)
    work = Work(step=rng.choice(list(Step)), scene=rng.choice([None, scene]), run=run)
    return rng.choice(  # type: ignore[return-value]
        [
            cmd.RequestVideo(s.REQUEST),
            cmd.StartPlanning(run),
            s.announce(rng.randint(0, 3), run),
            s.plan_scene(scene, run),
            s.finish_scene(scene, run),
            s.finish_scene_upload(scene, run),
            s.finish_video(run),
            s.finish_upload(run),
            s.publish(run),
            cmd.RecordFallback(run=run, step=work.step, scene=work.scene, key="k", reason="gone", retry_count=3),
            cmd.RecordDegradation(run, work.step, "lost"),
            fail(rng, work),
            lose(rng, work),
            cmd.DeadLetterStep(step=work.step, scene=work.scene, run=work.run, reason="nobody knows it"),
            cmd.ConfirmCancellation(),
            *([cmd.RequestCancellation("no more")] if rng.random() < 0.1 else []),
            *([cmd.RequestReprocess(rng.choice(list(ReprocessFrom)))] if rng.random() < 0.3 else []),
        ]
    )
