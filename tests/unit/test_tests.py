"""The shape of the tests: what levels share lies in tests/support."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.levels import LEVELS

TESTS = Path(__file__).parents[1]


def imported(text: str) -> Iterator[str]:
    """The modules and names that a module imports, each with its path."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_others(level: str, text: str) -> list[str]:
    """Imports of a module of `level` that lead to another one; of a module of tests/support, those of any level."""
    others = tuple(f"tests.{other}." for other in LEVELS if other != level)
    return [name for name in imported(text) if name.startswith(others)]


@pytest.mark.parametrize("level", [*LEVELS, "support"])
def test_no_level_imports_from_another(level: str) -> None:
    found = {path: of_others(level, path.read_text()) for path in sorted((TESTS / level).rglob("*.py"))}
    assert found
    assert not {str(path.relative_to(TESTS)): names for path, names in found.items() if names}


def test_imports_of_others_are_seen() -> None:
    text = (
        "from tests.faults.conftest import crew\nfrom tests.support.crew import Crew\nimport tests.cluster.test_flow\n"
    )
    assert of_others("unit", text) == ["tests.faults.conftest.crew", "tests.cluster.test_flow"]
    assert of_others("faults", text) == ["tests.cluster.test_flow"]
