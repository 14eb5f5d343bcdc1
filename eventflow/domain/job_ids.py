"""Job ids: `<partition>-<random>`, two and 32 hex digits."""

from __future__ import annotations

import re

_JOB_ID = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}").fullmatch


def new_job_id(partition: int, random_hex: str) -> str:
    """Build a job id from its partition (0 to 255) and 32 hex digits of 128 random bits."""
    return f"{partition:02x}-{random_hex}"


def is_job_id(text: str) -> bool:
    return _JOB_ID(text) is not None


def partition_of(job_id: str) -> int:
    """Return the partition of a job, which never changes. `job_id` must have passed `is_job_id`."""
    return int(job_id[:2], 16)
