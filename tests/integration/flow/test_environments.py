"""Two environments in one place: the second is refused, and nobody takes the other's files for leavings."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import OutOfMemoryError

from eventflow.log.connection import connect
from eventflow.log.keys import Keyspace
from eventflow.storage import ObjectStore
from eventflow.storage.owner_mark import MARK, owner_of
from ops.environment import ForeignStore, claim_stores, environment_of, known_environment, refuse_foreign_stores
from tests.support.log_server import log_server
from tests.support.programs import Finished, Programs
from tests.support.s3_servers import environment_for, moto_server
from tests.support.stored_jobs import stored_job
from tests.support.studio import StudioOf
from tests.support.waiting import wait_until

pytestmark = pytest.mark.chaos

WORKER = ("worker", "--group", "metadata")


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A delivery store's URL."""
    if request.param == "folder":
        yield (tmp_path / "shared").as_uri()
        return
    with moto_server() as server:
        for name, value in environment_for(server).items():
            monkeypatch.setenv(name, value)
        yield f"s3://{server.bucket}/films"


async def test_a_second_environment_is_refused_until_it_adopts_the_store(
    studio: StudioOf, programs: Programs, environment: dict[str, str], place: str, tmp_path: Path
) -> None:
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    shared = {**aws, "EVENTFLOW_DELIVERY_URL": place}

    async def ran(*command: str, **settings: str) -> Finished:
        return await asyncio.to_thread(programs.run, *command, **shared, **settings)

    async with studio(workers=(), EVENTFLOW_DELIVERY_URL=place) as s:
        job = await stored_job(s.space, s.parts.stores, 2)
        first = programs.start(*WORKER, **shared)
        await wait_until(lambda: "ready" in first.out, 60, what="the first environment's worker")
        second = {"EVENTFLOW_NAMESPACE": "staging", "EVENTFLOW_DATA_DIR": str(tmp_path / "staging")}
        refused = await ran(*WORKER, **second)
        assert refused.code == 2
        assert environment["EVENTFLOW_NAMESPACE"] in refused.err
        assert "eventflow storage adopt" in refused.err
        assert "Traceback" not in refused.err

        repair = await ran("storage", "check", "--repair", **second)
        assert (repair.code, "Nothing was removed" in repair.err) == (1, True)
        forced = await ran("storage", "check", "--repair", "--force", **second)
        assert (forced.code, "Nothing was removed" in forced.err) == (1, True), "not unless it adopts them"
        doctor = await ran("doctor", **second)
        assert "fail  owner of the stores" in doctor.out
        assert [info async for info in s.parts.stores["delivery"].list(f"videos/{job}/")]

        adopted = await ran("storage", "adopt", "--yes", **second)
        assert adopted.code == 0, adopted.err
        theirs = programs.start(*WORKER, **shared, **second)
        await wait_until(lambda: "ready" in theirs.out, 60, what="the worker of who has adopted it")
        again = await ran(*WORKER)
        assert (again.code, "namespace staging" in again.err) == (2, True)


async def test_a_restored_log_is_the_environment_of_its_archive(
    studio: StudioOf, programs: Programs, tmp_path: Path
) -> None:
    archive = {"EVENTFLOW_ARCHIVE_URL": (tmp_path / "archive").as_uri()}
    async with studio(workers=(), **archive) as s:
        await claim_stores(s.parts)
        assert s.parts.segment_store is not None
        before = await owner_of(s.parts.segment_store.store)
        await s.parts.redis.delete(s.parts.keyspace.environment)  # as an empty server has none
        for look in (claim_stores, refuse_foreign_stores):  # a process that starts before, and a doctor
            with pytest.raises(ForeignStore, match="`eventflow archive restore`"):
                await look(s.parts)
        assert await known_environment(s.parts.redis, s.parts.keyspace) is None, "else it would be another one for good"
        restored = await asyncio.to_thread(programs.run, "archive", "restore", **archive)
        assert restored.code == 0, restored.err
        assert before is not None
        assert await environment_of(s.parts.redis, s.parts.keyspace) == before.environment
        await claim_stores(s.parts)


async def test_a_log_that_takes_no_writes_for_now_says_which_it_is(tmp_path: Path) -> None:
    """Else no process would start on a server that is out of memory, not even to answer what it can."""
    keyspace = Keyspace("ef", 1)
    with log_server(tmp_path / "own") as server:
        redis = connect(server.url)
        made = await environment_of(redis, keyspace)
        await redis.config_set("maxmemory", "1")
        with pytest.raises(OutOfMemoryError):
            await redis.set("ef:other", "1")
        assert await environment_of(redis, keyspace) == made
        await redis.aclose()


async def test_processes_of_a_new_log_that_start_at_once_are_of_one_environment(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them finds no id, and then the marks of another one, which has made the id in between."""
    async with studio(workers=()) as s:
        await s.parts.redis.delete(s.parts.keyspace.environment)
        delivery = s.parts.stores["delivery"]
        await delivery.delete(MARK)
        read = type(delivery).read

        async def late(store: ObjectStore, key: str, **options: Any) -> AsyncGenerator[bytes, None]:
            monkeypatch.undo()
            await claim_stores(s.parts)
            async for chunk in read(store, key, **options):
                yield chunk

        monkeypatch.setattr(type(delivery), "read", late)
        await claim_stores(s.parts)
        owner = await owner_of(delivery)
        assert owner is not None
        assert owner.environment == await environment_of(s.parts.redis, s.parts.keyspace)
