"""What holds whatever happens: random walks, and workers that deliver twice, fail, and come in any order."""

from collections import Counter
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.decide import decide, decide_all
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.evolve import evolve, fold
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import Step, VideoRequest, Work
from eventflow.domain.work import still_due, work_of
from tests.support import stories as s
from tests.support.walks import LATER, commands_of, walk, works_of

SEEDS = st.integers(0, 2**32)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_what_is_decided_can_happen(seed: int) -> None:
    """`walk` lets every decision happen; the history then folds to the same job again."""
    *_, last = walk(seed)
    assert fold(last.history) == last.job


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.data())
def test_a_run_of_events_folds_as_one_after_the_other_does(seed: int, data: st.DataObject) -> None:
    """From any place on; and the job that it began with stays what it was, also where the run can't be."""
    *_, last = walk(seed)
    place = data.draw(st.integers(0, len(last.history)))
    jobs: list[Job | None] = [None]
    for event in last.history:
        jobs.append(evolve(jobs[-1], event))
    begun = jobs[place]
    before = repr(begun)
    assert fold(last.history[place:], begun) == jobs[-1]
    with pytest.raises(IllegalTransition):
        fold([*last.history[place:], ev.VideoRequested(VideoRequest(script="again"))], begun)
    assert repr(begun) == before


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_deciding_twice_changes_nothing(seed: int) -> None:
    """A handler's command that has had its effect has no second one (failing, parking and planning may)."""
    repeatable = cmd.FailStep | cmd.DeadLetterStep | cmd.StartPlanning | cmd.RecordFallback | cmd.RecordDegradation
    for moment in walk(seed):
        requester = isinstance(moment.command, cmd.RequestVideo | cmd.RequestReprocess | cmd.RequestCancellation)
        if moment.events and not requester and not isinstance(moment.command, repeatable):
            assert decide(moment.job, moment.command) == []


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_an_active_job_is_never_stuck(seed: int) -> None:
    """Some event of its history calls for work that is still due, and nothing else is."""
    for moment in walk(seed):
        called_for = {work_of(event) for event in moment.history} - {None}
        due = {work for work in called_for if work and still_due(moment.job, work)}
        assert bool(due) == moment.job.active
        assert due == (set(works_of(moment.job)) if moment.job.active else set())


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_work_is_due_exactly_while_decide_would_take_it(seed: int) -> None:
    for moment in walk(seed, 40):
        job = moment.job
        for step, scene, run in product(Step, (None, 0, 1), (job.run - 1, job.run)):
            work = Work(step=step, scene=scene, run=run)
            failed = decide(job, cmd.FailStep(step=step, scene=scene, run=run, failure=s.failure(), retry_at=LATER))
            assert bool(failed) == still_due(job, work)
            whole = step is Step.ASSEMBLE and not job.scenes  # a video in one piece ends the planning step
            if not failed and not whole and (scene is None) == (step not in (Step.RENDER_SCENE, Step.UPLOAD_SCENE)):
                assert decide_all(job, commands_of(work, job))[0] == []


class Workers:
    """Does whatever is due in an arbitrary order; repeats old commands; loses attempts; until nothing is left."""

    def __init__(self, scenes: int, rng: Random) -> None:
        self.rng = rng
        self.history: list[ev.Event] = s.planned(scenes)
        self.past: list[Command] = []
        self.failures = rng.choice([0.0, 0.1, 0.5])

    def run(self) -> Job:
        job = fold(self.history)
        assert job is not None
        while not job.finished:
            command = self._next(job)
            self.past.append(command)
            for event in decide(job, command):
                job = evolve(job, event)
                self._check(job, event)
                self.history.append(event)
        return job

    def _next(self, job: Job) -> Command:
        if self.past and self.rng.random() < 0.3:
            return self.rng.choice(self.past)
        work = self.rng.choice(works_of(job))
        scenes_work = work.step in (Step.RENDER_SCENE, Step.UPLOAD_SCENE)
        if scenes_work and self.rng.random() < self.failures:
            return cmd.FailStep(step=work.step, scene=work.scene, run=work.run, failure=s.failure(), retry_at=LATER)
        return commands_of(work, job)[-1]

    def _check(self, job: Job, event: ev.Event) -> None:
        statuses = {scene.status for scene in job.scenes}
        if isinstance(event, ev.ScenesCompleted):
            assert statuses <= {SceneStatus.RENDERED, SceneStatus.UPLOADED}
        if isinstance(event, ev.VideoUploaded):
            assert statuses == {SceneStatus.UPLOADED}
            assert job.deliverables_uploaded
        if isinstance(event, ev.JobFailed):
            assert statuses <= {SceneStatus.UPLOADED, SceneStatus.FAILED}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), SEEDS)
def test_fan_in_happens_once(scenes: int, seed: int) -> None:
    workers = Workers(scenes, Random(seed))
    job = workers.run()
    count = Counter(type(event) for event in workers.history)
    for index in range(scenes):
        assert sum(isinstance(e, ev.SceneRendered) and e.scene == index for e in workers.history) <= 1
        assert sum(isinstance(e, ev.SceneUploaded) and e.scene == index for e in workers.history) <= 1
    assert count[ev.ScenesCompleted] <= 1
    assert count[ev.VideoUploaded] == count[ev.VideoPublished] == 1 - count[ev.JobFailed]
    if job.phase is Phase.COMPLETED:
        assert count[ev.SceneRendered] == count[ev.SceneUploaded] == scenes
        assert count[ev.ScenesCompleted] == count[ev.VideoGenerated] == 1
    else:
        assert isinstance(workers.history[-1], ev.JobFailed)
