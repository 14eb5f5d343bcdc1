"""Commands as real processes; one stack for the tests that only ask it something."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.support.command_server import CommandServer
from tests.support.programs import Program, Programs, programs_in


@frozen
class Running:
    """An `eventflow up` that is ready."""

    up: Program
    url: str
    data_dir: Path


@pytest.fixture
def programs(tmp_path: Path, commands: CommandServer) -> Iterator[Programs]:
    with programs_in(tmp_path, commands) as programs:
        yield programs


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Shared by all modules: tests leave it as it was, but for jobs that have ended or will."""
    folder = tmp_path_factory.mktemp("stack")
    with programs_in(folder) as programs:
        yield start_stack(programs, folder / "data")


def start_stack(programs: Programs, data_dir: Path, *options: str, **settings: str) -> Running:
    up = programs.start("up", "--data-dir", str(data_dir), "--port", "0", *options, **settings)
    return Running(up, up.ready_url(), data_dir)


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def rows(text: str) -> list[Any]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]
