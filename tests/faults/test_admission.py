"""Who may begin, and when: owners in turn, two lanes, a limit of jobs in progress, and nobody forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventflow.domain import commands as cmd
from eventflow.domain.state import Phase
from eventflow.domain.values import Lane, ReprocessFrom, Step
from eventflow.log.codec import Codec
from eventflow.log.event_store import JobEventStore
from eventflow.runtime.context import StepContext
from tests.support.crew import Crew
from tests.support.line import CANCELLED, COMPLETED, FAILED, Line, line_up
from tests.support.log_server import LogServer
from tests.support.runtime import CAUSE, CHAIN, Chain, Runs, Space, gapless, utc_now, working
from tests.support.waiting import wait_until

PLAN_AGAIN = cmd.RequestReprocess(ReprocessFrom.PLANNING)


@pytest.fixture
async def one(shared_server: LogServer) -> AsyncIterator[Line]:
    """One job in progress at a time."""
    async with line_up(shared_server.url, 1) as line:
        yield line


@pytest.fixture
async def two(shared_server: LogServer) -> AsyncIterator[Line]:
    async with line_up(shared_server.url, 2) as line:
        yield line


async def test_one_owners_500_jobs_do_not_delay_anothers_one(two: Line) -> None:
    """It is the next but one at most."""
    await asyncio.gather(*(two.ask("ann") for _ in range(500)))
    await two.end((await two.in_progress()).pop())
    bobs = await two.ask("bob")
    for job_id in await two.in_progress():
        await two.end(job_id)
    assert bobs in await two.in_progress()
    assert len(await two.waiting()) == 496


async def test_owners_take_turns_and_within_a_round_the_first_come(one: Line) -> None:
    running, ann2, ann3, ann4, bob1, bob2, cid1 = [
        await one.ask(owner) for owner in ("ann", "ann", "ann", "ann", "bob", "bob", "cid")
    ]
    assert await one.delivered() == [running]
    assert await one.one_by_one() == [ann2, bob1, cid1, ann3, bob2, ann4]


async def test_newcomer_waits_for_one_round_not_for_those_before_it(one: Line) -> None:
    """Rounds that are over aren't made up for: nobody gains by not having asked."""
    anns = [await one.ask("ann") for _ in range(20)]
    for job_id in anns[:10]:
        await one.end(job_id)
    bobs = [await one.ask("bob") for _ in range(3)]
    expected = [anns[11], bobs[0], anns[12], bobs[1], anns[13], bobs[2], *anns[14:]]
    assert await one.one_by_one() == expected


async def test_high_lane_goes_first_and_normal_is_not_starved(one: Line) -> None:
    """One admission in four looks at the normal lane first."""
    await one.ask("ann")
    normal = [await one.ask("ann") for _ in range(3)]
    high = [await one.ask("bob", Lane.HIGH) for _ in range(9)]
    admitted = await one.one_by_one()
    assert admitted == [*high[:3], normal[0], *high[3:6], normal[1], *high[6:], normal[2]]
    assert set(await one.delivered(Lane.HIGH)) == set(high)


@pytest.mark.parametrize("end", [COMPLETED, FAILED, CANCELLED], ids=["completed", "failed", "cancelled"])
async def test_end_gives_the_place_to_the_next(one: Line, end: Sequence[cmd.Command]) -> None:
    first, second, third = [await one.ask("ann") for _ in range(3)]
    await one.end(first, end)
    assert await one.in_progress() == {second}
    await one.end(second, end)
    await one.end(third, end)
    assert await one.in_progress() == set()
    assert await one.delivered() == [first, second, third]


async def test_running_job_that_is_cancelled_keeps_its_place_until_it_has_ended(one: Line) -> None:
    running, next_one = await one.ask("ann"), await one.ask("ann")
    await one.end(running, [cmd.StartPlanning(1), *CANCELLED])
    assert await one.in_progress() == {running}
    await one.end(running, [cmd.ConfirmCancellation()])
    assert await one.in_progress() == {next_one}


