"""Drops the privileges that a decoder of foreign bytes doesn't need, then executes that decoder.

A program that imports only the standard library: `python -I -S sandbox_launcher.py MEMORY CPU SIZE READABLE PROGRAM
ARG...` limits address space (bytes), processor time (seconds) and the size of written files (bytes). On Linux the
kernel then refuses sockets, tracing and the like (seccomp), and all files that are neither open already nor below the
paths in READABLE, one a line (Landlock, since Linux 5.13). The program dies with its parent. On other kernels the
limits and the decoders' own options remain (decision 95).
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
#: Landlock's system calls and rights, equal on all machines; its first version has 13 rights.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _BENEATH = 444, 445, 446, 1
_ALL_FILES, _READ, _LIST = (1 << 13) - 1, 0b101, 0b1000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
#: First number of the x32 system calls of x86_64.
_X32 = 0x40000000
_OPEN_FILES = 64


def rules(architecture: int, denied: tuple[int, ...]) -> bytes:
    """Assemble the seccomp filter (classic BPF): it checks the architecture, then the number of the call."""
    deny = 5 + len(denied)  # index of the last instruction; jumps count from the instruction after their own
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


def _refuse_files(readable: list[str]) -> None:
    """Let nothing be written, created or removed, and only `readable` paths be opened for reading."""
    libc = ctypes.CDLL(None, use_errno=True)
    everything = ctypes.create_string_buffer(struct.pack("=Q", _ALL_FILES), 8)
    ruleset = libc.syscall(_CREATE_RULESET, everything, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return
    for path in readable:
        with suppress(OSError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            access = _READ | (_LIST if os.path.isdir(path) else 0)
            rule = ctypes.create_string_buffer(struct.pack("=Qi", access, place), 12)
            libc.syscall(_ADD_RULE, ruleset, _BENEATH, rule, 0)
            os.close(place)
    libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _refuse_calls(architecture: int, denied: tuple[int, ...]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    code = rules(architecture, denied)
    held = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(held)))
    long = ctypes.c_ulong
    libc.prctl(_PR_SET_SECCOMP, long(_SECCOMP_MODE_FILTER), long(ctypes.addressof(program)), long(0), long(0))


def _die_with_parent() -> None:
    """Die with the parent, and gain no privileges by set-uid programs, which seccomp and Landlock require."""
    libc = ctypes.CDLL(None, use_errno=True)
    long = ctypes.c_ulong
    libc.prctl(_PR_SET_PDEATHSIG, long(signal.SIGKILL), long(0), long(0), long(0))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, long(1), long(0), long(0), long(0))


def _limit(what: int, most: int) -> None:
    try:
        resource.setrlimit(what, (most, most))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def main(arguments: list[str]) -> None:
    memory, cpu, size = (int(number) for number in arguments[:3])
    readable, program = arguments[3].split("\n"), arguments[4:]
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, cpu)
    _limit(resource.RLIMIT_FSIZE, size)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    os.nice(10)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # the first process to be killed when memory runs out
    if sys.platform == "linux":
        _die_with_parent()
        _refuse_files([*readable, program[0]])
        if platform.machine() in _MACHINES:
            _refuse_calls(*_MACHINES[platform.machine()])
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
