"""The schedule of faults, determined by the seed alone, so that a run can be repeated.

Four lanes run in parallel, each with one fault at a time: workers, the log's server, the delivery store, the
workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from random import Random

from attrs import frozen


class FaultKind(StrEnum):
    """A kind of fault."""

    KILL = "kill"  #: SIGKILL of a worker, which is restarted
    PAUSE = "pause"  #: SIGSTOP of a worker for longer than a lease, then SIGCONT
    ISOLATE = "isolate"  #: one worker can't reach the log for longer than a lease
    SILENCE = "silence"  #: data between one worker and the log is held for longer than a lease, late commits included
    KILL_WEB = "kill_web"  #: SIGKILL of the web app, which is restarted
    CRASH = "crash"  #: SIGKILL of the log's server, which is restarted on the same files
    CUT = "cut"  #: every connection to the log is reset
    LOSE_ANSWER = "lose_answer"  #: one worker's commit is applied, its answer is cut off
    STORE_REFUSES = "store_refuses"  #: the delivery store resets connections
    STORE_HANGS = "store_hangs"  #: the delivery store accepts connections and doesn't answer
    STORE_SLOW = "store_slow"  #: the delivery store answers slowly
    WORKSPACE_REFUSES = "workspace_refuses"  #: the workspace resets connections
    WORKSPACE_HANGS = "workspace_hangs"  #: the workspace accepts connections and doesn't answer
    LOSE_FILE = "lose_file"  #: the newest file of the workspace is deleted


K = FaultKind
LANES: Mapping[str, tuple[FaultKind, ...]] = {
    "workers": (K.KILL, K.PAUSE, K.ISOLATE, K.SILENCE, K.KILL, K.LOSE_ANSWER, K.KILL_WEB),
    "log": (K.CUT, K.CRASH, K.CUT),
    "store": (K.STORE_REFUSES, K.STORE_HANGS, K.STORE_SLOW),
    "workspace": (K.LOSE_FILE, K.WORKSPACE_REFUSES, K.LOSE_FILE, K.WORKSPACE_HANGS, K.LOSE_FILE),
}
#: Faults whose duration is measured in leases; the others last for seconds, or are instantaneous.
_LEASES = (K.PAUSE, K.ISOLATE, K.SILENCE)
#: Leases: long enough for a busy worker to reclaim the entries of the other.
_LEASES_LONG = (1.6, 2.4)
_SECONDS: Mapping[FaultKind, tuple[float, float]] = {
    K.CRASH: (0.1, 1.0),
    K.STORE_REFUSES: (0.5, 4.0),
    K.STORE_HANGS: (0.5, 4.0),
    K.STORE_SLOW: (1.0, 4.0),
    # Without the workspace a step fails; it has four attempts, within seconds in these runs.
    K.WORKSPACE_REFUSES: (0.2, 1.5),
    K.WORKSPACE_HANGS: (0.5, 4.0),
}
#: Pause between two faults of a lane, in seconds: the stack needs it to make progress.
_CALM: Mapping[str, tuple[float, float]] = {
    "workers": (0.5, 3.0),
    "log": (3.0, 9.0),
    "store": (1.0, 6.0),
    "workspace": (0.5, 5.0),
}


@frozen(kw_only=True)
class Fault:
    """A fault; times in seconds. `target`: number of the worker that it hits, ignored by other faults."""

    at_s: float
    lasts_s: float
    kind: FaultKind
    target: int


def schedule(seed: int, seconds: float, workers: int, lease_s: float) -> dict[str, tuple[Fault, ...]]:
    """Return the faults of a storm of `seconds` by lane, each lane in order; all end before the storm does."""
    return {
        lane: tuple(_lane(lane, Random(f"{seed}/{lane}"), seconds, workers, lease_s))  # noqa: S311 - repeatable
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
        yield Fault(at_s=round(at, 3), lasts_s=round(lasts, 3), kind=kind, target=target)
        at += lasts


def _mixed(kinds: Sequence[FaultKind], random: Random) -> Iterator[FaultKind]:
    """Yield kinds without end, all of them in each round, so that a short storm has them too."""
    while True:
        yield from random.sample(kinds, len(kinds))
