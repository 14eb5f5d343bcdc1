"""Writes what mends a difference. Each write is safe beside running workers, and does nothing twice."""

from __future__ import annotations

from typing import assert_never

from redis.asyncio import Redis

from eventflow.domain.commands import ConfirmCancellation
from eventflow.log.connection import load_script
from eventflow.log.event_store import Cause, JobEventStore
from eventflow.log.feed import drop_folded
from eventflow.log.keys import Keyspace
from ops.replay.difference import Confirmation, Difference, LiveRepair, Redelivery
from ops.replay.feed_check import FeedRepair
from ops.replay.served import ServedRepair


class Repairer:
    """`cause` is what confirmed cancellations are put down to."""

    def __init__(self, redis: Redis, keyspace: Keyspace, log: JobEventStore, cause: Cause) -> None:
        self._redis, self._keyspace, self._log, self._cause = redis, keyspace, log, cause
        self._script = load_script(redis, "mend")

    async def mend(self, difference: Difference) -> bool:
        """Whether it was mended: not if nothing mends it, or the job has moved meanwhile. Raises connection errors."""
        job_id, mend = difference.job_id, difference.mend
        keys = self._keyspace.of_job(job_id)
        if mend is None:
            return False
        if isinstance(mend, FeedRepair | LiveRepair):
            return await self._run_script(difference, mend)
        if isinstance(mend, Redelivery):
            await self._redis.xadd(keys.retry(mend.group, mend.topic), {"e": mend.payload})
        elif isinstance(mend, Confirmation):
            self._log.forget(job_id)
            await self._log.execute(job_id, [ConfirmCancellation()], self._cause)
        elif isinstance(mend, ServedRepair):
            await drop_folded(self._redis, keys, job_id)
        else:
            assert_never(mend)
        return True

    async def _run_script(self, difference: Difference, mend: FeedRepair | LiveRepair) -> bool:
        keys = self._keyspace.of_job(difference.job_id)
        feed = mend if isinstance(mend, FeedRepair) else FeedRepair((), ())
        live = mend if isinstance(mend, LiveRepair) else LiveRepair((), False)
        args: list[str | int] = [difference.version, feed.position]
        args += [len(feed.drop), *feed.drop, len(feed.append)]
        for version, kind in feed.append:
            args += [version, kind]
        args += [len(live.remove), *live.remove, "cancel" if live.cancel else ""]
        names = [keys.events(difference.job_id), keys.feed, keys.live(difference.job_id)]
        return bool(await self._script(keys=names, args=args))
