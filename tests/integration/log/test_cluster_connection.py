"""A connection to a cluster."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from eventflow.log.cluster import ClusterRedis
from eventflow.log.connection import connect


async def test_a_pipeline_over_a_cluster_is_no_transaction() -> None:
    cluster = connect("redis+cluster://127.0.0.1:1/")
    assert isinstance(cluster, ClusterRedis)
    with pytest.raises(ValueError, match="transaction=False"):
        cluster.pipeline()
    with pytest.raises(RedisConnectionError, match="no node of the cluster"):
        await cluster.get("a")
    await cluster.aclose()
