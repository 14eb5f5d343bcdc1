"""Refuses input and output of this process while a block runs.

Python reports what it is about to do to audit hooks (PEP 578), which may refuse it. Files that are part of the program
may be read: those of the repository, of the environment and of Python itself. Libraries in C that open files by
themselves aren't seen.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
#: Folders whose files are part of the program. The environment may be layered over another one.
READABLE = tuple(
    {str(ROOT), sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *filter(os.path.isabs, sys.path)}
)
REFUSED = {
    *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"),
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
    *("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
    *("tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect", "urllib.Request"),
}
#: Python and Hypothesis keep caches here.
OF_TOOLS = {"__pycache__", ".hypothesis"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_refusing = False
_installed = False


@contextmanager
def no_io() -> Iterator[None]:
    """Within, what does I/O fails the test."""
    global _refusing, _installed
    if not _installed:  # a hook stays for the life of the process
        sys.addaudithook(_refuse)
        _installed = True
    _refusing = True
    try:
        yield
    finally:
        _refusing = False


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _refusing or (event != "open" and event not in REFUSED):
        return
    if isinstance(arguments[0], str | bytes | os.PathLike):
        name = os.path.abspath(os.fsdecode(arguments[0]))
        if any(folder in OF_TOOLS for folder in name.split(os.sep)) or (event == "open" and _is_read(name, *arguments)):
            return
    elif event == "open":  # a descriptor that is open already
        return
    pytest.fail(f"a unit test does no I/O, but this one asked for {event} {arguments!r}: move it to tests/integration")


def _is_read(name: str, _: object, mode: str | None, flags: int) -> bool:
    """Whether a file of the program is opened for reading."""
    return not flags & _WRITING and (name.startswith(READABLE) or name == os.devnull)
