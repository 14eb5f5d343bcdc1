"""The mark `debian` follows from fixtures: shown by runs of pytest on small suites of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: Each test runs pytest.
pytestmark = pytest.mark.chaos
ROOT = Path(__file__).parents[3]
CONFIGURATION = """[pytest]
testpaths = tests
addopts = -q -p tests.support.debian -p no:randomly -p no:cacheprovider
markers =
    debian: needs a program of a Debian package
"""
FIXTURES = """import pytest

@pytest.fixture
def cluster(redis_server):
    return redis_server
"""


def run(folder: Path, test: str, *arguments: str) -> tuple[int, str]:
    """pytest's exit code and output for one module of tests."""
    (folder / "pytest.ini").write_text(CONFIGURATION)
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text(FIXTURES)
    (folder / "tests" / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    return done.returncode, done.stdout + done.stderr


def test_a_test_is_marked_by_what_its_fixtures_lead_to(tmp_path: Path) -> None:
    tests = "def test_far(cluster): ...\ndef test_near(chromium): ...\ndef test_free(): ...\n"
    code, out = run(tmp_path, tests, "--collect-only", "-m", "debian")
    assert code == 0, out
    assert ("test_far" in out, "test_near" in out, "test_free" in out) == (True, True, False)


def test_without_the_marked_tests_nothing_is_missed(tmp_path: Path) -> None:
    tests = "def test_far(cluster): raise AssertionError\ndef test_free(): ...\n"
    code, out = run(tmp_path, tests, "-m", "not debian")
    assert (code, "1 passed, 1 deselected" in out) == (0, True), out


def test_a_program_that_is_not_installed_is_named_with_its_package(tmp_path: Path) -> None:
    code, out = run(tmp_path, "def test_far(cluster): ...\n")
    assert code == 1
    assert "apt-get install redis-server" in out


@pytest.mark.parametrize(
    "test",
    [
        'import subprocess\ndef test_it(): subprocess.run(["redis-server"])\n',
        'import subprocess\nCOMMAND = ("redis-cli", "ping")\ndef test_it(): subprocess.run(COMMAND)\n',
        'import shutil\ndef test_it(): shutil.which("chromium")\n',
        'import asyncio\nasync def test_it(): await asyncio.create_subprocess_exec("nginx", "-v")\n',
        'import os\ndef test_it(): os.system("redis-server")\n',
    ],
)
def test_collection_fails_where_a_program_is_named_without_its_fixture(tmp_path: Path, test: str) -> None:
    code, out = run(tmp_path, test, "--collect-only")
    assert code != 0
    assert "programs are started through the fixtures" in out


def test_a_mark_set_by_hand_is_refused(tmp_path: Path) -> None:
    code, out = run(tmp_path, "import pytest\n@pytest.mark.debian\ndef test_it(): ...\n", "--collect-only")
    assert code != 0
    assert "follows from the fixtures" in out


def test_an_unmarked_test_fails_when_it_starts_a_program_of_the_machine(tmp_path: Path) -> None:
    test = 'import subprocess\nNAME = "/bin/ls"\ndef test_it(): subprocess.run([NAME])\n'
    code, out = run(tmp_path, test)
    assert code == 1
    assert "/bin/ls comes in no wheel" in out
