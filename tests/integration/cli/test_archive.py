"""The archive's commands as real processes: a worker that is killed, a server that is lost, groups that come and go."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventflow.archive.segment import SegmentBuilder
from eventflow.domain.topics import Topic
from tests.support.archiving import Archived, archived_space
from tests.support.command_server import CommandServer
from tests.support.log_server import LogServer, log_server
from tests.support.programs import Program, Programs, programs_in
from tests.support.runtime import CHAIN, OWNER, Space, open_space
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LogServer]:
    with log_server(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
async def space(server: LogServer) -> AsyncIterator[Space]:
    async with open_space(server.url, "ef") as space:
        yield space


@pytest.fixture
async def archived(space: Space, tmp_path: Path) -> AsyncIterator[Archived]:
    async with archived_space(space, tmp_path / "archive") as archived:
        yield archived


@pytest.fixture
def tools(server: LogServer, tmp_path: Path, commands: CommandServer) -> Iterator[Programs]:
    """Commands on the server and its archive; nothing is retained."""
    with programs_in(tmp_path, commands) as programs:
        programs.environment = {
            "EVENTFLOW_REDIS_URL": server.url,
            "EVENTFLOW_ARCHIVE_URL": (tmp_path / "archive").as_uri(),
            "EVENTFLOW_ARCHIVE_AFTER_SECONDS": "0",
            "EVENTFLOW_DATA_DIR": str(tmp_path / "data"),
        }
        yield programs


async def test_worker_removes_what_a_killed_one_left_half_written(tools: Programs, tmp_path: Path) -> None:
    """In every local store, the archive's too; what may still be written stays."""
    left, fresh = list[Path](), list[Path]()
    for folder in (tmp_path / "archive", tmp_path / "data" / "workspace", tmp_path / "data" / "delivery"):
        spool = folder / ".eventflow" / "spool"
        spool.mkdir(parents=True)
        left.append(spool / ".spool-left")
        fresh.append(spool / ".spool-fresh")
        for path in (left[-1], fresh[-1]):
            path.write_bytes(b"half")
        os.utime(left[-1], (1, 1))
    tools.start("worker", "--group", "archive")
    await wait_until(lambda: not any(path.exists() for path in left), 60.0)
    assert all(path.exists() for path in fresh)


