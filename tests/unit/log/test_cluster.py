"""Which node a command is for, and which nodes a cluster's URL names."""

from __future__ import annotations

import pytest

from eventflow.domain.topics import GROUP_TOPICS
from eventflow.log.cluster import key_of, slot_of
from eventflow.log.connection import cluster_nodes
from eventflow.log.keys import Keyspace


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("GET", "a"), "a"),
        (("XINFO GROUPS", "a"), "a"),
        (("XGROUP CREATE", "a", "group", "0", "MKSTREAM"), "a"),
        (("EVALSHA", "0" * 40, 2, "a", "b", "c"), "a"),
        (("EVAL", "return 1", 0, "c"), None),
        (("XREAD", b"COUNT", 1, b"STREAMS", "a", "b", "0", "0"), "a"),
        (("XREADGROUP", b"GROUP", "g", "c", b"BLOCK", 1, b"STREAMS", "a", ">"), "a"),
        (("PING",), None),
        (("SCRIPT LOAD", "return 1"), None),
        (("CONFIG GET", "appendonly"), None),
        (("CLUSTER SLOTS",), None),
    ],
)
def test_key_of_a_command(command: tuple[object, ...], key: str | None) -> None:
    assert key_of(command) == key


def test_a_partition_is_one_slot() -> None:
    keys = Keyspace(partitions=256).partition(255)
    job = "ff-" + "0" * 32
    names = [keys.feed, keys.delayed, keys.dead_letters, keys.progress, keys.admitted, keys.events(job), keys.live(job)]
    names += [keys.all_jobs, keys.jobs_of("{00}"), *keys.streams_of("upload", GROUP_TOPICS["upload"])]
    assert {slot_of(name) for name in names} == {slot_of("ef:{ff}:")}


def test_nodes_of_a_url() -> None:
    seeds, url_of = cluster_nodes("redis+cluster://a:7000,b,[::1]:7001/")
    assert seeds == [("a", 7000), ("b", 6379), ("::1", 7001)]
    assert [url_of(*seed) for seed in seeds] == ["redis://a:7000/0", "redis://b:6379/0", "redis://[::1]:7001/0"]
    seeds, url_of = cluster_nodes("rediss+cluster://user:pass@a:7000/?ssl_cert_reqs=none")
    assert url_of("c", 1) == "rediss://user:pass@c:1/0?ssl_cert_reqs=none"
