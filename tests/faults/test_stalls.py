"""Workers that stand still and come back, beside those that die: only of the latter does a job fail."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from eventflow.domain.topics import Topic
from eventflow.log.commit import Commit
from eventflow.log.connection import connect
from eventflow.log.consumer import LOST, MAX_DEATHS, SILENT_LEASES, Delivery, GroupMember, Renewal
from eventflow.runtime.context import StepContext
from eventflow.runtime.retry_policy import MAX_DELIVERIES
from tests.support.crew import Crew
from tests.support.runtime import Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until
from tests.support.worker_program import WorkerProcess

LEASE_MS = 1_000


async def test_healthy_worker_may_stand_still_again_and_again(space: Space, crew: Crew) -> None:
    """Two processes; the one that works is stopped for longer than its lease, until the other has the entry. Six times
    nobody dies, and the job is done in the end."""
    workers = [crew(space, "slow", "--seconds", "60", "--lease", "0.5") for _ in range(2)]
    by_pid = {worker.pid: worker for worker in workers}
    job_id = await space.submit_scenes(1)
    for stalls in range(6):
        at_work = by_pid[await wait_until(lambda stalls=stalls: _beginner(crew, stalls))]  # type: ignore[arg-type,misc]
        at_work.signal(signal.SIGSTOP)
        other = next(worker for worker in workers if worker is not at_work)
        await wait_until(lambda other=other, stalls=stalls: _beginner(crew, stalls + 1) == other.pid)  # type: ignore[misc]
        at_work.signal(signal.SIGCONT)
        losses = stalls // 2 + 1
        await wait_until(lambda at_work=at_work, losses=losses: _losses(at_work) == losses, what="the lost step's end")  # type: ignore[misc]
    for worker in workers:
        worker.signal(signal.SIGKILL)  # two deaths more are no third one
    async with working(space, scenes_group(_nothing), lease_s=0.5):
        await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    assert "StepFailed" not in await space.types(job_id)
    assert gapless(await space.history(job_id))
    assert await space.pending(space.topic(Topic.PLANNED), "generation") == []
    assert await space.parked() == []


async def test_three_workers_that_stand_still_at_once_are_waited_for(space: Space, crew: Crew) -> None:
    """Each takes the entry over from the one before. The last one comes back before its silence counts, and ends it."""
    workers: list[WorkerProcess] = []
    job_id = await space.submit_scenes(1)
    for count in range(MAX_DEATHS):
        workers.append(crew(space, "slow", "--seconds", "1", "--lease", "0.5"))
        await wait_until(lambda count=count: len(crew.journal.words("begin")) == count + 1)  # type: ignore[misc]
        workers[-1].signal(signal.SIGSTOP)
    async with working(space, scenes_group(_nothing), lease_s=0.5):
        await wait_until(lambda: _idle(space, 1_500), what="three leases of silence")
        assert "StepFailed" not in await space.types(job_id)
        workers[-1].signal(signal.SIGCONT)
        await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    assert "StepFailed" not in await space.types(job_id)
    assert crew.journal.words("end") == [(workers[-1].pid, "0")]


async def test_entry_that_nobody_dies_of_but_nobody_settles_is_parked(space: Space) -> None:
    """As of a step that stops each process for longer than its lease: there is an end, and it is no failure."""
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1

    job_id = await space.submit_scenes(1)
    async with _members(space) as member:
        (delivery,) = await member("first").read(1)
        aged = [delivery.claim.entry_id]
        stream, group = delivery.claim.stream, delivery.claim.group
        await space.redis.xclaim(
            stream, group, "released", 0, aged, idle=60_000, retrycount=MAX_DELIVERIES, justid=True
        )
    async with working(space, scenes_group(render)):
        await wait_until(lambda: _has(space, job_id, "StepParked"))
    assert not runs.began
    assert "StepFailed" not in await space.types(job_id)
    [parked] = await space.parked()
    assert b"delivered 10 times without being settled" in parked[b"reason"]


async def test_only_what_a_worker_had_begun_counts_as_its_death(space: Space) -> None:
    """Of two entries in the hands of three dead workers one was begun by each, the other lay in line behind it."""
    await space.submit_scenes(2)
    async with _members(space) as member:
        deadly, innocent = await member("first").read(2)
        for name, deaths in (("second", 1), ("third", 2)):
            swept = await _swept(space, member(name))
            assert [(d.claim.entry_id, d.deaths) for d in swept] == [
                (deadly.claim.entry_id, deaths),
                (innocent.claim.entry_id, 1),
            ]
            assert await member(name).begin(swept[0].claim)
        await _age(space, 2 * LEASE_MS)
        (taken,) = await member("fourth").reclaim(LEASE_MS, 10)
        assert (taken.claim.entry_id, taken.claim.count, taken.deaths) == (innocent.claim.entry_id, 4, 1)
        await _age(space, SILENT_LEASES * LEASE_MS)
        taken = next(
            d for d in await member("fourth").reclaim(LEASE_MS, 10) if d.claim.entry_id != taken.claim.entry_id
        )
        assert (taken.claim.entry_id, taken.claim.count, taken.deaths) == (deadly.claim.entry_id, 4, MAX_DEATHS)


async def test_worker_that_is_heard_of_again_has_not_died(space: Space) -> None:
    """By its heartbeat, by a commit, by letting go, or by handing back."""
    await space.submit_scenes(1)
    async with _members(space) as member:
        (first,) = await member("first").read(1)
        (second,) = await _swept(space, member("second"))
        assert second.deaths == 1
        assert await member("first").renew([Renewal(claim=first.claim, job_id="-", field="", fraction=None)]) == [LOST]
        assert await member("second").begin(second.claim)
        (third,) = await _swept(space, member("third"))
        assert third.deaths == 1  # the second one's
        assert not await member("second").begin(second.claim)
        (fourth,) = await _swept(space, member("fourth"))
        assert fourth.deaths == 0
        assert await member("fourth").begin(fourth.claim)
        await member("fourth").abandon(fourth.claim)
        (fifth,) = await _swept(space, member("fifth"))
        assert (fifth.claim.count, fifth.deaths) == (5, 0)
        assert await member("fifth").begin(fifth.claim)
        await member("fifth").release([fifth.claim], LEASE_MS)
        (again,) = await member("sixth").reclaim(LEASE_MS, 10)
        assert (again.claim.count, again.deaths) == (5, 0)
        assert await member("sixth").begin(again.claim)
        keys = [key async for key in space.redis.scan_iter(match=f"{space.keys.base}*:begun:*")]
        assert len(keys) == 1
        assert await space.redis.ttl(keys[0]) > 0
        commit = Commit(keys=space.keys, job_id="-", claim=again.claim, on_claim="settle")
        await space.log.committer.commit(commit)
        assert await space.redis.exists(*keys) == 0


@asynccontextmanager
async def _members(space: Space) -> AsyncIterator[Callable[[str], GroupMember]]:
    """Consumers of the planned scenes, by name."""
    blocking = connect(space.url, blocking=True)
    made: dict[str, GroupMember] = {}

    def member(name: str) -> GroupMember:
        if name not in made:
            made[name] = GroupMember(
                blocking=blocking,
                redis=space.redis,
                keys=space.keys,
                group="generation",
                topics=(Topic.PLANNED,),
                consumer=name,
            )
        return made[name]

    try:
        await member("first").ensure()
        yield member
    finally:
        await blocking.aclose()


async def _swept(space: Space, member: GroupMember) -> list[Delivery]:
    """What `member` takes over of all that is pending, as if its leases had just run out."""
    await _age(space, LEASE_MS)
    return await member.reclaim(LEASE_MS, 10)


async def _age(space: Space, idle_ms: int) -> None:
    stream = space.topic(Topic.PLANNED)
    for row in await space.pending(stream, "generation"):
        entry, count = [row["message_id"]], row["times_delivered"]
        await space.redis.xclaim(
            stream, "generation", row["consumer"], 0, entry, idle=idle_ms, retrycount=count, justid=True
        )


async def _nothing(_: StepContext) -> None:
    return None


def _beginner(crew: Crew, number: int) -> int | None:
    """The process that was the `number`th to begin the step, from 0."""
    begun = crew.journal.words("begin")
    return begun[number][0] if len(begun) > number else None


def _losses(worker: WorkerProcess) -> int:
    """How often it has learnt that its step is another's by now."""
    return worker.log.read_text().count("step stopped")


async def _idle(space: Space, least_ms: int) -> bool:
    rows = await space.pending(space.topic(Topic.PLANNED), "generation")
    return bool(rows) and all(row["time_since_delivered"] > least_ms for row in rows)


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)
