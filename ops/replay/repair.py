"""Writes the repair of a difference. Each write is safe beside running workers and to repeat."""

from __future__ import annotations

from typing import assert_never

from redis.asyncio import Redis

from eventflow.domain.commands import ConfirmCancellation
from eventflow.log.connection import load_script
from eventflow.log.event_store import Cause, JobEventStore
from eventflow.log.feed import drop_cached
from eventflow.log.keys import Keyspace
from ops.replay.difference import Confirmation, Difference, LiveRepair, Redelivery
from ops.replay.feed_check import FeedRepair
from ops.replay.served import ServedRepair


class Repairer:
    """Repairs differences. Confirmed cancellations get `cause`."""

    def __init__(self, redis: Redis, keyspace: Keyspace, log: JobEventStore, cause: Cause) -> None:
        self._redis, self._keyspace, self._log, self._cause = redis, keyspace, log, cause
        self._script = load_script(redis, "repair_job")

    async def repair(self, difference: Difference) -> bool:
        """Repair `difference`; returns False without a repair, or if the job has changed.

        Raises connection errors.
        """
        job_id, repair = difference.job_id, difference.repair
        keys = self._keyspace.of_job(job_id)
        if repair is None:
            return False
        if isinstance(repair, FeedRepair | LiveRepair):
            return await self._run_script(difference, repair)
        if isinstance(repair, Redelivery):
            await self._redis.xadd(keys.retry(repair.group, repair.topic), {"e": repair.payload})
        elif isinstance(repair, Confirmation):
            self._log.forget(job_id)
            await self._log.execute(job_id, [ConfirmCancellation()], self._cause)
        elif isinstance(repair, ServedRepair):
            await drop_cached(self._redis, keys, job_id)
        else:
            assert_never(repair)
        return True

    async def _run_script(self, difference: Difference, repair: FeedRepair | LiveRepair) -> bool:
        keys = self._keyspace.of_job(difference.job_id)
        feed = repair if isinstance(repair, FeedRepair) else FeedRepair((), ())
        live = repair if isinstance(repair, LiveRepair) else LiveRepair((), False)
        args: list[str | int] = [difference.job_id, difference.version, feed.position]
        args += [len(feed.drop), *feed.drop, len(feed.append)]
        for version, kind in feed.append:
            args += [version, kind]
        args += [len(live.remove), *live.remove, "cancel" if live.cancel else ""]
        names = [keys.events(difference.job_id), keys.feed, keys.live(difference.job_id)]
        return bool(await self._script(keys=names, args=args))