async def test_waiting_job_that_is_cancelled_ends_at_once_and_is_never_delivered(one: Line) -> None:
    running, regretted, next_one = [await one.ask("ann") for _ in range(3)]
    await one.end(regretted, CANCELLED)
    assert (await one.space.job(regretted)).phase is Phase.CANCELLED
    assert await one.waiting() == [next_one]
    await one.end(running)
    assert await one.delivered() == [running, next_one]
    assert await one.in_progress() == {next_one}


async def test_cancelled_jobs_do_not_push_back_what_their_owner_asks_for_next(one: Line) -> None:
    """Fifty by mistake, taken back: the owner's next turn is the first again."""
    running = await one.ask("ann")
    bobs = [await one.ask("bob") for _ in range(3)]
    for job_id in [await one.ask("ann") for _ in range(50)]:
        await one.end(job_id, CANCELLED)
    again = await one.ask("ann")
    await one.end(running)
    assert await one.one_by_one() == [again, *bobs[1:]]


async def test_rounds_begin_anew_when_nobody_waits(one: Line) -> None:
    running = await one.ask("ann")
    for job_id in [await one.ask("ann") for _ in range(5)]:
        await one.end(job_id, CANCELLED)
    assert not await one.space.redis.exists(one.space.keys.base + "rounds:normal")
    await one.end(running)
    assert await one.in_progress() == set()


async def test_reprocess_from_planning_waits_in_turn(one: Line) -> None:
    done = await one.ask("ann")
    await one.end(done)
    running, before = await one.ask("ann"), await one.ask("ann")
    await one.space.do(done, PLAN_AGAIN)
    assert await one.waiting() == [before, done]
    await one.end(running)
    await one.end(before)
    assert await one.in_progress() == {done}
    assert (await one.delivered())[-1] == done


async def test_waiting_reprocess_is_cancelled_at_once(one: Line) -> None:
    done = await one.ask("ann")
    await one.end(done)
    await one.ask("ann")
    await one.space.do(done, PLAN_AGAIN)
    await one.end(done, CANCELLED)
    assert (await one.space.job(done)).phase is Phase.CANCELLED
    assert await one.waiting() == []


async def test_reprocess_from_a_later_stage_counts_without_waiting(one: Line) -> None:
    """Somebody asks for it by name, and most of the work is done; but its place is taken."""
    done = await one.ask("ann")
    await one.end(done)
    running, waiting = await one.ask("bob"), await one.ask("bob")
    await one.space.do(done, cmd.RequestReprocess(ReprocessFrom.METADATA))
    assert await one.in_progress() == {running, done}
    await one.end(running)
    assert await one.waiting() == [waiting]
    await one.end(done, [cmd.PublishVideo(2, ())])
    assert await one.in_progress() == {waiting}


async def test_job_in_progress_that_is_planned_again_does_not_wait_for_itself(one: Line) -> None:
    """Its plan was lost: it holds the only place, and has others wait behind it."""
    job_id, waiting = await one.ask("ann"), await one.ask("bob")
    lost = cmd.ReportLostArtefact(step=Step.PLAN, scene=None, run=1, keys=("jobs/x/plan.json",))
    await one.space.do(job_id, cmd.StartPlanning(1), lost)
    assert await one.space.types(job_id) == ["VideoRequested", "PlanningStarted", "ArtefactLost", "ReprocessRequested"]
    assert await one.delivered() == [job_id, job_id]
    assert await one.in_progress() == {job_id}
    assert await one.waiting() == [waiting]


async def test_limit_is_never_passed_by_many_at_once(shared_server: LogServer) -> None:
    """Eight processes' worth of logs ask and end at once; nobody is forgotten."""
    limit, each = 5, 25
    async with line_up(shared_server.url, limit) as line:
        logs = [_another_log(line) for _ in range(8)]
        most = 0

        async def busy(log: JobEventStore, owner: str) -> None:
            nonlocal most
            mine = Line(Space(line.space.url, line.space.redis, log, line.space.keyspace), limit)
            for _ in range(each):
                await mine.ask(owner)
                most = max(most, len(await mine.in_progress()))
                for job_id in list(await mine.in_progress())[:1]:
                    await log.execute(
                        job_id, [cmd.FinishVideo(run=1, videos=(), thumbnails=())], CAUSE
                    )  # a second end decides nothing
                    await log.execute(job_id, COMPLETED[1:], CAUSE)
                most = max(most, len(await mine.in_progress()))

        await asyncio.gather(*(busy(log, f"owner{n}") for n, log in enumerate(logs)))
        assert most == limit
        while running := await line.in_progress():
            await line.end(running.pop())
        assert await line.waiting() == []
        jobs = await line.delivered()
        assert len(jobs) == len(set(jobs)) == 8 * each


