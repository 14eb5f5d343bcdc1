"""What every long-running process of ours does to itself when it starts."""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import sys
from typing import NoReturn

import structlog

#: Young objects before a collection. Steps make many short-lived values and no cycles; the default of 700 spends
#: a third of a busy worker's time on looking for some.
_GC_THRESHOLD = 50_000
#: Open files that a process of ours may need at most. Some programs, such as those that it starts, look at every
#: number that they might have open: the system's own limit may be a thousand million.
_MOST_FILES = 65_536


def tune_process() -> None:
    """Take what start-up has made out of the garbage collector's sight, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 50)


def allow_files() -> int:
    """Raise the limit of open files as far as the system allows (RLIMIT_NOFILE); returns what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def end_at_once(why: str, exit_code: int) -> NoReturn:
    """End this process although its loop or a thread of it is stuck, and say where: nothing else would end it."""
    structlog.get_logger().critical("process ended: " + why, exit_code=exit_code)
    faulthandler.dump_traceback(sys.stderr)
    sys.stderr.flush()
    os._exit(exit_code)
