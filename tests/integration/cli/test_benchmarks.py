"""Every benchmark runs, on little work, and prints its figures."""

import json
from collections.abc import Iterable

import pytest

from ops.cli.bench import app
from tests.support.programs import Programs

pytestmark = pytest.mark.chaos

#: Benchmark -> the least work that it takes.
LEAST = {
    "archive": ("--jobs", "100"),
    "chain": ("--jobs", "100", "--rounds", "1"),
    "firstframe": ("--short", "1", "--long", "1"),
    "rebuild": ("--jobs", "100", "--rounds", "1"),
    "recovery": ("--kills", "2", "--lease", "2"),
    "render": ("--seconds", "10", "--no-motion"),
    "scale": ("--jobs", "200", "--rounds", "1", "--seconds", "3"),
    "status": ("--jobs", "100", "--rounds", "1"),
    "upload": ("--size", "16", "--rounds", "1"),
    "viewers": ("--viewers", "10", "--jobs", "2", "--rounds", "1", "--seconds", "2"),
}


def _figures(value: object) -> Iterable[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _figures(each)
    elif isinstance(value, int | float):
        yield value


@pytest.mark.parametrize("name", LEAST)
def test_it_prints_its_figures(programs: Programs, name: str) -> None:
    ended = programs.run("dev", "bench", name, *LEAST[name], "--json")
    assert ended.code == 0, ended.err
    figures = list(_figures(json.loads(ended.out.splitlines()[-1])))
    assert len(figures) > 2
    assert any(figures)


def test_no_benchmark_is_left_out() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert commands == set(LEAST)
