"""The sandbox: limits hold, nothing outlives it, no socket opens."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from handlers.assets import sandbox, sandbox_launcher
from handlers.assets.sandbox import Limits, SandboxResult, SandboxTimeout
from tests.support.waiting import wait_until

LIMITS = Limits(memory_bytes=1 << 30, cpu_s=20, wall_s=60, file_bytes=100_000)


async def python(code: str, limits: Limits = LIMITS, data: bytes = b"", target: Any = None) -> SandboxResult:
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.seek(0)
        return await sandbox.run((sys.executable, "-I", "-S", "-c", code), limits, source=source, target=target)


async def test_input_output_and_errors_go_through() -> None:
    ended = await python("import sys; print(sys.stdin.read() * 2); sys.stderr.write('no'); sys.exit(7)", data=b"ab")
    assert ended == SandboxResult(7, b"abab\n", "no")


async def test_what_is_told_is_bounded() -> None:
    ended = await python("import sys; sys.stdout.write('o' * 10**6); sys.stderr.write('e' * 10**6 + 'end')")
    assert len(ended.out) == 64 * 1024
    assert len(ended.err) == 8 * 1024
    assert ended.err.endswith("end")


async def test_memory_is_limited() -> None:
    ended = await python("bytearray(2 << 30)")
    assert ended.code == 1
    assert "MemoryError" in ended.err


async def test_processor_time_is_limited() -> None:
    ended = await python("while True: pass", evolve(LIMITS, cpu_s=1))
    assert ended.code < 0


async def test_written_files_are_limited(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as target:
        ended = await python("import sys; sys.stdout.write('x' * 10**6)", target=target)
    assert ended.code != 0
    assert (tmp_path / "out").stat().st_size <= 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="needs seccomp")
@pytest.mark.parametrize(
    "code", ["import socket; socket.socket()", "import ctypes; assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0"]
)
async def test_there_is_no_network_and_no_tracing(code: str) -> None:
    ended = await python(code)
    assert ended.code == 1
    assert "PermissionError" in ended.err or "AssertionError" in ended.err


def has_landlock() -> bool:
    return sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


@pytest.mark.skipif(not has_landlock(), reason="needs Landlock")
async def test_no_other_file_can_be_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    for what in (f"open({str(secret)!r})", f"open({str(tmp_path / 'new')!r}, 'w')", "open('/etc/passwd')"):
        ended = await python(what)
        assert (ended.code, "PermissionError" in ended.err) == (1, True)
    assert not (tmp_path / "new").exists()


async def test_nothing_of_ours_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTFLOW_SIGNING_KEY", "secret")
    ended = await python("import os; print(sorted(os.environ), os.getcwd())")
    assert b"EVENTFLOW" not in ended.out
    assert ended.out.endswith(b" /\n")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


SLEEPER = "import os, sys, time; sys.stdout.write(str(os.getpid())); sys.stdout.flush(); time.sleep(600)"


async def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    out = tmp_path / "pid"
    with out.open("wb") as target, pytest.raises(SandboxTimeout):
        await python(SLEEPER, evolve(LIMITS, wall_s=3), target=target)
    assert gone(int(out.read_text()))


async def test_it_ends_with_who_waits_for_it(tmp_path: Path) -> None:
    out = tmp_path / "pid"
    with out.open("wb") as target:
        task = asyncio.create_task(python(SLEEPER, target=target))
        pid = int(await wait_until(out.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert gone(pid)


def test_the_filter_jumps_where_it_should() -> None:
    """Run by hand: (architecture, call) -> allowed."""
    architecture, denied = 0xC000003E, (41, 42, 425)
    code = sandbox_launcher.rules(architecture, denied)
    steps = [code[at : at + 8] for at in range(0, len(code), 8)]

    def allowed(machine: int, number: int) -> bool:
        at, value = 0, 0
        while True:
            kind, yes = int.from_bytes(steps[at][:2], "little"), steps[at][2]
            no, k = steps[at][3], int.from_bytes(steps[at][4:], "little")
            at += 1
            if kind == 0x06:
                return k == 0x7FFF0000
            if kind == 0x20:
                value = {4: machine, 0: number}[k]
            else:
                at += yes if (value == k if kind == 0x15 else value >= k) else no

    assert allowed(architecture, 0)
    assert allowed(architecture, 257)
    assert not any(allowed(architecture, number) for number in (*denied, 0x40000000, 0x40000029))
    assert not allowed(0x40000003, 0)