async def test_higher_limit_admits_those_that_wait(shared_server: LogServer) -> None:
    """Without any job's end: the sweep of a worker with the new limit does it."""
    runs, go = Runs(), asyncio.Event()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.job_id] += 1
        await go.wait()

    async with line_up(shared_server.url, 1) as line:
        jobs = [await line.ask("ann") for _ in range(6)]
        group = Chain(render).groups[0]
        async with working(line.space, group, concurrency=6, lease_s=1, most_in_progress=4):
            await wait_until(lambda: len(runs.began) == 4)
            assert set(runs.began) == set(jobs[:4])
            assert await line.waiting() == jobs[4:]
            go.set()


async def test_killed_worker_and_killed_server_lose_nobody_who_waits(own_server: LogServer, crew: Crew) -> None:
    limit, owners = 3, ("ann", "bob", "cid")
    options = ("--seconds", "0.02", "--concurrency", "4", "--lease", "1", "--in-progress", str(limit))
    async with line_up(own_server.url, limit) as line:
        space = line.space
        doomed = crew(space, "chain", *options)
        jobs = [await line.ask(owner) for owner in owners * 12]
        await space.synced()
        await wait_until(lambda: _more_delivered(line, 8))
        doomed.process.kill()
        own_server.kill()
        await asyncio.to_thread(own_server.start)
        assert len(await line.in_progress()) <= limit
        assert set(jobs) == set(chain(await line.delivered(), await line.waiting()))
        crew(space, "chain", *options)
        await wait_until(lambda: space.ended(*jobs), 60, what="all jobs have ended")
        for job_id in jobs:
            history = await space.history(job_id)
            assert [envelope.type for envelope in history] == CHAIN
            assert gapless(history)
        assert await line.in_progress() == set()


def _another_log(line: Line) -> JobEventStore:
    space = line.space
    return JobEventStore(
        space.redis, codec=Codec(), keyspace=space.keyspace, clock=utc_now, most_in_progress=line.limit
    )


async def _more_delivered(line: Line, count: int) -> bool:
    return len(await line.delivered()) > count


class Model:
    """Start-time fair queueing as in the paper, with one server and jobs of length 1: each job has a start tag, the
    later of the virtual time and its owner's last finish tag; the virtual time is the start tag in service."""

    def __init__(self) -> None:
        self.virtual, self.finish = 0, dict[str, int]()
        self.line: list[tuple[int, int, str]] = []

    def ask(self, owner: str, arrival: int, job_id: str) -> None:
        start = max(self.virtual, self.finish.get(owner, 0))
        self.finish[owner] = start + 1
        self.line.append((start, arrival, job_id))

    def next(self) -> str:
        first = min(self.line)
        self.line.remove(first)
        self.virtual = first[0] + 1
        return first[2]


@settings(max_examples=30)
@given(asked=st.lists(st.sampled_from(["ann", "bob", "cid", None]), max_size=40))
def test_order_is_that_of_start_time_fair_queueing(shared_server: LogServer, asked: list[str | None]) -> None:
    """Any sequence of requests (by owner) and of ends (None)."""
    asyncio.run(_as_the_model(shared_server.url, asked))


async def _as_the_model(url: str, asked: list[str | None]) -> None:
    model, admitted = Model(), list[str]()
    async with line_up(url, 1) as line:
        running = admitted_first = await line.ask("zoe")
        for arrival, owner in enumerate([*asked, *[None] * len(asked)]):
            if owner is not None:
                model.ask(owner, arrival, await line.ask(owner))
            elif model.line:
                await line.end(running)
                running = model.next()
                admitted.append(running)
        assert await line.delivered() == [admitted_first, *admitted]
