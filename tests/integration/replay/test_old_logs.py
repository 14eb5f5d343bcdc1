"""Logs that earlier versions of this code have written go on under this one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from eventflow.domain.commands import Command
from eventflow.domain.state import Phase
from eventflow.domain.topics import GROUP_TOPICS, TOPIC_OF
from eventflow.runtime.context import Group, StepContext
from tests.support.old_log import FINISHED, PREFIX, UNFINISHED, job_of, load, read, work
from tests.support.rebuilding import Rebuilder
from tests.support.runtime import Space, gapless, open_space, working
from tests.support.waiting import wait_until
from tests.support.web_app import StartClient, clock, deps, settings, start, stores
from web.deps import WebDeps

__all__ = ["clock", "deps", "settings", "start", "stores"]

GOLDEN = Path(__file__).parents[2] / "unit" / "golden" / "v1.jsonl"
LOGS = sorted((Path(__file__).parents[1] / "golden").glob("log-*.jsonl.gz"))


@pytest.fixture(params=LOGS, ids=lambda path: path.name)
def lines(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return read(request.param)


@pytest.fixture
async def space(valkey_url: str) -> AsyncIterator[Space]:
    async with open_space(valkey_url, PREFIX) as space:
        yield space


async def react(reaction: StepContext) -> Sequence[Command]:
    return work(reaction.event, reaction.job)


def groups() -> list[Group]:
    events = {name: [e for e, t in TOPIC_OF.items() if t in topics] for name, topics in GROUP_TOPICS.items()}
    return [Group(name, dict.fromkeys(of, react)) for name, of in events.items()]


async def test_unfinished_jobs_of_an_old_log_finish(
    space: Space, lines: list[dict[str, Any]], rebuild: Rebuilder
) -> None:
    await load(space.redis, lines)
    before = {role: await space.history(job_of(role)) for role in (*FINISHED, *UNFINISHED)}
    assert not [role for role in UNFINISHED if (await space.job(job_of(role))).finished]
    assert (await rebuild()).found == {}

    async with AsyncExitStack() as stack:
        for group in groups():
            await stack.enter_async_context(working(space, group, lease_s=0.5))
        await wait_until(lambda: space.ended(*map(job_of, UNFINISHED)))

    for role in UNFINISHED:
        ended = (await space.job(job_of(role))).phase
        assert ended is (Phase.CANCELLED if role == "cancelling" else Phase.COMPLETED), role
    for role, old in before.items():
        history = await space.history(job_of(role))
        assert gapless(history)
        assert history[: len(old)] == old
        assert role in UNFINISHED or len(history) == len(old)
    assert len(await space.parked()) == 1  # the one of then
    assert (await rebuild()).found == {}


async def test_finished_jobs_of_an_old_log_are_served(
    valkey_url: str, deps: WebDeps, start: StartClient, lines: list[dict[str, Any]]
) -> None:
    """As they were then; later code may tell more of them."""
    served = await load(deps.redis, lines)
    client = await start()
    for then in served:
        answer = await client.get(f"/api/v1/admin/jobs/{then['job_id']}/status")
        assert answer.status == 200
        now = await answer.json()
        assert as_much_of(now, then) == then
    assert [then["status"] for then in served] == ["completed"] * 4 + ["failed"] * 2 + ["cancelled"] * 2


def as_much_of(now: Any, then: Any) -> Any:
    """`now` without the members that `then` doesn't have, at any depth."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {name: as_much_of(value, then[name]) for name, value in now.items() if name in then}
    return now


#: Types that came after the log of the first version was recorded.
ADDED_LATER = {
    "StreamStarted",
    "ArtefactLost",
    "SceneReused",
    "StepParked",
    "SceneSkipped",
    "WarningRaised",
    "RemoteWorkOrdered",
    "RemoteWorkStarted",
    "RemoteWorkEnded",
    "NarratorReplaced",
    "CostRecorded",
    "DeletionRequested",
    "JobDeleted",
    "VideoRelocated",
}


def test_the_logs_hold_every_type_of_the_first_version() -> None:
    """Else one of them could be lost without any of these tests to notice."""
    recorded: set[str] = set()
    for path in LOGS:
        for line in read(path):
            if line.get("stream", "").endswith(":events"):
                recorded |= {orjson.loads(fields["e"])["type"] for _, fields in line["entries"]}
    assert {orjson.loads(line)["type"] for line in GOLDEN.read_bytes().splitlines()} - ADDED_LATER <= recorded
