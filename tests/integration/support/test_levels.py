"""The marks of levels follow from folders: shown by runs of pytest on small suites of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.levels import LEVELS

#: Each test runs pytest, most of them several times.
pytestmark = pytest.mark.chaos
ROOT = Path(__file__).parents[3]
CONFIGURATION = """[pytest]
testpaths = tests
addopts = -q --strict-markers -p tests.support.levels -p no:randomly -p no:cacheprovider
"""
NO_IO = (ROOT / "tests" / "unit" / "conftest.py").read_text()


def run(folder: Path, modules: dict[str, str], *arguments: str) -> tuple[int, str]:
    """pytest's exit code and output for a suite of `modules` (path below tests -> text)."""
    (folder / "pytest.ini").write_text(CONFIGURATION)
    for name, text in modules.items():
        path = folder / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_run_by_its_mark(tmp_path: Path, level: str) -> None:
    modules = {f"{one}/room/test_{one}.py": "def test_it(): ...\n" for one in LEVELS}
    code, out = run(tmp_path, modules, "-m", level, "--collect-only")
    assert (code, f"test_{level}.py::test_it" in out, "1/7 tests collected" in out) == (0, True, True), out


@pytest.mark.parametrize("place", ["test_it.py", "other/test_it.py", "unit_too/test_it.py"])
def test_collection_fails_outside_of_the_levels(tmp_path: Path, place: str) -> None:
    code, out = run(tmp_path, {place: "def test_it(): ...\n"}, "--collect-only")
    assert code != 0
    assert f"{place}::test_it is of no level" in out


@pytest.mark.parametrize("mark", ["unit", "faults"])
def test_a_level_set_by_hand_is_refused(tmp_path: Path, mark: str) -> None:
    text = f"import pytest\npytestmark = pytest.mark.{mark}\ndef test_it(): ...\n"
    code, out = run(tmp_path, {"unit/test_it.py": text}, "--collect-only")
    assert code != 0
    assert f"the mark {mark} follows from the folder" in out


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("open", "def test_it(tmp_path): (tmp_path / 'new').write_text('')"),
        ("open", "def test_it(): open('/etc/hostname')"),
        ("os.mkdir", "def test_it(tmp_path): (tmp_path / 'new').mkdir()"),
        ("socket.bind", "import socket\ndef test_it(): socket.socket().bind(('127.0.0.1', 0))"),
        ("socket.connect", "import socket\ndef test_it(): socket.socket().connect(('127.0.0.1', 1))"),
        ("socket.getaddrinfo", "import socket\ndef test_it(): socket.getaddrinfo('localhost', 1)"),
        ("subprocess.Popen", "import subprocess, sys\ndef test_it(): subprocess.run([sys.executable, '-V'])"),
        ("tempfile.mkdtemp", "import tempfile\ndef test_it(): tempfile.mkdtemp()"),
    ],
)
def test_a_unit_test_that_does_io_fails(tmp_path: Path, what: str, text: str) -> None:
    code, out = run(tmp_path, {"unit/test_it.py": text, "unit/conftest.py": NO_IO})
    assert (code, f"a unit test does no I/O, but this one asked for {what}" in out) == (1, True), out


def test_a_unit_test_reads_files_of_the_program(tmp_path: Path) -> None:
    text = f"import asyncio, pathlib\ndef test_it(): asyncio.run(asyncio.sleep(0)); open({__file__!r}); import this\n"
    code, out = run(tmp_path, {"unit/test_it.py": text, "unit/conftest.py": NO_IO})
    assert (code, "1 passed" in out) == (0, True), out


def test_a_test_of_another_level_may_do_io(tmp_path: Path) -> None:
    modules = {
        "unit/test_it.py": "def test_it(): ...\n",
        "unit/conftest.py": NO_IO,
        "integration/test_other.py": "def test_it(tmp_path): (tmp_path / 'new').write_text('')\n",
    }
    code, out = run(tmp_path, modules)
    assert (code, "2 passed" in out) == (0, True), out
