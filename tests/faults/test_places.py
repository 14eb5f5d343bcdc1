"""Jobs that wait for admission under a limit of jobs in progress: nobody waits for himself, no place is lost."""

from __future__ import annotations

import secrets

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.topics import Topic
from eventflow.domain.values import Failure, FailureCategory, Lane, Step
from eventflow.log.codec import Codec
from eventflow.log.event_store import Cause, JobEventStore
from tests.support.runtime import CAUSE, REQUEST, Space, utc_now

CANCEL = cmd.RequestCancellation("enough")


@pytest.fixture
async def narrow(space: Space) -> Space:
    """Takes one job at a time."""
    space.log = JobEventStore(space.redis, codec=Codec(), keyspace=space.keyspace, clock=utc_now, most_in_progress=1)
    return space


async def test_job_whose_plan_is_lost_does_not_wait_for_its_own_place(narrow: Space) -> None:
    job_id, other = await narrow.submit(), await narrow.submit()
    await narrow.do(job_id, cmd.StartPlanning(1))
    await narrow.do(job_id, cmd.ReportLostArtefact(step=Step.PLAN, scene=None, run=1, keys=("jobs/x/plan.json",)))
    assert (await narrow.types(job_id))[-1] == "ReprocessRequested"
    assert await _delivered(narrow) == 2
    assert await _line(narrow) == [other]
    assert await _admitted(narrow) == {job_id}


async def test_owner_who_cancels_what_waits_is_not_put_behind_all_others(narrow: Space) -> None:
    await narrow.submit()
    for job_id in [await _of(narrow, "ann") for _ in range(5)]:
        await narrow.do(job_id, CANCEL)
    bob = [await _of(narrow, "bob") for _ in range(3)]
    for job_id in [await _of(narrow, "ann") for _ in range(5)]:
        await narrow.do(job_id, CANCEL)
    ann = await _of(narrow, "ann")
    assert await _line(narrow) == [bob[0], ann, *bob[1:]]


async def test_job_that_waits_for_an_operator_keeps_nobody_waiting(narrow: Space) -> None:
    job_id, other, third = [await narrow.submit() for _ in range(3)]
    await narrow.do(job_id, cmd.DeadLetterStep(step=Step.PLAN, scene=None, run=1, reason="nobody here can handle it"))
    assert await _admitted(narrow) == {other}
    await narrow.do(job_id, cmd.FinishVideo(run=1, videos=(), thumbnails=()))  # redriven, and done
    await narrow.do(job_id, CANCEL)
    await narrow.do(job_id, cmd.ConfirmCancellation())
    assert await _admitted(narrow) == {other}
    assert await _line(narrow) == [third]


@pytest.mark.parametrize("end", ["cancelled", "failed", "published"])
async def test_every_end_gives_the_place_to_the_next(narrow: Space, end: str) -> None:
    job_id, other = await narrow.submit(), await narrow.submit()
    if end == "cancelled":
        await narrow.do(job_id, CANCEL)
    elif end == "failed":
        failure = Failure(FailureCategory.INITIALIZATION, "no_voice", "there is no such voice")
        await narrow.do(job_id, cmd.FailStep(step=Step.PLAN, scene=None, run=1, failure=failure, retry_at=None))
    else:
        await narrow.do(job_id, cmd.FinishVideo(run=1, videos=(), thumbnails=()))
        await narrow.do(job_id, cmd.FinishUpload(run=1, videos=(), thumbnails=()))
        await narrow.do(job_id, cmd.PublishVideo(1, ()))
    assert (await narrow.job(job_id)).finished
    assert await _admitted(narrow) == {other}
    assert await _line(narrow) == []


async def _of(space: Space, owner: str) -> str:
    job_id = new_job_id(0, secrets.token_hex(16))
    await space.log.create(
        job_id,
        REQUEST,
        Cause(owner=owner, correlation_id=CAUSE.correlation_id, causation_id="", traceparent=CAUSE.traceparent),
    )
    return job_id


async def _line(space: Space) -> list[str]:
    return [job.decode() for job in await space.redis.zrange(space.keys.waiting(Lane.NORMAL), 0, -1)]


async def _admitted(space: Space) -> set[str]:
    return {job.decode() for job in await space.redis.smembers(space.keys.admitted)}


async def _delivered(space: Space) -> int:
    return int(await space.redis.xlen(space.topic(Topic.REQUESTED)))
