"""Programs that come in no wheel, and the mark `debian` of the tests that use them. A plugin of pytest.

Each program has one fixture here, which gives its path. Every test whose fixtures lead to one of them is marked
`debian` by that alone; nobody sets the mark by hand. Two checks keep the mark true on any machine:

- Collection fails where a test, fixture or helper names a program to start other than through these fixtures.
- A test without the mark fails when it starts a program that is neither Python nor part of an installed wheel.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: Commands by their Debian package.
PACKAGES = {
    "bash": "bash",
    "chromium": "chromium",
    "curl": "curl",
    "cvlc": "vlc-bin vlc-plugin-base",
    "ffmpeg": "ffmpeg",
    "firefox-esr": "firefox-esr",
    "gst-launch-1.0": "gstreamer1.0-tools gstreamer1.0-libav gstreamer1.0-plugins-good gstreamer1.0-plugins-bad",
    "jq": "jq",
    "mpv": "mpv",
    "redis-cli": "redis-tools",
    "redis-server": "redis-server",
    "unshare": "util-linux",
}
_OWNERS = {"asyncio", "os", "shutil", "subprocess"}
_STARTERS = {"run", "Popen", "call", "check_call", "check_output", "create_subprocess_exec", "which", "execvp"}
_SHELLS = {"create_subprocess_shell", "system", "getoutput", "getstatusoutput"}
_COMMAND = "__debian_command__"


def _fixture_of(command: str) -> Any:
    """The session's fixture that gives the path of `command`; its name has underscores in place of hyphens and dots."""

    def path() -> str:
        found = shutil.which(command)
        assert found, f"these tests need {command}: apt-get install {PACKAGES[command]}"
        return found

    setattr(path, _COMMAND, command)
    return pytest.fixture(scope="session", name=re.sub(r"\W", "_", command))(path)


bash = _fixture_of("bash")
chromium = _fixture_of("chromium")
curl = _fixture_of("curl")
cvlc = _fixture_of("cvlc")
ffmpeg = _fixture_of("ffmpeg")
firefox_esr = _fixture_of("firefox-esr")
gst_launch_1_0 = _fixture_of("gst-launch-1.0")
jq = _fixture_of("jq")
mpv = _fixture_of("mpv")
redis_cli = _fixture_of("redis-cli")
redis_server = _fixture_of("redis-server")
unshare = _fixture_of("unshare")


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("debian") is not None:
        raise pytest.UsageError(f"{item.nodeid}: the mark debian follows from the fixtures; take it out")
    definitions = item._fixtureinfo.name2fixturedefs.values() if hasattr(item, "_fixtureinfo") else ()
    if any(hasattr(definition.func, _COMMAND) for found in definitions for definition in found):
        item.add_marker("debian")


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput"):  # of xdist, whose controller has looked
        return
    named = [line for root in map(Path, config.getini("testpaths")) for line in _named_under(config.rootpath / root)]
    if named:
        raise pytest.UsageError(
            "\n".join(["programs are started through the fixtures of tests/support/debian.py:", *named])
        )


def _named_under(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        if path.resolve() != Path(__file__).resolve() and any(word in text for word in ("process", "which(", "os.")):
            yield from (f"  {path}:{line}: {name}" for line, name in programs_named_in(ast.parse(text)))


def programs_named_in(module: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, program) where a command begins with a literal: in a call of a module that starts programs, or, if it is
    a program of `PACKAGES`, in any list or tuple. A shell is a program, whatever it is told."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (
                owner in _OWNERS and name in _SHELLS
            ):
                yield node.lineno, "a shell"
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner), attr=name),
                args=[ast.Constant(value=str(program)) | ast.List(elts=[ast.Constant(value=str(program)), *_]), *_],
            ) if owner in _OWNERS and name in _STARTERS:
                yield node.lineno, program
            case ast.List(elts=[ast.Constant(value=program), *_]) | ast.Tuple(elts=[ast.Constant(value=program), *_]):
                if program in PACKAGES:
                    yield node.lineno, program


@pytest.fixture(autouse=True)
def _only_programs_of_wheels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `subprocess` and asyncio start while an unmarked test runs is Python itself or lies in the environment."""
    if request.node.get_closest_marker("debian") is not None:
        return
    start = subprocess.Popen.__init__

    def checked(self: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
        first = options.get("executable") or (args if isinstance(args, str | bytes | Path) else args[0])
        program = shutil.which(str(first))
        if program is not None and not is_of_a_wheel(Path(program)):
            pytest.fail(f"{program} comes in no wheel: start it through a fixture of tests/support/debian.py")
        start(self, args, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", checked)


def is_of_a_wheel(program: Path) -> bool:
    """Whether a program is this Python, or lies in this environment's folders."""
    interpreters = {Path(sys.executable), Path(sys._base_executable)}  # type: ignore[attr-defined]
    if program in interpreters or program.resolve() in {path.resolve() for path in interpreters}:
        return True
    homes = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    homes += [Path(path) for path in sys.path if path.endswith("site-packages")]  # an environment over another one
    homes += [Path(sys.prefix)] if sys.prefix != sys.base_prefix else []
    return any(program.is_relative_to(home) or program.resolve().is_relative_to(home.resolve()) for home in homes)
