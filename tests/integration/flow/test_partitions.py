"""Several partitions on one server, with two workers of each group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.spread import run_jobs
from tests.support.studio import WORKERS, StudioOf

pytestmark = pytest.mark.chaos


async def test_jobs_are_spread_over_four_partitions_and_all_end(
    studio: StudioOf, aiohttp_client: Callable[..., Any]
) -> None:
    async with studio(workers=WORKERS * 2, EVENTFLOW_PARTITIONS="4") as s:
        shares = await run_jobs(s, aiohttp_client, 8)
    assert len(shares) > 1, shares
