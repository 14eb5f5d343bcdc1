"""Jobs of several owners that wait for a place, without workers: asked for, admitted, ended."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from attrs import define, evolve
from msgspec.structs import replace

from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.topics import LANES, Topic
from eventflow.domain.values import Failure, FailureCategory, Lane, Step
from tests.support.runtime import CAUSE, REQUEST, Space, open_space

COMPLETED = (
    cmd.FinishVideo(run=1, videos=(), thumbnails=()),
    cmd.FinishUpload(run=1, videos=(), thumbnails=()),
    cmd.PublishVideo(1, ()),
)
FAILED = (
    cmd.FailStep(
        step=Step.PLAN,
        scene=None,
        run=1,
        failure=Failure(FailureCategory.INITIALIZATION, "no", "it can't be done"),
        retry_at=None,
    ),
)
CANCELLED = (cmd.RequestCancellation("enough"),)


@define
class Line:
    """A space with at most `limit` jobs in progress."""

    space: Space
    limit: int

    async def ask(self, owner: str, lane: Lane = Lane.NORMAL) -> str:
        job_id = new_job_id(0, secrets.token_hex(16))
        await self.space.log.create(job_id, evolve(REQUEST, priority=lane), replace(CAUSE, owner=owner))
        return job_id

    async def end(self, job_id: str, commands: Sequence[cmd.Command] = COMPLETED) -> None:
        await self.space.do(job_id, *commands)

    async def waiting(self) -> list[str]:
        """Those that wait, lane by lane, in the order of their turns."""
        redis, keys = self.space.redis, self.space.keys
        return [job.decode() for lane in LANES for job in await redis.zrange(keys.waiting(lane), 0, -1)]

    async def in_progress(self) -> set[str]:
        return {job.decode() for job in await self.space.redis.smembers(self.space.keys.admitted)}

    async def delivered(self, lane: Lane = Lane.NORMAL) -> list[str]:
        """The jobs that were admitted by `lane`, in that order."""
        rows = await self.space.redis.xrange(self.space.keys.topic(Topic.REQUESTED, lane))
        return [self.space.log.codec.decode(fields[b"e"]).job_id for _, fields in rows]

    async def one_by_one(self) -> list[str]:
        """End whoever is in progress until nobody waits; returns those that were admitted meanwhile, in that order."""
        order = []
        before = await self.in_progress()
        while await self.waiting():
            await self.end(before.pop())
            now = await self.in_progress()
            order += sorted(now - before)
            before = now
        return order


@asynccontextmanager
async def line_up(url: str, limit: int) -> AsyncIterator[Line]:
    async with open_space(url, most_in_progress=limit) as space:
        yield Line(space, limit)
