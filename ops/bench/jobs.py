"""Jobs for benchmarks: their request, the cause of their events, and how they get into a log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from eventflow.domain.job_ids import new_job_id
from eventflow.domain.values import VideoRequest
from eventflow.log.event_store import Cause, JobEventStore

TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"
REQUEST = VideoRequest(script="# A script\n\nOne line of it.")
CAUSE = Cause(owner="bench", correlation_id="bench", causation_id="", traceparent=TRACEPARENT)
#: The owner whom a web process without API keys serves.
LOCAL_CAUSE = Cause(owner="local", correlation_id="bench", causation_id="", traceparent=TRACEPARENT)
#: Jobs that are created at a time.
AT_ONCE = 500


def job_ids(random: Random, jobs: int, partitions: int = 1) -> list[str]:
    """Return ids of new jobs, spread evenly over the partitions."""
    return [new_job_id(number % partitions, f"{random.getrandbits(128):032x}") for number in range(jobs)]


async def create_jobs(log: JobEventStore, ids: Sequence[str], cause: Cause = CAUSE) -> None:
    """Append the first event of each job."""
    for start in range(0, len(ids), AT_ONCE):
        await asyncio.gather(*(log.create(job_id, REQUEST, cause) for job_id in ids[start : start + AT_ONCE]))
