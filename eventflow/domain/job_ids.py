"""Job ids: how they are made, how they look, and the partition that each belongs to."""

from __future__ import annotations

import re

_JOB_ID = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}").fullmatch


def new_job_id(partition: int, random_hex: str) -> str:
    """A job id: two hex digits of the partition, a dash, 128 random bits as 32 hex digits."""
    return f"{partition:02x}-{random_hex}"


def is_job_id(text: str) -> bool:
    return _JOB_ID(text) is not None


def partition_of(job_id: str) -> int:
    """The partition that a job lives in, for ever. `job_id` has been checked by `is_job_id`."""
    return int(job_id[:2], 16)
