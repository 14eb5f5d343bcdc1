"""The archive over all masters: jobs go, drop off the lists of their partition, and come back to them."""

from __future__ import annotations

from pathlib import Path

from eventflow.archive.verify import remove_orphans, verify
from eventflow.domain import commands as cmd
from eventflow.log.codec import Codec
from tests.cluster.conftest import PARTITIONS
from tests.support.archiving import archived_space
from tests.support.runtime import CAUSE, CHAIN, Space


async def test_jobs_drop_off_the_lists_of_every_partition_and_come_back(space: Space, tmp_path: Path) -> None:
    async with archived_space(space, tmp_path / "archive") as archived:
        jobs = [await archived.finished(number % PARTITIONS, f"owner-{number % 4}") for number in range(24)]
        assert await archived.archive() == 24
        await archived.unlist(page=3)
        assert await archived.listed(None) == []
        for job in jobs[:PARTITIONS]:
            await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
        await archived.unlist(page=3)
        assert await archived.listed(None) == jobs[:PARTITIONS][::-1]
        assert await archived.listed("owner-0") == [jobs[4], jobs[0]]
        assert [e.type for e in await archived.log.history(jobs[-1])] == CHAIN
        found = await verify(archived.segment_store, archived.pointers, Codec(), lambda done, total: None)
        assert (found.histories, found.defects, found.orphans) == (24, (), ())
        assert await remove_orphans(archived.segment_store, archived.pointers, found.orphans) == []
