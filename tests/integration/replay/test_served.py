"""A rebuild beside running web apps: what they serve otherwise is found, and read anew."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from attrs import evolve

from eventflow.access.api_keys import ApiKeys
from eventflow.domain import commands as cmd
from ops.replay.served import CannotAsk, Served
from tests.support.driving import Driver
from tests.support.rebuilding import OPERATOR, Rebuilder
from tests.support.runtime import Space, utc_now
from tests.support.waiting import wait_until
from tests.support.web_app import Client, StartClient, clock, deps, settings, start, stores
from web.deps import WebDeps
from web.readmodel.projection import PROJECTION

__all__ = ["clock", "deps", "settings", "start", "stores"]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def space(deps: WebDeps, valkey_url: str) -> Space:
    """The log of the web apps."""
    return Space(valkey_url, deps.redis, deps.log, deps.log.keyspace)


def served_by(client: Client, session: aiohttp.ClientSession, key: str | None = None) -> Served:
    return Served(session, str(client.make_url("/")), key)


async def test_what_a_web_process_serves_otherwise_is_read_anew(
    space: Space, start: StartClient, rebuild: Rebuilder, session: aiohttp.ClientSession, deps: WebDeps
) -> None:
    first, second = await start(), await start()
    driver = Driver(deps.log, dict(deps.stores))
    good, bad = [await driver.create(id_, owner="alice") for id_ in ("00-" + "a" * 32, "00-" + "b" * 32)]
    await driver.plan(bad.id, scenes=2, title="Right")
    for client in (first, second):
        rebuild.served = served_by(client, session)
        assert (await rebuild(dry_run=True)).found == {}
        projection = client.app[PROJECTION]
        entry = projection._cache[bad.id]
        assert entry.view is not None
        entry.view = evolve(entry.view, job=evolve(entry.view.job, title="Wrong"))
        entry.snapshot = None

    rebuild.served = served_by(second, session)
    await rebuild(dry_run=True)
    assert [(d.job_id, d.detail) for d in rebuild.of("served")] == [(bad.id, 'title is "Wrong", should be "Right"')]
    assert (await rebuild()).repaired == {"served": 1}
    for client in (first, second):  # every process that follows the feed has dropped it
        rebuild.served = served_by(client, session)

        async def sound() -> bool:
            return (await rebuild(dry_run=True)).found == {}

        await wait_until(sound)
    assert good.version == 1


async def test_a_job_that_only_the_web_process_knows_is_not_asked_for(
    space: Space, start: StartClient, rebuild: Rebuilder, session: aiohttp.ClientSession
) -> None:
    """And one that it has never been asked about is read by it then."""
    rebuild.served = served_by(await start(), session)
    jobs = [await space.submit() for _ in range(30)]
    await space.log.execute(jobs[0], [cmd.RequestCancellation("no")], OPERATOR)
    report = await rebuild()
    assert (report.jobs, report.found) == (30, {})


async def test_asking_needs_an_admin(
    space: Space, start: StartClient, rebuild: Rebuilder, session: aiohttp.ClientSession
) -> None:
    keys = ApiKeys(space.redis, space.keyspace.api_keys, clock=utc_now)
    _, plain = await keys.add("alice")
    _, admin = await keys.add("bob", {"admin"})
    await space.submit()
    client = await start()
    for key in (None, plain):
        rebuild.served = served_by(client, session, key)
        with pytest.raises(CannotAsk, match="admin"):
            await rebuild()
    rebuild.served = served_by(client, session, admin)
    assert (await rebuild()).found == {}
    rebuild.served = Served(session, "http://127.0.0.1:1")
    with pytest.raises(CannotAsk, match="is it running"):
        await rebuild()
