"""Modules that say "no I/O" load nothing that does any, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: Packages that do I/O, or that only code with I/O needs.
IO = (
    *("aiobotocore", "aiohttp", "asyncio", "av", "botocore", "cattrs", "hiredis", "msgspec", "numpy"),
    *("opentelemetry", "redis", "socket", "structlog"),
)
PURE = (
    "web.http.ranges",
    *("web.readmodel.hls_editions", "web.readmodel.hls_playlists", "web.readmodel.job_status"),
)


def loaded_by(module: str) -> set[str]:
    """The packages of `IO` that importing `module` loads."""
    probe = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=True)
    return set(done.stdout.split()) & set(IO)


@pytest.mark.parametrize("module", PURE)
def test_pure_module_loads_no_io(module: str) -> None:
    assert loaded_by(module) == set()


def test_the_probe_finds_io() -> None:
    assert {"redis", "aiohttp", "asyncio"} <= loaded_by("web.readmodel.projection")
