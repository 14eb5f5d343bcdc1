"""The shape of the tests: what levels share lies in tests/support."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
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


@cache
def functions() -> frozenset[str]:
    """The names of all functions in modules of tests."""
    trees = (ast.parse(path.read_text()) for path in TESTS.rglob("test_*.py"))
    defined = (node for tree in trees for node in ast.walk(tree))
    return frozenset(node.name for node in defined if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def unknown_tests(table: str) -> list[str]:
    """Modules and tests that the second column of a table names, and that don't exist. `...` stands for any text."""
    modules = {f"/{path.relative_to(TESTS).with_suffix('').as_posix()}" for path in TESTS.rglob("test_*.py")}
    unknown = []
    for cell in (line.split("|")[2] for line in table.splitlines() if line.startswith("| ")):
        plain = re.sub(r"`[^`]*`|\([^)]*\)|\[[^\]]*\]", "", cell)
        for name in re.findall(r"[\w/.]*_[\w/.]*", plain):
            is_module = any(module.endswith(f"/{name}") for module in modules)
            if not is_module and not any(fnmatchcase(each, f"test_{name.replace('...', '*')}") for each in functions()):
                unknown.append(name)
    return unknown


def test_the_table_of_faults_names_tests_that_exist() -> None:
    table = ast.get_docstring(ast.parse((TESTS / "faults" / "__init__.py").read_text()))
    assert table
    assert not unknown_tests(table)


def test_a_test_that_is_gone_is_seen() -> None:
    row = "| fault | test_leases: work_of_five_leases_runs_once, no_such_... (by hand); unit/test_gone |"
    assert unknown_tests(row) == ["no_such_...", "unit/test_gone"]
