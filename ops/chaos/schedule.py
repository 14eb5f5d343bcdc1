"""Which faults happen when: chosen by the seed alone, so that a run can be repeated.

Four lanes run side by side, each with one fault at a time: workers, the log's server, the delivery store, the
workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from random import Random

from attrs import frozen


class FaultKind(StrEnum):
    KILL = "kill"  #: SIGKILL of a worker, which is started again
    PAUSE = "pause"  #: SIGSTOP of a worker for longer than a lease, then SIGCONT
    ISOLATE = "isolate"  #: one worker can't reach the log for longer than a lease
    SILENCE = "silence"  #: what one worker and the log say to each other arrives later than a lease: late commits too
    KILL_WEB = "kill_web"  #: SIGKILL of the web app, which is started again
    CRASH = "crash"  #: SIGKILL of the log's server, started again on the same files
    CUT = "cut"  #: every connection to the log is reset
    LOSE_ANSWER = "lose_answer"  #: one worker's commit is applied, its answer is cut off
    STORE_REFUSES = "store_refuses"  #: the delivery store takes no connections
    STORE_HANGS = "store_hangs"  #: it takes them and says nothing
    STORE_SLOW = "store_slow"  #: it takes its time over every piece
    WORKSPACE_REFUSES = "workspace_refuses"  #: the store in which steps hand files to each other takes no connections
    WORKSPACE_HANGS = "workspace_hangs"  #: it takes them and says nothing
    LOSE_FILE = "lose_file"  #: the newest file of the workspace is gone


K = FaultKind
LANES: Mapping[str, tuple[FaultKind, ...]] = {
    "workers": (K.KILL, K.PAUSE, K.ISOLATE, K.SILENCE, K.KILL, K.LOSE_ANSWER, K.KILL_WEB),
    "log": (K.CUT, K.CRASH, K.CUT),
    "store": (K.STORE_REFUSES, K.STORE_HANGS, K.STORE_SLOW),
    "workspace": (K.LOSE_FILE, K.WORKSPACE_REFUSES, K.LOSE_FILE, K.WORKSPACE_HANGS, K.LOSE_FILE),
}
#: Faults that last for some leases; the others for seconds, or are over at once.
_LEASES = (K.PAUSE, K.ISOLATE, K.SILENCE)
#: Long enough that even a busy worker takes over what the other one holds.
_LEASES_LONG = (1.6, 2.4)
_SECONDS: Mapping[FaultKind, tuple[float, float]] = {
    K.CRASH: (0.1, 1.0),
    K.STORE_REFUSES: (0.5, 4.0),
    K.STORE_HANGS: (0.5, 4.0),
    K.STORE_SLOW: (1.0, 4.0),
    K.WORKSPACE_REFUSES: (
        0.2,
        1.5,
    ),  # without the workspace a step fails, which is tried four times within seconds here
    K.WORKSPACE_HANGS: (0.5, 4.0),
}
#: Pause between two faults of a lane, in seconds: the stack has to get somewhere in between.
_CALM: Mapping[str, tuple[float, float]] = {
    "workers": (0.5, 3.0),
    "log": (3.0, 9.0),
    "store": (1.0, 6.0),
    "workspace": (0.5, 5.0),
}


@frozen
class Fault:
    """`target` is the number of the worker that it is done to (any, where that isn't meant); times in seconds."""

    at_s: float
    lasts_s: float
    kind: FaultKind
    target: int


def schedule(seed: int, seconds: float, workers: int, lease_s: float) -> dict[str, tuple[Fault, ...]]:
    """The faults of a storm of `seconds`, lane by lane, in order; all are over when it ends."""
    return {
        lane: tuple(_lane(lane, Random(f"{seed}/{lane}"), seconds, workers, lease_s))  # noqa: S311 - to be repeated
        for lane in LANES
    }


def _lane(lane: str, random: Random, seconds: float, workers: int, lease_s: float) -> Iterator[Fault]:
    at = 0.0
    for kind in _mixed(LANES[lane], random):
        at += random.uniform(*_CALM[lane])
        if kind in _LEASES:
            lasts = lease_s * random.uniform(*_LEASES_LONG)
        else:
            lasts = random.uniform(*_SECONDS.get(kind, (0.0, 0.0)))
        target = random.randrange(workers)
        if at + lasts > seconds:
            return
        yield Fault(round(at, 3), round(lasts, 3), kind, target)
        at += lasts


def _mixed(kinds: Sequence[FaultKind], random: Random) -> Iterator[FaultKind]:
    """Without end, every kind in each round: a short storm has all of them too."""
    while True:
        yield from random.sample(kinds, len(kinds))
