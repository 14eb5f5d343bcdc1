"""`eventflow dev bench recovery`: time from SIGKILL of a busy worker until another one has and settles its entry.

Real worker processes render scenes of a job; the busy ones are killed at a random moment (leases are renewed once a
second) and restarted. Times come from the workers' journals, on the machine's monotonic clock. `settled` includes the
repeated work, which takes at least `work_s`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from statistics import quantiles
from time import monotonic, monotonic_ns

from attrs import frozen

from eventflow.domain.values import VideoRequest
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from ops.bench.jobs import CAUSE, job_ids
from ops.chaos.child_process import ChaosError
from ops.chaos.evidence import Evidence, Leftovers, last_events, read_histories
from ops.chaos.invariants import nothing_is_committed_twice, only_the_owner_settles
from ops.chaos.journal import Line, read_journal
from ops.chaos.stack_under_test import Layout, StackUnderTest, open_stack
from ops.compose import utc_now

WORKERS, AT_ONCE = 6, 3
WORK_S = 1.5
_POLL_S, _PATIENCE_S = 0.05, 60.0


@frozen(kw_only=True)
class RecoveryResult:
    """Seconds from SIGKILL, over `kills` kills; `duplicated` counts effects that are in the log twice."""

    kills: int
    lease_s: float
    work_s: float
    taken_over_p50: float
    taken_over_p99: float
    settled_p50: float
    settled_p99: float
    settled_max: float
    duplicated: int


@frozen
class _Kill:
    """Process `pid` held the entry `key` (stream, entry id) when it was killed at `at_ns`."""

    key: tuple[str, str]
    pid: int
    at_ns: int


def run(kills: int, lease_s: float, seed: int) -> RecoveryResult:
    """Measure. Raises ChaosError if a process doesn't start, or an entry isn't recovered within a minute."""
    with tempfile.TemporaryDirectory(prefix="eventflow-recovery-") as folder:
        return asyncio.run(
            _run(
                Layout(
                    folder=Path(folder) / "stack",
                    workers=WORKERS,
                    groups=("generation",),
                    web=False,
                    lease_s=lease_s,
                    concurrency=1,
                ),
                kills,
                seed,
            )
        )


async def _run(layout: Layout, kills: int, seed: int) -> RecoveryResult:
    random = Random(seed)  # noqa: S311 - moments of kills
    layout.folder.mkdir()
    async with open_stack(layout) as stack:
        redis = connect(stack.settings.redis_url)
        keyspace = Keyspace(stack.settings.namespace, stack.settings.partitions)
        log = JobEventStore(redis, codec=Codec(), keyspace=keyspace, clock=utc_now)
        done: list[_Kill] = []
        try:
            while len(done) < kills:
                done += await _round(stack, log, random)
            histories = await read_histories(redis, keyspace, await last_events(redis, keyspace))
        finally:
            await redis.aclose()
        journal = read_journal(layout.journal)
    evidence = Evidence(promises=(), journal=journal, histories=histories, leftovers=Leftovers())
    twice = [*nothing_is_committed_twice(evidence), *only_the_owner_settles(evidence)]
    return _result(layout, done, journal, len(twice))


async def _round(stack: StackUnderTest, log: JobEventStore, random: Random) -> list[_Kill]:
    """Make a job with one scene for each victim, kill them, and wait until the video is assembled."""
    [job_id] = job_ids(random, 1)
    script = "\n".join([f"wait {WORK_S}"] * AT_ONCE)
    request = VideoRequest(script=script, pipeline="chaos", quality_levels=("720p",), thumbnail_generation=False)
    await log.create(job_id, request, CAUSE)
    await _until(lambda: _all_busy(stack, job_id), "every scene is being rendered")
    await asyncio.sleep(random.uniform(0, WORK_S / 2))
    victims = {member.program.pids[-1]: member.program for member in stack.workers}
    busy = {line.pid: line for line in _rendering(stack, job_id)}
    killed = []
    for pid, line in busy.items():
        killed.append(_Kill((line.stream, line.entry), pid, monotonic_ns()))
        await victims[pid].kill()
    await asyncio.gather(*(victims[pid].start() for pid in busy))
    await _until(lambda: _assembled(log, job_id), "the killed workers' scenes are rendered")
    return _unsettled(killed, read_journal(stack.layout.journal))


def _unsettled(killed: Sequence[_Kill], journal: Sequence[Line]) -> list[_Kill]:
    """Leave out workers that settled their entry before they died."""
    own = {((line.stream, line.entry), line.pid) for line in journal if line.what == "settled"}
    return [kill for kill in killed if (kill.key, kill.pid) not in own]


def _rendering(stack: StackUnderTest, job_id: str) -> list[Line]:
    """Return the `begin` lines of renderings that haven't ended."""
    mine = [line for line in read_journal(stack.layout.journal) if line.job == job_id and line.step == "render_scene"]
    ended = {line.scene for line in mine if line.what != "begin"}
    return [line for line in mine if line.what == "begin" and line.scene not in ended]


async def _all_busy(stack: StackUnderTest, job_id: str) -> bool:
    return len(_rendering(stack, job_id)) == AT_ONCE


async def _assembled(log: JobEventStore, job_id: str) -> bool:
    return any(envelope.type == "VideoGenerated" for envelope in await log.history(job_id))


async def _until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    began = monotonic()
    while not await condition():
        if monotonic() - began > _PATIENCE_S:
            raise ChaosError(f"not within {_PATIENCE_S:g} s: {what}")
        await asyncio.sleep(_POLL_S)


def _result(layout: Layout, kills: Sequence[_Kill], journal: Sequence[Line], duplicated: int) -> RecoveryResult:
    def first(kill: _Kill, what: str) -> float:
        times = [
            line.at_ns
            for line in journal
            if line.what == what and (line.stream, line.entry) == kill.key and line.pid != kill.pid
        ]
        return (min(t for t in times if t > kill.at_ns) - kill.at_ns) / 1e9

    taken_over = [first(kill, "delivered") for kill in kills]
    settled = [first(kill, "settled") for kill in kills]
    return RecoveryResult(
        kills=len(kills),
        lease_s=layout.lease_s,
        work_s=WORK_S,
        taken_over_p50=_percentile(taken_over, 50),
        taken_over_p99=_percentile(taken_over, 99),
        settled_p50=_percentile(settled, 50),
        settled_p99=_percentile(settled, 99),
        settled_max=round(max(settled), 3),
        duplicated=duplicated,
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    return round(quantiles(values, n=100, method="inclusive")[percent - 1], 3)
