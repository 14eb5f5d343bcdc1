"""`eventflow up`: from one command to a video, and what survives which death."""

from __future__ import annotations

import asyncio
import signal
import socket
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.integration.cli.conftest import get_json, rows, start_stack
from tests.support.programs import END_S, START_S, Program, Programs
from tests.support.waiting import wait_until, wait_until_sync

SCRIPT = "# A film\n\n" + "\n\n".join(f"## Part {n}\n\n- One line of text\n- And another one" for n in range(1, 7))


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.md"
    path.write_text(SCRIPT)
    return str(path)


def test_one_command_makes_a_video_and_ends_in_order(programs: Programs, tmp_path: Path, script: str) -> None:
    running = start_stack(programs, tmp_path / "data", EVENTFLOW_RETENTION_SECONDS="604800")
    assert running.up.out == f"ready {running.url}\n"
    assert get_json(f"{running.url}/healthz")
    assert get_json(f"{running.url}/readyz")

    film = tmp_path / "film.mp4"
    options = ("--url", running.url, "--pipeline", "simulation", "--quality", "360p", "--wait", "--output", str(film))
    made = programs.run("generate", script, *options)
    assert made.code == 0, made.err
    assert b"ftyp" in film.read_bytes()[:16]
    assert "completed" in made.err
    assert f"{running.url}/api/v1/videos/jobs/" in made.out

    running.up.signal(signal.SIGTERM)
    ended = running.up.wait()
    assert ended.code == 0, ended.err
    assert not running.up.members()
    assert "log unreachable" not in ended.err
    warned = [line for line in ended.err.splitlines() if "EVENTFLOW_RETENTION_SECONDS" in line]
    assert len(warned) == 1, "web process and workers don't repeat what is said of an old name"


@pytest.mark.chaos
def test_ctrl_c_reaches_the_whole_group_and_yet_the_server_ends_last(programs: Programs, tmp_path: Path) -> None:
    running = start_stack(programs, tmp_path / "data")
    running.up.signal_group(signal.SIGINT)
    ended = running.up.wait()
    assert ended.code == 0, ended.err
    assert "log unreachable" not in ended.err
    assert not running.up.members()


@pytest.mark.chaos
def test_a_second_signal_ends_everything_at_once(programs: Programs, tmp_path: Path) -> None:
    running = start_stack(programs, tmp_path / "data", EVENTFLOW_DRAIN_SECONDS="600")
    asyncio.run(_signal_twice(running.url, running.up))
    ended = running.up.wait(10)
    assert ended.code == 1
    assert "Ended at once" in ended.err
    assert not running.up.members()


