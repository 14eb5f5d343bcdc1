"""Settings of a long-running process, made as it starts, and its immediate end."""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import sys
from typing import NoReturn

import structlog

#: Young objects before a collection. Steps make many short-lived values and no cycles; with the default of 700, a busy
#: worker spends a third of its time looking for some.
_GC_THRESHOLD = 50_000
#: Most open files that a process needs. The system's own limit may be 10^9, and some child programs close every
#: descriptor up to it.
_MOST_FILES = 65_536


def tune_process() -> None:
    """Exempt the objects of start-up from garbage collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 50)


def allow_files() -> int:
    """Raise the limit of open files (RLIMIT_NOFILE) to 65,536, or as far as the system allows; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def end_at_once(why: str, exit_code: int) -> NoReturn:
    """Print all stacks and end this process, although its event loop or a thread hangs."""
    structlog.get_logger().critical("process ended: " + why, exit_code=exit_code)
    faulthandler.dump_traceback(sys.stderr)
    sys.stderr.flush()
    os._exit(exit_code)