@pytest.mark.chaos
async def test_worker_that_is_killed_again_and_again_loses_no_job(archived: Archived, tools: Programs) -> None:
    """SIGKILL while it archives: at any moment each job is in one of the two places; in the end all are archived."""
    jobs = list(await asyncio.gather(*(archived.finished() for _ in range(1_500))))
    for segments in (1, 2):
        worker = tools.start("worker", "--group", "archive")
        await wait_until(lambda at=segments, worker=worker: _reached(archived, at, worker), 60.0)  # type: ignore[misc]
        worker.signal_group(signal.SIGKILL)
        worker.wait()
        for job in jobs[::50]:
            assert [e.type for e in await archived.log.history(job)] == CHAIN
    await archived.archive()  # takes over at once what the dead ones held
    assert await archived.pointers.count(archived.space.keys) == 1_500
    for job in jobs[::10]:
        assert not await archived.in_server(job)
        assert [e.type for e in await archived.log.history(job)] == CHAIN
    found = await asyncio.to_thread(tools.run, "archive", "verify", "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["defects"] == []


async def _reached(archived: Archived, segments: int, worker: Program) -> bool:
    """Whether there are so many segments, or the dead hold all that is left, which nobody gets within two minutes."""
    assert worker.process.poll() is None, worker.err
    redis, stream = archived.space.redis, archived.space.topic(Topic.OUTCOME)
    if int(await redis.hget(archived.space.keys.segments, "count") or 0) >= segments:
        return True
    groups = await redis.xinfo_groups(stream) if await redis.exists(stream) else []
    return segments > 1 and all(group["lag"] == 0 for group in groups)


async def test_server_that_is_lost_is_restored(archived: Archived, tools: Programs) -> None:
    jobs = [await archived.finished() for _ in range(20)]
    await archived.archive()
    refused = await asyncio.to_thread(tools.run, "archive", "restore")
    assert refused.code == 1
    assert "--force-merge" in refused.err
    await archived.space.redis.flushall()
    dry = await asyncio.to_thread(tools.run, "archive", "restore", "--dry-run")
    assert (dry.code, dry.out) == (0, "1 segments, 20 jobs would be served\n")
    done = await asyncio.to_thread(tools.run, "archive", "restore")
    assert (done.code, done.out) == (0, "1 segments, 20 jobs in the archive, 20 of them newly served\n")
    shown = await asyncio.to_thread(tools.run, "events", jobs[3])
    assert [line.split("\t")[2] for line in shown.out.splitlines()] == CHAIN
    status = json.loads((await asyncio.to_thread(tools.run, "archive", "status", "--json")).out)
    assert (status["archived"], status["segments"]) == (20, 1)


async def test_verify_lists_defects_and_fails(archived: Archived, tools: Programs, tmp_path: Path) -> None:
    job = await archived.finished()
    await archived.archive()
    (segment,) = [s async for s in archived.segment_store.segments()]
    (tmp_path / "archive" / segment.name).unlink()
    found = await asyncio.to_thread(tools.run, "archive", "verify")
    assert found.code == 1
    assert job in found.out
    shown = await asyncio.to_thread(tools.run, "archive", "verify", EVENTFLOW_ARCHIVE_URL="")
    assert shown.code == 2
    assert "EVENTFLOW_ARCHIVE_URL" in shown.err


async def test_groups_are_listed_and_removed(archived: Archived, tools: Programs) -> None:
    await archived.finished()
    await archived.everybody_reads()
    await archived.space.redis.xgroup_create(archived.space.topic(Topic.OUTCOME), "forgotten", id="0")
    listed = await asyncio.to_thread(tools.run, "groups", "list")
    states = {line.split("\t")[0]: line.split("\t")[1] for line in listed.out.splitlines()}
    assert states == {
        "forgotten": "orphan",
        "generation": "registered",
        "metadata": "registered",
        "upload": "registered",
    }
    refused = await asyncio.to_thread(tools.run, "groups", "remove", "upload")
    assert refused.code == 1
    assert "--force" in refused.err
    assert (await asyncio.to_thread(tools.run, "groups", "remove", "upload", "--force")).code == 0
    assert (await asyncio.to_thread(tools.run, "groups", "remove", "forgotten")).code == 0
    left = await asyncio.to_thread(tools.run, "groups", "list", "--json")
    assert {json.loads(line)["name"] for line in left.out.splitlines()} == {"generation", "metadata"}


async def test_replay_to_a_group(archived: Archived, tools: Programs) -> None:
    for _ in range(3):
        await archived.finished()
    await archived.archive()
    unknown = await asyncio.to_thread(tools.run, "replay", "group", "statistics")
    assert unknown.code == 2
    assert "--topics" in unknown.err
    order = ("replay", "group", "statistics", "--topics", "outcome", "--from", "0")
    dry = await asyncio.to_thread(tools.run, *order, "--dry-run")
    done = await asyncio.to_thread(tools.run, *order)
    assert (dry.code, done.code) == (0, 0), done.err
    assert dry.out.replace("would be", "were") == done.out
    again = await asyncio.to_thread(tools.run, *order)
    assert "--again" in again.out
    wrong = await asyncio.to_thread(tools.run, "replay", "group", "statistics", "--from", "yesterday")
    assert wrong.code == 2


async def test_orphans_are_listed_and_removed_on_demand(archived: Archived, tools: Programs) -> None:
    job = await archived.finished()
    raw = [fields[b"e"] for _, fields in await archived.space.redis.xrange(archived.space.keys.events(job))]
    for age in (timedelta(hours=25), timedelta(hours=3)):  # two archivers that died before they buried it
        builder = SegmentBuilder()
        builder.add(job, OWNER, datetime.now(UTC), raw)
        await archived.segment_store.put(builder.finish(0, datetime.now(UTC) - age))
    await archived.archive()
    old, younger, _ = [segment.name async for segment in archived.segment_store.segments()]
    listed = await asyncio.to_thread(tools.run, "archive", "verify")
    assert listed.code == 0, listed.err
    assert old in listed.out
    assert younger not in listed.out
    assert "--remove-orphans" in listed.out
    assert len([s async for s in archived.segment_store.segments()]) == 3
    done = await asyncio.to_thread(tools.run, "archive", "verify", "--remove-orphans", "--json")
    assert json.loads(done.out)["removed"] == [old]
    done = await asyncio.to_thread(tools.run, "archive", "verify", "--remove-orphans", "--min-age-hours", "2")
    assert f"{younger}: 1 jobs" in done.out
    assert "removed" in done.out
    assert len([s async for s in archived.segment_store.segments()]) == 1
    assert [e.type for e in await archived.log.history(job)] == CHAIN
    (segment,) = [s async for s in archived.segment_store.segments()]
    refused = await asyncio.to_thread(tools.run, "archive", "verify", "--min-age-hours", "1")
    assert refused.code == 2
    assert segment.name in [s.name async for s in archived.segment_store.segments()]
