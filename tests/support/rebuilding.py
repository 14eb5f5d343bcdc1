"""A log under a prefix of its own, and a rebuild of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from attrs import define, field

from eventflow.log.event_store import Cause
from ops.replay.difference import Difference
from ops.replay.inspect import Inspector
from ops.replay.rebuild import Rebuild, RebuildReport
from ops.replay.repair import Repairer
from ops.replay.served import Served
from tests.support.runtime import TRACEPARENT, Space, open_space, quiet_logs
from tests.support.valkey import RunningServer

OPERATOR = Cause(owner="operator", correlation_id="rebuild", causation_id="", traceparent=TRACEPARENT)


@pytest.fixture(autouse=True)
def quiet(plain_logs: None) -> None:
    quiet_logs()


@pytest.fixture
async def space(valkey_server: RunningServer) -> AsyncIterator[Space]:
    async with open_space(valkey_server.url) as space:
        yield space


@define
class Rebuilder:
    """Runs rebuilds of `space` and keeps what they tell."""

    space: Space
    served: Served | None = None
    slice_entries: int = 1_000_000
    told: list[tuple[Difference, bool]] = field(factory=list)

    async def __call__(self, *jobs: str, dry_run: bool = False) -> RebuildReport:
        self.told.clear()
        space = self.space
        inspector = Inspector(redis=space.redis, codec=space.log.codec, keyspace=space.keyspace, served=self.served)
        repairer = None if dry_run else Repairer(space.redis, space.keyspace, space.log, OPERATOR)
        rebuild = Rebuild(
            inspector=inspector,
            repairer=repairer,
            on_difference=lambda difference, repaired: self.told.append((difference, repaired)),
            slice_entries=self.slice_entries,
        )
        return await (rebuild.jobs(jobs) if jobs else rebuild.all())

    @property
    def kinds(self) -> list[str]:
        return sorted(difference.kind.value for difference, _ in self.told)

    def of(self, kind: str) -> Sequence[Difference]:
        return [difference for difference, _ in self.told if difference.kind == kind]


@pytest.fixture
def rebuild(space: Space) -> Rebuilder:
    return Rebuilder(space)


async def dump(space: Space) -> dict[bytes, bytes]:
    """Every key of the log with all that is in it, as the server would save it."""
    keys = [key async for key in space.redis.scan_iter(match=f"{space.keyspace.prefix}:*")]
    return {key: await space.redis.dump(key) for key in keys}
