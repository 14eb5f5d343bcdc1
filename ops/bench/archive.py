"""`eventflow dev bench archive`: memory of a finished job with and without an archive, and the time of a restore.

Jobs end without handlers, by the commands that handlers would return: each has `scenes` scenes with one rendition of
one segment, and every group has settled every entry. Memory is the server's `used_memory` after MEMORY PURGE, less that
of the empty server. The baseline is a round's jobs without an archive. Rounds follow in which jobs end, are archived at
once, trimmed, and leave the lists. At the end, an emptied server is restored.
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
from eventflow.archive.list_expiry import ListExpiry
from eventflow.archive.reader import ArchiveReader
from eventflow.archive.restore import restore
from eventflow.archive.segment_store import SegmentStore
from eventflow.domain import commands as cmd
from eventflow.domain.commands import Command
from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS
from eventflow.domain.values import FileRef, SceneRendition, Segment, Thumbnail, VideoFile
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.log.trim import Trimmer
from eventflow.runtime.process import tune_process
from eventflow.storage import LocalStore
from eventflow.telemetry.logs import configure_logs
from ops.bench.jobs import CAUSE, REQUEST, job_ids
from ops.bench.servers import bench_server

_AT_ONCE = 250
_SAMPLE = 200
_PAGE = 1_000


#: Kinds of keys, by the start of the key's name after the partition.
_KINDS = {"archived:": "tombstones", "jobs": "lists", "segments": "segments", "job:": "jobs", "feed": "feed"}


@frozen(kw_only=True)
class ArchiveResult:
    """Memory of the server in bytes per job. `finished` and `topics_trimmed` are the baseline, without an archive.

    `round_bytes` is the memory after each round, less the empty server's. Growth is measured over the second half of
    the rounds, when all hashes of archive pointers exist: of all memory, and by kind of key (MEMORY USAGE). `listed`:
    memory of a job's list entries, until it leaves the lists.
    """

    jobs: int
    scenes: int
    partitions: int
    events_per_job: int
    finished_bytes_per_job: float
    topics_trimmed_bytes_per_job: float
    listed_bytes_per_job: float
    rounds: int
    jobs_per_round: int
    round_bytes: list[int]
    growth_bytes_per_job: float
    growth_bytes_per_job_of: dict[str, float]
    archived_jobs_per_s: float
    stored_bytes_per_job: float
    restore_s: float
    restored_jobs_per_s: float


@frozen(kw_only=True)
class _Rounds:
    """Memory after each round, by kind of key after the first half and the last, and that of the lists."""

    ids: list[str]
    memory: list[int]
    half: dict[str, int]
    last: dict[str, int]
    listed: int
    archiving_s: float


def _now() -> datetime:
    return datetime.now(UTC)


def _ahead() -> datetime:
    return _now() + timedelta(milliseconds=5)


def _file(random: Random, name: str) -> FileRef:
    digest = f"{random.getrandbits(256):064x}"
    return FileRef(
        store="delivery",
        key=f"videos/{digest[:32]}/{name}-{digest}",
        sha256=digest,
        size_bytes=random.randrange(10**7),
        media_type="video/mp4",
    )


def _life(random: Random, scenes: int) -> list[Command]:
    """Return the commands that bring a requested job to its end."""
    commands: list[Command] = []
    if scenes:
        plan = _file(random, "plan")
        commands += [cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title="A title", scene_count=scenes, plan=plan)]
        commands += [
            cmd.PlanScene(
                run=1,
                scene=i,
                title=f"Scene {i}",
                start_cells=11 * i,
                duration_cells=11,
                spec=_file(random, "spec"),
                narration=None,
            )
            for i in range(scenes)
        ]
        for scene in range(scenes):
            segments = (Segment(_file(random, "segment"), 11),)
            rendition = SceneRendition(
                quality="720p",
                width=1280,
                height=720,
                decoder_config="cafe",
                init=_file(random, "init"),
                segments=segments,
            )
            commands.append(cmd.FinishScene(scene=scene, run=1, renditions=(rendition,)))
    video = VideoFile(quality="720p", width=1280, height=720, duration_s=12.8, file=_file(random, "720p"))
    thumbnail = Thumbnail(index=0, width=320, height=180, file=_file(random, "0"))
    commands.append(cmd.FinishVideo(run=1, videos=(video,), thumbnails=(thumbnail,)))
    for scene in range(scenes):
        segments = (Segment(_file(random, "segment"), 11),)
        rendition = SceneRendition(
            quality="720p", width=1280, height=720, decoder_config="cafe", init=_file(random, "init"), segments=segments
        )
        commands.append(cmd.FinishSceneUpload(scene=scene, run=1, renditions=(rendition,)))
    return [*commands, cmd.FinishUpload(run=1, videos=(video,), thumbnails=(thumbnail,)), cmd.PublishVideo(1, ())]


class _Bench:
    """A server, an archive, and the parts that work on them."""

    def __init__(self, redis: Redis, folder: Path, partitions: int) -> None:
        self.redis: Any = redis
        self.random = Random(1)  # noqa: S311 - names in a benchmark
        self.keyspace = Keyspace(partitions=partitions)
        self.segments = SegmentStore(LocalStore(folder, now=_now, name="archive"))
        self.pointers = ArchivePointers(redis, self.keyspace)
        codec = Codec()
        reader = ArchiveReader(self.pointers, self.segments, codec)
        self.log = JobEventStore(redis, codec=codec, keyspace=self.keyspace, clock=_now, cache_size=1, archive=reader)
        members = [
            GroupMember(
                blocking=redis, redis=redis, keys=keys, group=ARCHIVE_GROUP, topics=ARCHIVE_TOPICS, consumer="bench"
            )
            for keys in self.keyspace.all
        ]
        settings = ArchiveSettings(archive_after_s=0)
        self.archiver = Archiver(self.log, members, self.segments, self.pointers, settings, clock=_ahead)
        self.list_expiry = ListExpiry(
            job_lists=self.log.job_lists,
            pointers=self.pointers,
            segment_store=self.segments,
            listed_s=0,
            clock=_ahead,
        )

    async def begin(self) -> int:
        """Empty the server, create all groups, and return its memory."""
        await self.redis.execute_command("FLUSHALL", "SYNC")  # its work must not be in later figures
        await self.archiver.ensure()
        for keys in self.keyspace.all:
            for group, topics in GROUP_TOPICS.items():
                await GroupMember(
                    blocking=self.redis, redis=self.redis, keys=keys, group=group, topics=topics, consumer="bench"
                ).ensure()
        return await self.memory()

    async def finish_jobs(self, jobs: int, scenes: int) -> list[str]:
        """Make finished jobs, and move every group past their entries; returns their ids."""
        partitions = self.keyspace.partitions
        ids = job_ids(self.random, jobs, partitions)
        for start in range(0, jobs, _AT_ONCE):
            await asyncio.gather(*(self._finish(job_id, scenes) for job_id in ids[start : start + _AT_ONCE]))
        for keys in self.keyspace.all:
            for group, topics in GROUP_TOPICS.items():
                for stream in keys.streams_of(group, topics):
                    await self.redis.xgroup_setid(stream, group, "$")
        return ids

    async def _finish(self, job_id: str, scenes: int) -> None:
        record = await self.log.create(job_id, REQUEST, CAUSE)
        await self.log.execute(job_id, _life(self.random, scenes), CAUSE, record=record)

    async def archive(self) -> None:
        while await self.archiver.round():
            pass

    async def expire_lists(self) -> None:
        while await self.list_expiry.step():
            pass

    async def trim(self, *, feed: bool) -> None:
        await Trimmer(self.redis, self.keyspace, self.pointers if feed else None, grace_s=0).trim(_ahead())

    async def memory(self) -> int:
        await self.redis.execute_command("MEMORY", "PURGE")
        return int((await self.redis.info("memory"))["used_memory"])

    async def kinds(self) -> dict[str, int]:
        """Return the MEMORY USAGE of all keys, by kind."""
        found = dict.fromkeys((*_KINDS.values(), "other"), 0)
        names = [name async for name in self.redis.scan_iter(count=_PAGE)]
        for start in range(0, len(names), _PAGE):
            some = names[start : start + _PAGE]
            async with self.redis.pipeline(transaction=False) as pipe:
                for name in some:
                    pipe.memory_usage(name, samples=0)
                for name, size in zip(some, await pipe.execute(), strict=True):
                    found[_kind(name.decode())] += size or 0
        return found


def _kind(name: str) -> str:
    rest = name.partition("}:")[2]
    return next((kind for start, kind in _KINDS.items() if rest.startswith(start)), "other")


async def _run(url: str, folder: Path, jobs: int, scenes: int, rounds: int, partitions: int) -> ArchiveResult:
    redis = connect(url)
    bench = _Bench(redis, folder / "archive", partitions)
    round_jobs = max(1, jobs // rounds)
    finished, trimmed, events = await _without_archive(bench, round_jobs, scenes)
    seen = await _rounds(bench, rounds, round_jobs, scenes)
    stored = sum([segment.size_bytes async for segment in bench.segments.segments()])
    restore_s = await _restored(bench, seen.ids, events)
    await redis.aclose()
    half = rounds // 2
    later = (rounds - half) * round_jobs
    return ArchiveResult(
        jobs=len(seen.ids),
        scenes=scenes,
        partitions=partitions,
        events_per_job=events,
        finished_bytes_per_job=round(finished / round_jobs, 1),
        topics_trimmed_bytes_per_job=round(trimmed / round_jobs, 1),
        listed_bytes_per_job=round(seen.listed / round_jobs, 1),
        rounds=rounds,
        jobs_per_round=round_jobs,
        round_bytes=seen.memory,
        growth_bytes_per_job=round((seen.memory[-1] - seen.memory[half - 1]) / later, 1),
        growth_bytes_per_job_of={kind: round((seen.last[kind] - seen.half[kind]) / later, 2) for kind in seen.last},
        archived_jobs_per_s=round(len(seen.ids) / seen.archiving_s, 1),
        stored_bytes_per_job=round(stored / len(seen.ids), 1),
        restore_s=round(restore_s, 2),
        restored_jobs_per_s=round(len(seen.ids) / restore_s, 1),
    )


async def _without_archive(bench: _Bench, jobs: int, scenes: int) -> tuple[int, int, int]:
    """Return (memory of finished jobs, memory once the topics are trimmed, events of each job)."""
    empty = await bench.begin()
    ids = await bench.finish_jobs(jobs, scenes)
    events = len(await bench.log.history(ids[0]))
    finished = await bench.memory()
    await bench.trim(feed=False)
    return finished - empty, await bench.memory() - empty, events


async def _rounds(bench: _Bench, rounds: int, jobs: int, scenes: int) -> _Rounds:
    """Run the rounds: in each, `jobs` jobs end, are archived, trimmed, and leave the lists."""
    empty = await bench.begin()
    ids: list[str] = []
    memory: list[int] = []
    half: dict[str, int] = {}
    archiving_s = 0.0
    listed = 0
    for number in range(rounds):
        ids += await bench.finish_jobs(jobs, scenes)
        began = perf_counter()
        await bench.archive()
        archiving_s += perf_counter() - began
        await bench.trim(feed=True)
        if number == rounds - 1:
            listed = (await bench.kinds())["lists"]
        await bench.expire_lists()
        memory.append(await bench.memory() - empty)
        if number == rounds // 2 - 1:
            half = await bench.kinds()
    last = await bench.kinds()
    return _Rounds(ids=ids, memory=memory, half=half, last=last, listed=listed, archiving_s=archiving_s)


async def _restored(bench: _Bench, ids: list[str], events: int) -> float:
    """Restore an emptied server and read a sample of its jobs; returns the seconds of the restore."""
    await bench.redis.flushall()
    began = perf_counter()
    found = await restore(bench.segments, bench.pointers, merge=False, dry_run=False, log=bench.log)
    seconds = perf_counter() - began
    if found.written != len(ids):
        raise AssertionError(f"{found.written} of {len(ids)} jobs were restored")
    for job_id in bench.random.sample(ids, min(_SAMPLE, len(ids))):
        if len(await bench.log.history(job_id)) != events:
            raise AssertionError(f"job {job_id} has fewer events after the restore")
    return seconds


def run(jobs: int, scenes: int, rounds: int, partitions: int) -> ArchiveResult:
    """Measure on a new server without persistence. Raises AssertionError if a job isn't restored."""
    configure_logs("WARNING", json=False)
    tune_process()
    loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with bench_server() as url, tempfile.TemporaryDirectory() as folder, loop as runner:
        return runner.run(_run(url, Path(folder), jobs, scenes, rounds, partitions))
