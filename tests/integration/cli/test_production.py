"""What `EVENTFLOW_ENV=production` refuses of a real server, and what it takes."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from eventflow.log.connection import connect
from eventflow.log.server_check import UNKNOWN, check_server
from tests.integration.cli.conftest import get_json
from tests.support.programs import Programs
from tests.support.valkey import RunningServer, running_server
from tests.support.waiting import wait_until_sync


@pytest.fixture(scope="module")
def kept_server() -> Iterator[RunningServer]:
    with running_server(appendonly=True) as server:
        yield server


def production(url: str, tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "EVENTFLOW_ENV": "production",
        "EVENTFLOW_REDIS_URL": url,
        "EVENTFLOW_SIGNING_KEY": f"k1:{'0' * 64}",
        "EVENTFLOW_DATA_DIR": str(tmp_path / "data"),
        **more,
    }


@pytest.mark.parametrize("command", [("web", "--port", "0"), ("worker", "--group", "metadata")])
def test_a_server_that_keeps_nothing_is_refused(
    programs: Programs, tmp_path: Path, valkey_url: str, command: tuple[str, ...]
) -> None:
    refused = programs.run(*command, **production(valkey_url, tmp_path))
    assert refused.code == 1
    assert "no append-only file" in refused.err
    assert "EVENTFLOW_LOG_PERSISTENCE=any" in refused.err
    assert "Traceback" not in refused.err


def test_doctor_says_so_too_and_a_setting_takes_it(programs: Programs, tmp_path: Path, valkey_url: str) -> None:
    for more, state in (({}, "fail"), ({"EVENTFLOW_LOG_PERSISTENCE": "any"}, "warn")):
        report = json.loads(programs.run("doctor", "--json", **production(valkey_url, tmp_path, **more)).out)
        [found] = [finding for finding in report["findings"] if finding["part"] == "append-only file"]
        assert (found["state"], found["found"]) == (state, "off")
    added = programs.run("keys", "add", "alice", EVENTFLOW_REDIS_URL=valkey_url)
    assert added.code == 0
    settings = production(valkey_url, tmp_path, EVENTFLOW_LOG_PERSISTENCE="any")
    assert programs.start("web", "--port", "0", **settings).ready_url()


def test_one_that_keeps_it_is_taken_and_watched(programs: Programs, tmp_path: Path, kept_server: RunningServer) -> None:
    assert programs.run("keys", "add", "alice", EVENTFLOW_REDIS_URL=kept_server.url).code == 0
    url = programs.start("web", "--port", "0", **production(kept_server.url, tmp_path)).ready_url()
    assert get_json(f"{url}/readyz")["components"]["redis"]["status"] == "ok"
    with redis.Redis.from_url(kept_server.url) as server:
        server.config_set("appendonly", "no")

        wait_until_sync(lambda: "append-only file" in _detail(url), what="readyz tells it")
        server.config_set("appendonly", "yes")


def _detail(url: str) -> str:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
            report = json.load(answer)
    except urllib.error.HTTPError as error:
        report = json.load(error)
    return str(report["components"]["redis"].get("detail", ""))


def test_where_info_is_not_allowed_it_says_that_it_cannot_tell(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as server:
        server.acl_setuser("app", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-@dangerous"])

    async def told() -> str:
        client = connect(valkey_url.replace("redis://", "redis://app:pw@"))
        try:
            return (await check_server(client, durable_ack=False, append_only_file=True))["aof"]
        finally:
            await client.aclose()

    try:
        assert asyncio.run(told()) == UNKNOWN
    finally:
        with redis.Redis.from_url(valkey_url) as server:
            server.acl_deluser("app")
