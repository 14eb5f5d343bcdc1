"""The service on a Redis Cluster: as on one server, with the partitions on all of its masters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eventflow.log.dead_letters import DeadLetters
from eventflow.log.rebuild_job_lists import rebuild_job_lists
from ops.cli.checks import service
from ops.cli.checks.finding import State
from tests.cluster.conftest import PARTITIONS
from tests.support.cluster_server import MASTERS, ClusterServer
from tests.support.rebuilding import Rebuilder
from tests.support.spread import run_jobs
from tests.support.studio import WORKERS, StudioOf

pytestmark = pytest.mark.timeout(240)


async def test_jobs_are_spread_over_the_masters_and_all_end(
    studio: StudioOf, aiohttp_client: Callable[..., Any], shared_cluster: ClusterServer
) -> None:
    async with studio(workers=WORKERS * 2) as s:
        masters = {shared_cluster.master_of(keys.feed) for keys in s.parts.keyspace.all}
        assert len(masters) == MASTERS
        shares = await run_jobs(s, aiohttp_client, 8)
        rebuilt = await Rebuilder(s.space)(dry_run=True)
        assert await rebuild_job_lists(s.parts.log) == 0
        assert [entry async for entry in DeadLetters(s.parts.log).all()] == []
        findings = await service.log_server(s.parts, expected=True)
    assert rebuilt.jobs == 8
    assert rebuilt.found.keys() <= {"live"}  # progress that was reported as its job ended
    assert len(shares) > 1, shares
    assert sum(shares.values()) == 8
    assert max(shares) < PARTITIONS
    said = {finding.part: finding.found for finding in findings}
    assert said["log server"].endswith(", cluster")
    assert said["replicas"] == "3 masters, 0 of them without a replica"
    assert not [finding for finding in findings if finding.state is State.FAIL], findings
