"""Gives up what a decoder of foreign bytes doesn't need, then becomes that decoder.

Run by its path, with nothing but the standard library at hand: `python -I -S confine.py MEMORY CPU SIZE PROGRAM ARG...`
limits address space (bytes), processor time (s) and the size of written files (bytes). On Linux the kernel then refuses
sockets, tracing and the like to the program; it dies with its parent.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
#: (audit architecture, numbers of: socket, connect, bind, ptrace, process_vm_readv, process_vm_writev, io_uring_setup)
_MACHINES = {
    "x86_64": (0xC000003E, (41, 42, 49, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 117, 270, 271, 425)),
}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
#: Calls of x86_64's second interface, under other numbers.
_X32 = 0x40000000
_OPEN_FILES = 64


def rules(architecture: int, denied: tuple[int, ...]) -> bytes:
    """The filter's program, as the kernel takes it (classic BPF): the machine, then the call's number."""
    deny = 5 + len(denied)  # where the last instruction is; jumps count from the instruction after their own
    program = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, deny - 2, architecture),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, deny - 4, 0, _X32),
        *((_EQUAL, deny - place - 1, 0, number) for place, number in enumerate(denied, start=4)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _refuse_calls() -> None:
    """Where the kernel can't do that, limits and the decoders' own options have to do."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    code = rules(*machine)
    held = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(held)))
    long = ctypes.c_ulong
    libc.prctl(_PR_SET_PDEATHSIG, long(signal.SIGKILL), long(0), long(0), long(0))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, long(1), long(0), long(0), long(0))
    libc.prctl(_PR_SET_SECCOMP, long(_SECCOMP_MODE_FILTER), long(ctypes.addressof(program)), long(0), long(0))


def _limit(what: int, most: int) -> None:
    try:
        resource.setrlimit(what, (most, most))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def main(arguments: list[str]) -> None:
    memory, cpu, size = (int(number) for number in arguments[:3])
    program = arguments[3:]
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, cpu)
    _limit(resource.RLIMIT_FSIZE, size)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    os.nice(10)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, this goes first
    _refuse_calls()
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
