"""What a server says of itself, and whether that will do."""

from __future__ import annotations

from typing import Any

import pytest

from eventflow.log.connection import parse_hello
from eventflow.log.server_check import ServerInfo


@pytest.mark.parametrize(
    ("about", "info", "name", "old"),
    [
        ({"server": "redis", "version": "6.2.14"}, {}, "Redis 6.2.14", True),
        ({"server": "redis", "version": "7.0.0"}, {}, "Redis 7.0.0", False),
        ({"server": "redis", "version": "8.0.6"}, {}, "Redis 8.0.6", False),
        ({"server": "redis", "version": "10.0.0"}, {}, "Redis 10.0.0", False),
        ({"server": "valkey", "version": "7.2.4"}, {}, "Valkey 7.2.4", False),
        ({"server": "redis", "version": "7.2.4"}, {"valkey_version": "8.1.1"}, "Valkey 8.1.1", False),
        ({}, {"redis_version": "6.0.16"}, "Redis 6.0.16", True),
        ({}, {}, "Redis unknown", False),
    ],
)
def test_version(about: dict[str, Any], info: dict[str, Any], name: str, old: bool) -> None:
    server = ServerInfo(about, info)
    assert f"{server.kind} {server.version}" == name
    assert server.old is old


def test_hello_in_both_protocols() -> None:
    wanted = {"server": "redis", "role": "replica", "proto": 2, "modules": []}
    flat = [b"server", b"redis", b"role", b"replica", b"proto", 2, b"modules", []]
    assert parse_hello(flat) == wanted
    assert parse_hello({b"server": b"redis", b"role": b"replica", b"proto": 2, b"modules": []}) == wanted
