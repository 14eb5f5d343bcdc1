"""Web app, workers and tools on log servers of others: with few rights, that fail over, that hang, that are unfit."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as sync_redis

from eventflow.log import server_check
from eventflow.log.connection import connect
from eventflow.log.errors import LogForbidden
from eventflow.log.keys import Keyspace
from eventflow.log.server_check import NEEDED
from ops.chaos.proxy import Proxy, proxy_of
from ops.cli.common import LOG_SECONDS
from tests.support.command_server import CommandServer
from tests.support.log_server import LogServer, log_server
from tests.support.programs import Finished, Programs, programs_in
from tests.support.waiting import wait_until, wait_until_sync

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).parents[3]
#: As the page on security gives it, but for its name and password.
USER, PASSWORD = "eventflow", "few-rights"
#: What is asked for without a key, and what users may always send.
_KEYLESS = {"auth", "client|setinfo", "hello", "info", "ping", "scan", "select", "script|load", "time"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LogServer]:
    with log_server(tmp_path / "valkey", aof=True, repl_diskless_sync_delay="0") as server:
        yield server


@pytest.fixture
def tools(tmp_path: Path, commands: CommandServer) -> Iterator[Programs]:
    with programs_in(tmp_path, commands) as programs:
        programs.environment = {
            "EVENTFLOW_DATA_DIR": str(tmp_path / "data"),
            "EVENTFLOW_PORT": "0",
            "EVENTFLOW_OPEN_ACCESS": "on",
        }
        yield programs


@pytest.fixture
async def proxy(server: LogServer) -> AsyncIterator[Proxy]:
    async with proxy_of(server.port) as proxy:
        yield proxy


def _rule() -> list[str]:
    """The rule that the page on security gives."""
    page = (ROOT / "ops/docs/operations/security.md").read_text()
    (line,) = [line for line in page.splitlines() if "ACL SETUSER ef-user" in line]
    words = line.partition("ACL SETUSER ef-user")[2].partition("`")[0].split()
    assert words[:2] == ["on", ">PASSWORD"]
    return [*words[:1], f">{PASSWORD}", *words[2:]]


def _limited(server: LogServer, *rule: str) -> dict[str, str]:
    """Settings for a user with the rule; the server's other settings stay as they were."""
    with sync_redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", USER, "reset", *rule)
        client.config_resetstat()
    return {"EVENTFLOW_REDIS_URL": f"redis://{USER}:{PASSWORD}@127.0.0.1:{server.port}/0"}


def test_whole_flow_with_no_more_rights_than_readme_tells(server: LogServer, tools: Programs) -> None:
    """Web app, workers of all groups, archive and tools; and what the check asks for is all that they have sent."""
    tools.environment = {
        **tools.environment,
        **_limited(server, *_rule()),
        "EVENTFLOW_ARCHIVE_URL": (tools.folder / "archive").as_uri(),
        "EVENTFLOW_QUEUE_LIMIT": "100",
        "EVENTFLOW_DURABLE_ACK": "always",
    }
    web = tools.start("web")
    for group in ("generation", "upload", "metadata", "archive"):
        tools.start("worker", "--group", group)
    url = web.ready_url()
    job = _post(f"{url}/api/v1/videos/generate", {"script": "# A\n\nb", "pipeline": "simulation"})["job_id"]
    status = f"{url}/api/v1/videos/jobs/{job}/status"
    wait_until_sync(lambda: _get(status)["status"] == "completed", 90, what="the published video")
    ready = _get(f"{url}/readyz")["components"]["redis"]
    assert (ready["status"], ready["aof"], ready["policy"]) == ("ok", "unknown", "unknown")
    for arguments in (
        ("doctor",),
        ("jobs",),
        ("jobs", "--rebuild"),
        ("groups", "list"),
        ("dead-letters", "list"),
        ("keys", "add", "alice"),
        ("archive", "status"),
        ("storage", "check"),
        ("replay", "rebuild", job, "--dry-run", "--url", url),
    ):
        finished = tools.run(*arguments)
        assert "NOPERM" not in finished.err + finished.out, arguments
        assert "lacks rights" not in finished.err + finished.out, arguments
        assert "Traceback" not in finished.err, arguments
    with sync_redis.Redis(port=server.port) as client:
        denied = {entry["object"] for entry in client.acl_log()}
        sent = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert denied <= {"info", "config|get"}
    words = {"|".join(line.partition(" KEY")[0].split()) for line in NEEDED} | {line.split()[0] for line in NEEDED}
    ours = {name for name in sent if name.split("|")[0] not in ("acl", "config", "waitaof")}
    assert ours <= words | _KEYLESS


