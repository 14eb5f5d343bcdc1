"""What every long-running process of ours does to itself when it starts."""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
from typing import NoReturn

import structlog

#: Young objects before a collection. Steps make many short-lived values and no cycles; the default of 700 spends
#: a third of a busy worker's time on looking for some.
_GC_THRESHOLD = 50_000


def tune_process() -> None:
    """Take what start-up has made out of the garbage collector's sight, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 50)


def end_at_once(why: str, exit_code: int) -> NoReturn:
    """End this process although its loop or a thread of it is stuck, and say where: nothing else would end it."""
    structlog.get_logger().critical("process ended: " + why, exit_code=exit_code)
    faulthandler.dump_traceback(sys.stderr)
    sys.stderr.flush()
    os._exit(exit_code)
