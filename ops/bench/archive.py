"""`eventflow bench archive`: what a finished job costs the server before and after it is archived, and the way back.

Jobs end without handlers, by the commands that handlers would return: each has `scenes` scenes with one rendition of
one segment. The groups of handlers have dealt with every entry. Memory is the server's `used_memory` after
MEMORY PURGE, less that of the empty server.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import uvloop
from attrs import frozen
from redis.asyncio import Redis

from eventflow.archive.archiver import Archiver, ArchiveSettings
from eventflow.archive.reader import ArchiveReader
from eventflow.archive.restore import restore
from eventflow.archive.shelf import Shelf
from eventflow.codec import Codec
from eventflow.domain import commands as cmd
from eventflow.domain.commands import Command
from eventflow.domain.values import FileRef, SceneRendition, Segment, Thumbnail, VideoFile, VideoRequest
from eventflow.envelope import new_job_id
from eventflow.log.archived import Tombstones
from eventflow.log.connection import connect
from eventflow.log.consume import GroupMember
from eventflow.log.jobs import JobLog
from eventflow.log.keys import Keyspace
from eventflow.log.records import Cause
from eventflow.log.trim import Trimmer
from eventflow.runtime.process import tune_process
from eventflow.storage import LocalStore
from eventflow.telemetry.logs import configure_logs
from eventflow.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS
from ops.bench.chain import TRACEPARENT, bench_server

_AT_ONCE = 250
_SAMPLE = 200


@frozen
class ArchiveResult:
    """Bytes per job are the server's memory; `round_bytes` is all of it (less the empty server's) after each round."""

    jobs: int
    scenes: int
    events_per_job: int
    bytes_per_job_finished: float
    bytes_per_job_topics_trimmed: float
    bytes_per_job_archived: float
    archived_jobs_per_s: float
    stored_bytes_per_job: float
    restore_s: float
    rounds: int
    jobs_per_round: int
    round_bytes: list[int]


def _now() -> datetime:
    return datetime.now(UTC)


def _ahead() -> datetime:
    return _now() + timedelta(milliseconds=5)


def _file(random: Random, name: str) -> FileRef:
    digest = f"{random.getrandbits(256):064x}"
    return FileRef("delivery", f"videos/{digest[:32]}/{name}-{digest}", digest, random.randrange(10**7), "video/mp4")


def _life(random: Random, scenes: int) -> list[Command]:
    """The commands that bring a requested job to its end."""
    commands: list[Command] = []
    if scenes:
        plan = _file(random, "plan")
        commands += [cmd.StartPlanning(1), cmd.AnnounceScript(1, "A title", scenes, plan)]
        commands += [cmd.PlanScene(1, i, f"Scene {i}", 11 * i, 11, _file(random, "spec"), None) for i in range(scenes)]
        for scene in range(scenes):
            segments = (Segment(_file(random, "segment"), 11),)
            rendition = SceneRendition("720p", 1280, 720, "cafe", _file(random, "init"), segments)
            commands.append(cmd.FinishScene(scene, 1, (rendition,)))
    video = VideoFile("720p", 1280, 720, 12.8, _file(random, "720p"))
    thumbnail = Thumbnail(0, 320, 180, _file(random, "0"))
    commands.append(cmd.FinishVideo(1, (video,), (thumbnail,)))
    for scene in range(scenes):
        segments = (Segment(_file(random, "segment"), 11),)
        rendition = SceneRendition("720p", 1280, 720, "cafe", _file(random, "init"), segments)
        commands.append(cmd.FinishSceneUpload(scene, 1, (rendition,)))
    return [*commands, cmd.FinishUpload(1, (video,), (thumbnail,)), cmd.PublishVideo(1, ())]


class _Bench:
    """A server, an archive and what works on them."""

    def __init__(self, redis: Redis, folder: Path, seed: int) -> None:
        self.redis: Any = redis
        self.random = Random(seed)  # noqa: S311 - names in a benchmark
        self.keyspace = Keyspace()
        self.keys = self.keyspace.partition(0)
        self.shelf = Shelf(LocalStore(folder, now=_now, name="archive"))
        self.tombstones = Tombstones(redis, self.keyspace)
        codec = Codec()
        reader = ArchiveReader(self.tombstones, self.shelf, codec)
        self.log = JobLog(redis, codec=codec, keyspace=self.keyspace, clock=_now, cache_size=1, archive=reader)
        member = GroupMember(redis, redis, self.keys, ARCHIVE_GROUP, ARCHIVE_TOPICS, "bench")
        settings = ArchiveSettings(retention_s=0)
        self.archiver = Archiver(self.log, [member], self.shelf, self.tombstones, settings, clock=_ahead)

    async def begin(self) -> None:
        await self.archiver.ensure()
        for group, topics in GROUP_TOPICS.items():
            await GroupMember(self.redis, self.redis, self.keys, group, topics, "bench").ensure()

    async def finish_jobs(self, jobs: int, scenes: int) -> list[str]:
        """New finished jobs, and every group of handlers behind all of their entries."""
        ids = [new_job_id(0, f"{self.random.getrandbits(128):032x}") for _ in range(jobs)]
        for start in range(0, jobs, _AT_ONCE):
            await asyncio.gather(*(self._finish(job_id, scenes) for job_id in ids[start : start + _AT_ONCE]))
        for group, topics in GROUP_TOPICS.items():
            for stream in self.keys.streams_of(group, topics):
                await self.redis.xgroup_setid(stream, group, "$")
        return ids

    async def _finish(self, job_id: str, scenes: int) -> None:
        cause = Cause("bench", "bench", "", TRACEPARENT)
        record = await self.log.create(job_id, VideoRequest(script="# A script\n\nOne line of it."), cause)
        await self.log.execute(job_id, _life(self.random, scenes), cause, record=record)

    async def archive(self) -> None:
        while await self.archiver.round():
            pass

    async def trim(self, *, feed: bool) -> None:
        await Trimmer(self.redis, self.keyspace, self.tombstones if feed else None, grace_s=0).trim(_ahead())

    async def memory(self) -> int:
        await self.redis.execute_command("MEMORY", "PURGE")
        return int((await self.redis.info("memory"))["used_memory"])


async def _run(url: str, folder: Path, jobs: int, scenes: int, rounds: int) -> ArchiveResult:
    redis = connect(url)
    await redis.flushall()
    bench = _Bench(redis, folder / "one", 1)
    await bench.begin()
    empty = await bench.memory()
    ids = await bench.finish_jobs(jobs, scenes)
    events = len(await bench.log.history(ids[0]))
    finished = await bench.memory()
    await bench.trim(feed=False)
    trimmed = await bench.memory()
    began = perf_counter()
    await bench.archive()
    archiving_s = perf_counter() - began
    await bench.trim(feed=True)
    archived = await bench.memory()
    stored = sum([segment.size_bytes async for segment in bench.shelf.segments()])
    restore_s = await _restored(bench, ids, events)
    round_jobs = max(1, jobs // 10)
    flat = await _rounds(_Bench(redis, folder / "two", 2), rounds, round_jobs, scenes)
    await redis.aclose()
    return ArchiveResult(
        jobs,
        scenes,
        events,
        round((finished - empty) / jobs, 1),
        round((trimmed - empty) / jobs, 1),
        round((archived - empty) / jobs, 1),
        round(jobs / archiving_s, 1),
        round(stored / jobs, 1),
        round(restore_s, 2),
        rounds,
        round_jobs,
        flat,
    )


async def _restored(bench: _Bench, ids: list[str], events: int) -> float:
    """Seconds until an emptied server serves every job again; a sample of them is read."""
    await bench.redis.flushall()
    began = perf_counter()
    found = await restore(bench.shelf, bench.tombstones, merge=False, dry_run=False, log=bench.log)
    seconds = perf_counter() - began
    if found.written != len(ids):
        raise AssertionError(f"{found.written} of {len(ids)} jobs were restored")
    for job_id in bench.random.sample(ids, min(_SAMPLE, len(ids))):
        if len(await bench.log.history(job_id)) != events:
            raise AssertionError(f"job {job_id} isn't served as it was")
    return seconds


async def _rounds(bench: _Bench, rounds: int, jobs: int, scenes: int) -> list[int]:
    """The server's memory after each round in which as many jobs have ended, been archived and trimmed."""
    await bench.redis.flushall()
    await bench.begin()
    empty = await bench.memory()
    after = []
    for _ in range(rounds):
        await bench.finish_jobs(jobs, scenes)
        await bench.archive()
        await bench.trim(feed=True)
        after.append(await bench.memory() - empty)
    return after


def run(jobs: int, scenes: int, rounds: int) -> ArchiveResult:
    """On a server of its own without persistence. Raises AssertionError where a job isn't served."""
    configure_logs("WARNING", json=False)
    tune_process()
    loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with bench_server() as url, tempfile.TemporaryDirectory() as folder, loop as runner:
        return runner.run(_run(url, Path(folder), jobs, scenes, rounds))
