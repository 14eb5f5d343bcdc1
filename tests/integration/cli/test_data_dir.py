"""Folders that the user names: nothing of his in them is removed or written over, and who only looks makes none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.programs import Programs


def _of_the_user(folder: Path) -> dict[str, str]:
    """Files under names that the program has for its own."""
    for name in ("scratch/thesis.tex", "valkey/valkey.log", "demo.log", "event-streams.jpg", "videos/holiday/a.mp4"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine: {name}")
    return _content(folder)


def _content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("command", "option"), [(("up", "--port", "0"), "--data-dir"), (("demo",), "--data-dir"), (("demo",), "--output")]
)
def test_a_folder_of_the_users_is_refused_and_left_alone(
    programs: Programs, tmp_path: Path, command: tuple[str, ...], option: str
) -> None:
    home = tmp_path / "home"
    before = _of_the_user(home)
    output = () if option == "--output" or command != ("demo",) else ("--output", str(tmp_path / "film"))
    refused = programs.run(*command, option, str(home), *output)
    assert refused.code == 1
    assert str(home) in refused.err
    assert option in refused.err
    assert "Traceback" not in refused.err
    assert _content(home) == before


@pytest.mark.parametrize("command", [("web", "--port", "0"), ("worker", "--group", "metadata")])
def test_web_and_workers_refuse_it_too(programs: Programs, tmp_path: Path, command: tuple[str, ...]) -> None:
    before = _of_the_user(tmp_path / "home")
    refused = programs.run(*command, EVENTFLOW_DATA_DIR=str(tmp_path / "home"))
    assert (refused.code, "isn't a data directory of eventflow" in refused.err) == (2, True)
    assert _content(tmp_path / "home") == before


def test_who_only_looks_makes_no_folder(programs: Programs, tmp_path: Path, valkey_url: str) -> None:
    typo = tmp_path / "typo"
    looked = json.loads(programs.run("doctor", "--json", "--data-dir", str(typo)).out)
    found = {finding["part"]: finding for finding in looked["findings"]}
    assert found["data directory"]["state"] == "warn"
    assert str(typo) in found["data directory"]["found"]
    listed = programs.run("keys", "list", "--data-dir", str(typo), EVENTFLOW_REDIS_URL=valkey_url)
    assert (listed.code, f"There is no folder {typo}" in listed.err) == (2, True)
    for command in (("keys", "list"), ("jobs",), ("storage", "check"), ("dead-letters", "list"), ("doctor",)):
        ended = programs.run(*command, EVENTFLOW_REDIS_URL=valkey_url)
        assert ended.code == 0, ended.err
    assert not typo.exists()
    assert not (tmp_path / ".eventflow").exists()