async def _signal_twice(url: str, up: Program) -> None:
    """Between the two signals something must keep the stack from ending: a request that is never finished."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"POST /api/v1/videos/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 100000\r\n\r\n{")
    await writer.drain()
    up.signal(signal.SIGTERM)
    await wait_until(lambda: len(up.members()) <= 3, what="the end of the idle workers")
    up.signal(signal.SIGTERM)
    await wait_until(lambda: up.process.poll() is not None, what="the end")
    writer.close()


def test_a_second_up_on_the_same_data_is_refused(programs: Programs, tmp_path: Path) -> None:
    running = start_stack(programs, tmp_path / "data")
    second = programs.run("up", "--data-dir", str(running.data_dir), "--port", "0")
    assert second.code == 1
    assert second.out == ""
    assert f"{running.data_dir} is in use" in second.err
    assert str(running.up.process.pid) in second.err
    assert "Traceback" not in second.err
    assert get_json(f"{running.url}/healthz")


@pytest.mark.chaos
def test_killed_while_rendering_it_finishes_the_job_later(programs: Programs, tmp_path: Path, script: str) -> None:
    first = start_stack(programs, tmp_path / "data", EVENTFLOW_LEASE_SECONDS="2")
    made = programs.run("generate", script, "--url", first.url, "--quality", "720p")
    job_id = made.out.split()[1]

    def half_way() -> bool:
        return bool(_status(first.url, job_id)["scenes"]["rendered"] >= 1)

    wait_until_sync(half_way, what="a rendered scene")
    first.up.signal_group(signal.SIGKILL)
    assert first.up.wait().code == -signal.SIGKILL
    wait_until_sync(lambda: not first.up.members(), what="the end of the group")
    _tear_tail(first.data_dir)

    second = start_stack(programs, tmp_path / "data", EVENTFLOW_LEASE_SECONDS="2")
    wait_until_sync(lambda: _status(second.url, job_id)["status"] == "completed", 90, what="completion")
    history = rows(programs.run("jobs", "events", job_id, "--json", EVENTFLOW_DATA_DIR=str(second.data_dir)).out)
    assert [event["sequence"] for event in history] == list(range(1, len(history) + 1))
    rendered = [event["data"]["scene"] for event in history if event["type"] == "SceneRendered"]
    assert sorted(rendered) == list(range(_status(second.url, job_id)["scenes"]["total"]))
    wait_until_sync(
        lambda: not list((second.data_dir / ".eventflow-scratch").iterdir()), what="an empty scratch folder"
    )


def _status(url: str, job_id: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = get_json(f"{url}/api/v1/videos/jobs/{job_id}/status")
    return found


def _tear_tail(data_dir: Path) -> None:
    """As a power failure leaves it: the last command of the append-only file is only half there."""
    (tail,) = (data_dir / "valkey" / "appendonlydir").glob("*.incr.aof")
    with tail.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nha")


@pytest.mark.chaos
def test_children_end_when_the_supervisor_dies_alone(programs: Programs, tmp_path: Path) -> None:
    running = start_stack(programs, tmp_path / "data")
    running.up.signal(signal.SIGKILL)
    running.up.wait()
    wait_until_sync(lambda: not running.up.members(), END_S, what="the end of the children")
    again = start_stack(programs, tmp_path / "data")
    assert get_json(f"{again.url}/healthz")


@pytest.mark.chaos
@pytest.mark.parametrize("words", [("ops.cli", "web"), ("ops.cli", "generation"), ("valkey-server",)])
def test_a_crashed_child_is_started_again(
    programs: Programs, tmp_path: Path, script: str, words: tuple[str, ...]
) -> None:
    running = start_stack(programs, tmp_path / "data", EVENTFLOW_LEASE_SECONDS="2")
    crashed = running.up.member(*words)
    crashed.kill()

    def back() -> bool:
        return any(p.pid != crashed.pid and _named(p, words) for p in running.up.members()) and _alive(running.url)

    wait_until_sync(back, what="another process")
    options = ("--url", running.url, "--pipeline", "simulation", "--quality", "360p", "--wait")
    wait_until_sync(lambda: _ready(running.url), what="readiness")
    made = programs.run("generate", script, *options)
    assert made.code == 0, made.err


def _named(process: psutil.Process, words: tuple[str, ...]) -> bool:
    try:
        line = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return all(word in line for word in words)


def _alive(url: str) -> bool:
    try:
        return bool(get_json(f"{url}/healthz"))
    except (urllib.error.URLError, OSError):
        return False


def _ready(url: str) -> bool:
    try:
        return bool(get_json(f"{url}/readyz"))
    except (urllib.error.URLError, OSError):
        return False


def test_a_taken_port_is_named(programs: Programs, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = programs.run("up", "--data-dir", str(tmp_path / "data"), "--port", str(port))
    assert refused.code == 1
    assert f"127.0.0.1:{port} can't be bound" in refused.err
    assert "Traceback" not in refused.err


def test_production_is_refused(programs: Programs) -> None:
    settings = {"EVENTFLOW_ENV": "production", "EVENTFLOW_SIGNING_KEY": f"k1:{'0' * 64}", "EVENTFLOW_DATA_DIR": "data"}
    for command in (("up",), ("demo",)):
        refused = programs.run(*command, **settings)
        assert refused.code == 1
        assert "isn't for production" in refused.err
        assert "Traceback" not in refused.err


def test_another_server_is_refused(programs: Programs) -> None:
    refused = programs.run("up", EVENTFLOW_REDIS_URL="redis://:hidden@127.0.0.1:6379/0")
    assert refused.code == 2
    assert "EVENTFLOW_REDIS_URL is set" in refused.err
    assert "hidden" not in refused.err


@pytest.mark.chaos
def test_the_demo_takes_its_processes_with_it(programs: Programs, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    demo = programs.start("demo", "--output", str(tmp_path / "film"), EVENTFLOW_DELIVERY_URL=shared.as_uri())
    wait_until_sync(lambda: "rendering" in demo.err or demo.process.poll() is not None, START_S, what="rendering")
    demo.signal(signal.SIGTERM)
    ended = demo.wait()
    assert ended.code == 1
    assert "Stopped by a signal" in ended.err
    assert not demo.members()
    assert not shared.exists(), "a log that is gone after it must not mark a store that stays"
