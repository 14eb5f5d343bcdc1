"""Runs a decoder on foreign bytes: apart, limited, without network, and never longer than it may take.

The program gets two open files, what it reads and what it writes, and needs no path.
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
#: Nothing of ours is told; one arena keeps threads from reserving address space each.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
#: Libraries of our workers, wherever they are installed.
_LIBRARIES = (str(Path(module.__file__ or "").parents[1]) for module in (PIL, av, numpy))
#: What the decoders are made of, and nothing else of this machine.
_READABLE = os.pathsep.join(
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


class TookTooLong(Exception):
    """The program was ended after `wall_s`."""


@frozen
class Limits:
    """Address space and file size in bytes, times in seconds (of the processors; of the clock)."""

    memory_bytes: int
    cpu_s: int
    wall_s: float
    file_bytes: int


@frozen
class Ended:
    """`code` is negative for a signal; `out` the first 64 KiB of standard output, `err` the last 8 KiB of errors."""

    code: int
    out: bytes
    err: str


async def run(command: Sequence[str], limits: Limits, *, source: IO[bytes], target: IO[bytes] | None = None) -> Ended:
    """Run `command` (its program by absolute path) with `source` as standard input, `target` as output.

    Without `target` the output is in the answer. When this returns or raises, the process is gone. Raises
    TookTooLong, OSError where no process can be started.
    """
    bounds = (str(number) for number in (limits.memory_bytes, limits.cpu_s, limits.file_bytes))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_CONFINE), *bounds, _READABLE, *command),
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
        raise TookTooLong(f"not done within {limits.wall_s:g} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Ended(code, out, err.decode(errors="replace"))


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
