"""Runs a decoder on foreign bytes in its own process: limited, without network or files, with a timeout.

The program gets two open files, its input and its output, and no paths (decision 95).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import av
import numpy
import PIL
from attrs import frozen

_CONFINE = Path(__file__).with_name("sandbox_launcher.py")
#: No variables of ours; one malloc arena, since each further one reserves address space.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
#: Where the workers' libraries are installed.
_LIBRARIES = (str(Path(module.__file__ or "").parents[1]) for module in (PIL, av, numpy))
#: The only paths that decoders may read: Python, its libraries, and the system's.
_READABLE = tuple(
    dict.fromkeys(
        (
            *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
            *(sys.prefix, sys.base_prefix, sys.exec_prefix, str(_CONFINE.parent), *_LIBRARIES),
            *("/usr", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/dev/urandom", "/proc/cpuinfo"),
        )
    )
)
_OUT_BYTES = 64 * 1024
_ERR_BYTES = 8 * 1024


class SandboxTimeout(Exception):
    """The program was killed after `wall_s`."""


@frozen(kw_only=True)
class Limits:
    """Limits of a run: address space and file size in bytes, processor time and wall clock time in seconds."""

    memory_bytes: int
    cpu_s: int
    wall_s: float
    file_bytes: int


@frozen
class SandboxResult:
    """The end of a program: exit code (negative for a signal), first 64 KiB of stdout, last 8 KiB of stderr."""

    code: int
    out: bytes
    err: str


async def run(
    command: Sequence[str],
    limits: Limits,
    *,
    source: IO[bytes],
    target: IO[bytes] | None = None,
    readable: Sequence[Path] = (),
) -> SandboxResult:
    """Run `command` (its program by absolute path) with `source` as standard input, `target` as output.

    Without `target` the result holds the output. `readable` are further files that it may open. No process remains
    when this returns or raises. Raises SandboxTimeout; OSError where no process can be started.
    """
    bounds = (str(number) for number in (limits.memory_bytes, limits.cpu_s, limits.file_bytes))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_CONFINE), *bounds, "\n".join((*_READABLE, *map(str, readable))), *command),
        stdin=source,
        stdout=asyncio.subprocess.PIPE if target is None else target,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=_ENVIRONMENT,
        cwd="/",
    )
    try:
        async with asyncio.timeout(limits.wall_s):
            out, err, code = await asyncio.gather(_first(process.stdout), _last(process.stderr), process.wait())
    except TimeoutError as error:
        raise SandboxTimeout(f"not done within {limits.wall_s:g} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return SandboxResult(code, out, err.decode(errors="replace"))


async def _first(stream: asyncio.StreamReader | None) -> bytes:
    kept = bytearray()
    while stream and (chunk := await stream.read(_OUT_BYTES)):
        kept += chunk[: _OUT_BYTES - len(kept)]
    return bytes(kept)


async def _last(stream: asyncio.StreamReader | None) -> bytes:
    kept = b""
    while stream and (chunk := await stream.read(_ERR_BYTES)):
        kept = (kept + chunk)[-_ERR_BYTES:]
    return kept
