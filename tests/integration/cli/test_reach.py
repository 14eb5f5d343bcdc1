"""Which way commands go: the rule of `ops.cli.reach`, and the pointers that `eventflow up` leaves."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ops.cli.common import UsageError
from ops.cli.reach import DEFAULT_URL, Log, Service, log_environment, reach, service
from ops.local_stack.embedded import DataDirLock
from ops.local_stack.running_stacks import announce, holder_of, running_stacks, state_folder

URL, OTHER = "http://127.0.0.1:1111", "http://127.0.0.1:2222"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EVENTFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return state_folder(os.environ)


@asynccontextmanager
async def up(state: Path, data_dir: Path, url: str = URL) -> AsyncIterator[Path]:
    """This process holds the data directory, as `eventflow up` does; gives the pointer file."""
    data_dir.mkdir(exist_ok=True)
    lock = DataDirLock(data_dir)
    await lock.acquire()
    try:
        yield announce(state, data_dir, url)
    finally:
        lock.release()


async def test_options_come_first_then_variables_then_the_running_stack(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    assert reach(None, None, None) == Log()
    async with up(state, data):
        assert reach(None, None, None) == Service(URL)
        assert reach(None, "token", None) == Service(URL, "token")
        monkeypatch.setenv("EVENTFLOW_REDIS_URL", "redis://127.0.0.1:1/0")
        assert reach(None, None, None) == Log()
        monkeypatch.setenv("EVENTFLOW_CLIENT_URL", OTHER)
        assert reach(None, None, None) == Service(OTHER)
        monkeypatch.setenv("EVENTFLOW_URL", "https://videos.example")
        monkeypatch.setenv("EVENTFLOW_API_KEY", "secret")
        assert reach(None, None, None) == Service("https://videos.example", "secret")
        assert reach(OTHER, None, None) == Service(OTHER, "secret")
        assert reach(None, None, data) == Log(data)
        assert "secret" not in repr(reach(None, None, None))


def test_two_ways_at_once_and_what_is_no_url_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--url and --data-dir"):
        reach(URL, None, tmp_path)
    with pytest.raises(UsageError, match="--url is 'nowhere'"):
        reach("nowhere", None, None)
    monkeypatch.setenv("EVENTFLOW_URL", "there")
    with pytest.raises(UsageError, match="EVENTFLOW_URL is 'there'"):
        service(None, None)


async def test_commands_that_only_speak_http_find_the_stack_or_the_default(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service(None, None) == Service(DEFAULT_URL)
    async with up(state, tmp_path / "a"), up(state, tmp_path / "b", OTHER):
        assert service(None, None) == Service(OTHER), "the newest"
        monkeypatch.setenv("EVENTFLOW_DATA_DIR", str(tmp_path / "a"))
        assert service(None, None) == Service(URL), "the one that is named"
        monkeypatch.setenv("EVENTFLOW_DATA_DIR", str(tmp_path / "c"))
        assert service(None, None) == Service(DEFAULT_URL)


async def test_commands_that_need_the_log_find_that_of_the_stack(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "EVENTFLOW_DATA_DIR" not in log_environment(None)
    async with up(state, tmp_path / "a"):
        assert log_environment(None)["EVENTFLOW_DATA_DIR"] == str(tmp_path / "a")
        assert log_environment(tmp_path)["EVENTFLOW_DATA_DIR"] == str(tmp_path)
        monkeypatch.setenv("EVENTFLOW_REDIS_URL", "redis://127.0.0.1:1/0")
        assert "EVENTFLOW_DATA_DIR" not in log_environment(None)


async def test_several_stacks_are_mentioned(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with up(state, tmp_path / "a"), up(state, tmp_path / "b", OTHER):
        reach(None, None, None)
    assert OTHER in capsys.readouterr().err


async def test_a_stack_that_has_ended_or_was_replaced_does_not_count(state: Path, tmp_path: Path) -> None:
    async with up(state, tmp_path / "a") as pointer:
        assert [stack.url for stack in running_stacks(state)] == [URL]
        assert holder_of(tmp_path / "a") == os.getpid()
        assert pointer.stat().st_mode & 0o077 == 0
        said = json.loads(pointer.read_text())
        pointer.write_text(json.dumps(said | {"pid": 1}))
        assert running_stacks(state) == [], "another process holds the directory"
        assert pointer.exists()
    assert running_stacks(state) == []
    assert not pointer.exists(), "nobody holds it: a killed stack's pointer is removed"
    assert holder_of(tmp_path / "a") is None


async def test_pointers_that_others_could_have_written_are_ignored(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with up(state, tmp_path / "a") as pointer:
        pointer.chmod(0o666)
        assert running_stacks(state) == []
        pointer.chmod(0o600)
        moved = pointer.rename(tmp_path / "elsewhere")
        pointer.symlink_to(moved)
        assert running_stacks(state) == []
        pointer.unlink()
        moved.rename(pointer)
        assert len(running_stacks(state)) == 1
        mine = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
        assert running_stacks(state) == [], "another user's"


@pytest.mark.parametrize("text", ["", "{}", "[]", "\xff", '{"data_dir": 1, "url": "x", "pid": 1}'])
def test_a_damaged_pointer_is_ignored(state: Path, text: str) -> None:
    state.mkdir(parents=True)
    (state / "x.json").write_text(text)
    assert running_stacks(state) == []


def test_only_an_absolute_state_folder_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("", "state", "./state"):
        assert state_folder({"XDG_STATE_HOME": given}) == tmp_path / ".local/state/eventflow/stacks"