async def test_commands_that_a_server_does_not_know_are_named_as_well(
    server: LogServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as those that its operator has renamed, or that a service leaves out."""
    monkeypatch.setattr(server_check, "NEEDED", (*NEEDED, "renamed KEY"))
    redis = connect(server.url)
    with pytest.raises(LogForbidden, match=r"on the keys ef:\*: renamed\."):
        await server_check.check_rights(redis, Keyspace("ef", 1))
    await redis.aclose()


def test_rights_that_are_missing_are_named_with_the_rule(server: LogServer, tools: Programs) -> None:
    for rule, missing in (
        (("~ef:*", "+@all", "-@dangerous", "-xreadgroup"), "xreadgroup"),
        (("~other:*", "+@all"), "No permissions to access a key"),
    ):
        tools.environment = {**tools.environment, **_limited(server, "on", f">{PASSWORD}", *rule)}
        for arguments in (("web",), ("worker", "--group", "upload"), ("doctor",)):
            finished = tools.run(*arguments)
            assert finished.code == 1, arguments
            assert missing in finished.err + finished.out, arguments
            assert "~ef:* +@all -@dangerous" in finished.err + finished.out, arguments
            assert "Traceback" not in finished.err, arguments
    for command in (("jobs",), ("keys", "list"), ("groups", "list")):
        finished = tools.run(*command)
        assert finished.code == 1, arguments
        assert "~ef:* +@all -@dangerous" in finished.err, arguments
        assert "Traceback" not in finished.err, arguments


async def test_service_goes_on_after_a_failover_behind_open_connections(
    server: LogServer, proxy: Proxy, tools: Programs, tmp_path: Path
) -> None:
    tools.environment = {**tools.environment, "EVENTFLOW_REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}
    with log_server(tmp_path / "second", aof=True) as second, sync_redis.Redis(port=second.port) as other:
        other.execute_command("REPLICAOF", "127.0.0.1", str(server.port))
        web, _ = tools.start("web"), tools.start("worker", "--group", "generation")
        url = await asyncio.to_thread(web.ready_url)
        await wait_until(lambda: asyncio.to_thread(_begun, url))
        await wait_until(lambda: other.info("replication")["master_link_status"] == "up")
        other.execute_command("REPLICAOF", "NO", "ONE")
        proxy.target_port = second.port
        with sync_redis.Redis(port=server.port) as before:
            before.execute_command("REPLICAOF", "127.0.0.1", str(second.port))
        began = time.monotonic()
        await wait_until(lambda: asyncio.to_thread(_begun, url), 20, what="a job that is begun on the new master")
        print(f"\nbegun {time.monotonic() - began:.1f} s after the failover")
        assert (await asyncio.to_thread(_get, f"{url}/readyz"))["components"]["redis"]["status"] == "ok"
        proxy.target_port = server.port  # a name that leads to the replica, as the server's own may for a while
        proxy.cut()
        ready = await wait_until(lambda: asyncio.to_thread(_unready, url), what="not ready")
        assert "is a replica" in ready["components"]["redis"]["detail"]


def test_tools_tell_a_replica_and_a_server_that_hangs_within_seconds(server: LogServer, tools: Programs) -> None:
    tools.environment = {**tools.environment, "EVENTFLOW_REDIS_URL": server.url}
    _, usually_s = _timed(tools, "doctor")
    server.pause()
    try:
        for arguments in (("jobs",), ("doctor",)):
            finished, took_s = _timed(tools, *arguments)
            assert finished.code == 1
            assert f"hasn't answered within {LOG_SECONDS:g} s" in finished.err + finished.out
            assert took_s < usually_s + 1.9 * LOG_SECONDS  # one wait, not two in turn
    finally:
        server.resume()
    with sync_redis.Redis(port=server.port) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    for arguments in (("jobs",), ("doctor",)):
        finished = tools.run(*arguments)
        assert finished.code == 1
        assert "is a replica" in finished.err + finished.out


def _timed(tools: Programs, *arguments: str) -> tuple[Finished, float]:
    """What a command has printed, and the seconds that it took."""
    began = time.monotonic()
    return tools.run(*arguments), time.monotonic() - began


def test_missing_password_is_told(server: LogServer, tools: Programs) -> None:
    with sync_redis.Redis(port=server.port) as client:
        client.config_set("requirepass", "word")
    tools.environment = {**tools.environment, "EVENTFLOW_REDIS_URL": server.url}
    for arguments in (("web",), ("jobs",), ("doctor",)):
        finished = tools.run(*arguments)
        assert finished.code == 1
        assert "user or password" in finished.err + finished.out
        assert "Traceback" not in finished.err


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def _post(url: str, body: dict[str, str]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _begun(url: str) -> bool:
    """Whether a worker has begun a new job within two seconds."""
    try:
        body = {"script": "# A\n\nb", "pipeline": "simulation"}
        job = _post(f"{url}/api/v1/videos/generate", body)["job_id"]
        events = f"{url}/api/v1/videos/jobs/{job}/events"
        until = time.monotonic() + 2
        while time.monotonic() < until:
            if "PlanningStarted" in {event["type"] for event in _get(events)["events"]}:
                return True
            time.sleep(0.1)
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
    return False


def _unready(url: str) -> Any:
    try:
        _get(f"{url}/readyz")
    except urllib.error.HTTPError as error:
        return json.loads(error.read())
    return None
