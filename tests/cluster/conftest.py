"""A Redis Cluster for all tests here, and another one for each test that breaks it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.cluster_server import ClusterServer, RedisPrograms, cluster_server
from tests.support.crew import crew  # noqa: F401 - a fixture
from tests.support.runtime import Space, open_space
from tests.support.studio import quiet, studio  # noqa: F401 - fixtures

#: With so many, each of three masters has some: of `{00}` to `{05}` each has two.
PARTITIONS = 6


@pytest.fixture(scope="session")
def redis_programs(redis_server: str, redis_cli: str) -> RedisPrograms:
    return RedisPrograms(redis_server, redis_cli)


@pytest.fixture(scope="session")
def shared_cluster(redis_programs: RedisPrograms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServer]:
    """Its nodes aren't to be stopped."""
    with cluster_server(redis_programs, tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def own_cluster(redis_programs: RedisPrograms, tmp_path: Path) -> Iterator[ClusterServer]:
    with cluster_server(redis_programs, tmp_path / "cluster") as cluster:
        yield cluster


@pytest.fixture
async def space(shared_cluster: ClusterServer) -> AsyncIterator[Space]:
    async with open_space(shared_cluster.url, partitions=PARTITIONS) as space:
        yield space


@pytest.fixture
async def own_space(own_cluster: ClusterServer) -> AsyncIterator[Space]:
    async with open_space(own_cluster.url, partitions=PARTITIONS) as space:
        yield space


@pytest.fixture
def environment(shared_cluster: ClusterServer, tmp_path: Path) -> dict[str, str]:
    """Settings of a service on the cluster, for `studio`."""
    return {
        "EVENTFLOW_REDIS_URL": shared_cluster.url,
        "EVENTFLOW_NAMESPACE": f"t{secrets.token_hex(4)}",
        "EVENTFLOW_PARTITIONS": str(PARTITIONS),
        "EVENTFLOW_DURABLE_ACK": "replica",
        "EVENTFLOW_DATA_DIR": str(tmp_path / "data"),
        "EVENTFLOW_SCRATCH_DIR": str(tmp_path / "scratch"),
        "EVENTFLOW_LEASE_SECONDS": "2",
        "EVENTFLOW_SCENE_CACHE_DAYS": "0",
        "EVENTFLOW_DRAIN_SECONDS": "5",
        "EVENTFLOW_OPEN_ACCESS": "on",
    }
