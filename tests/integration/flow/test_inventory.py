"""Stores held against the log: orphans, missing and damaged files, open uploads; and what a repair removes."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain.state import Phase
from eventflow.storage.s3.store import S3Store
from ops.compose import utc_now
from ops.storage_check.check import Check, CheckReport, Finding, FindingKind
from ops.storage_check.referenced_files import all_jobs, compact, expanded
from ops.storage_check.uploads import open_uploads
from tests.support.archiving import archive_of
from tests.support.programs import Finished, Programs
from tests.support.runtime import CAUSE
from tests.support.s3_servers import S3Server, environment_for, moto_server, rclone_server
from tests.support.stored_jobs import stored_job
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until

NOBODY = "00-" + "e" * 32
AN_HOUR = timedelta(hours=1)


async def found(
    s: Studio, *, age: timedelta = -AN_HOUR, **changes: Any
) -> tuple[CheckReport, list[tuple[FindingKind, str]]]:
    """(report, (kind, key or job) of each finding); files of any age count unless `age` says otherwise."""
    told: list[Finding] = []
    jobs = await all_jobs(s.parts.redis, s.parts.keyspace, s.parts.pointers)
    check = Check(log=s.parts.log, stores=s.parts.stores, older_than=utc_now() - age, on_finding=told.append, **changes)
    report = await check.run(jobs)
    return report, sorted((finding.kind, finding.key or finding.job_id) for finding in told)


async def put(s: Studio, role: str, key: str) -> str:
    await s.parts.stores[role].put_bytes(key, b"somebody's", media_type="text/plain")  # type: ignore[index]
    return key


def path_of(s: Studio, key: str, store: str = "delivery") -> Path:
    return s.folder / "data" / store / key


async def test_real_jobs_in_every_state_leave_nothing_to_find(studio: StudioOf) -> None:
    async with studio(EVENTFLOW_SCENE_CACHE_DAYS="1") as s:
        jobs = [await s.space.submit(simulation(quality_levels=("360p",), **more)) for more in _WAYS]
        await wait_until(lambda: s.space.ended(*jobs), 60, what="all have ended")
        await s.space.do(jobs[-1], cmd.RequestDeletion("asked"))
        await wait_until(lambda: s.space.ended(*jobs), 60, what="the last one is deleted")
        report, findings = await found(s, checksum=True)
        assert findings == []
        assert (report.jobs, report.left) == (len(jobs), 0)
        assert report.objects > 20


_WAYS: list[dict[str, Any]] = [{}, {"s3_upload_enabled": False}, {"cleanup_local_files": False}, {}]


async def test_each_kind_is_found_and_only_orphans_are_removed(studio: StudioOf) -> None:
    async with studio(workers=()) as s:
        stores, space = s.parts.stores, s.space
        good, broken = [await stored_job(space, stores, 4) for _ in range(2)]
        working = await stored_job(space, stores, 2, published=False)
        gone = await stored_job(space, stores, 2)
        left_behind = sorted(str(key.relative_to(s.folder / "data/delivery")) for key in s.files("delivery"))
        left_behind = [key for key in left_behind if gone in key]
        await space.do(gone, cmd.RequestDeletion("asked"), cmd.ConfirmDeletion(0))  # said too early
        orphans = [
            await put(s, "delivery", f"videos/{good}/360p/stray.mp4"),
            await put(s, "workspace", f"jobs/{good}/stray.json"),
            *left_behind,
        ]
        unknown = await put(s, "fallback", f"videos/{NOBODY}/360p/stray.mp4")
        foreign = [await put(s, "delivery", f"videos/{name}") for name in ("not-a-job", "holiday/beach.mp4")]
        others = [
            await put(s, "workspace", f"jobs/{working}/soon-to-be-named.json"),
            await put(s, "workspace", "assets/bob/logo.png"),
            await put(s, "workspace", "cache/bob/scene/entry.json"),
        ]
        job = await space.job(broken)
        missing, damaged, cut = (segment.file.key for segment in job.scenes[0].uploaded[0].segments[1:])
        path_of(s, missing).unlink()
        path_of(s, damaged).write_bytes(path_of(s, damaged).read_bytes()[::-1])
        path_of(s, cut).write_bytes(b"cut")
        wrong = [(FindingKind.DAMAGED, damaged), (FindingKind.DAMAGED, cut), (FindingKind.MISSING, missing)]
        wrong += [(FindingKind.UNKNOWN, unknown), *((FindingKind.FOREIGN, key) for key in foreign)]
        expected = sorted([*((FindingKind.ORPHAN, key) for key in orphans), *wrong])

        report, findings = await found(s, checksum=True)
        assert findings == expected
        assert (report.jobs, report.unknown_objects, report.left) == (4, 3, len(expected))
        assert (await found(s))[1] == [each for each in expected if each[0] is not FindingKind.DAMAGED]
        assert [kind for kind, _ in (await found(s, age=AN_HOUR))[1]] == [FindingKind.MISSING], (
            "young files may be named yet"
        )

        report, findings = await found(s, repair=True, checksum=True)
        assert findings == expected
        assert (report.removed, report.left) == ({FindingKind.ORPHAN: len(orphans)}, len(wrong))
        assert (await found(s, checksum=True))[1] == sorted(wrong)
        report, _ = await found(s, repair=True, unknown_too=True, checksum=True)
        assert report.removed == {FindingKind.UNKNOWN: 1}
        assert all(path_of(s, key).exists() for key in foreign), "what no job is called is nobody's to remove"
        for key in others:
            assert path_of(s, key, "workspace").exists()


async def test_what_comes_home_is_no_orphan_at_either_end(studio: StudioOf) -> None:
    async with studio(workers=()) as s:
        job_id = await stored_job(s.space, s.parts.stores, 2, role="fallback")
        keys = tuple(str(path.relative_to(s.folder / "data/fallback")) for path in s.files("fallback"))
        for key in keys:
            path_of(s, key).parent.mkdir(parents=True, exist_ok=True)
            path_of(s, key).write_bytes(path_of(s, key, "fallback").read_bytes())
        assert (await found(s))[1] == []
        await s.space.do(job_id, cmd.RelocateFiles(keys))
        assert (await found(s, checksum=True))[1] == []
        path_of(s, keys[0]).unlink()
        assert (await found(s))[1] == [(FindingKind.MISSING, keys[0])]


async def test_archived_and_unreadable_jobs_keep_their_files(studio: StudioOf, tmp_path: Path) -> None:
    async with studio(workers=(), EVENTFLOW_ARCHIVE_URL=(tmp_path / "archive").as_uri()) as s:
        kept, unreadable = [await stored_job(s.space, s.parts.stores, 2) for _ in range(2)]
        assert s.parts.segment_store is not None
        archived = archive_of(s.space, s.parts.segment_store.store)
        await archived.archive()
        assert not await archived.in_server(kept)
        await s.parts.redis.xadd(s.space.keys.events(NOBODY), {"e": b"no event"}, id="1-0")
        await put(s, "delivery", f"videos/{NOBODY}/a.mp4")
        assert (await found(s))[1] == [(FindingKind.UNREADABLE, NOBODY)]
        path_of(s, f"videos/{kept}").rename(tmp_path / "elsewhere")
        report, findings = await found(s, repair=True)
        assert {kind for kind, _ in findings} == {FindingKind.UNREADABLE, FindingKind.MISSING}
        assert {key.split("/")[1] for kind, key in findings if kind is FindingKind.MISSING} == {kept}
        assert report.removed == {}
        assert await s.parts.log.execute(unreadable, [], CAUSE) is not None


def test_compact_ids_sort_as_ids_do() -> None:
    ids = [f"{number % 7:02x}-{number * 7919 % 65536:032x}" for number in range(500)]
    assert [expanded(raw) for raw in sorted(map(compact, ids))] == sorted(ids)


@pytest.mark.parametrize("server_of", [moto_server, rclone_server])
async def test_open_uploads_are_found_and_aborted_when_they_are_old(
    studio: StudioOf, monkeypatch: pytest.MonkeyPatch, server_of: Any
) -> None:
    with server_of() as server:
        use(server, monkeypatch)
        async with studio(workers=(), EVENTFLOW_DELIVERY_URL=f"s3://{server.bucket}/films") as s:
            store = s.parts.stores["delivery"]
            assert isinstance(store, S3Store)
            client = await store._connection.client()
            job = await s.space.submit()
            ours, others = f"films/videos/{job}/a.mp4", f"films/videos/{NOBODY}/a.mp4"
            for key in (ours, others, "other/b.mp4"):
                await client.create_multipart_upload(Bucket=server.bucket, Key=key)

            async def uploads(ahead: timedelta, *, repair: bool, unknown_too: bool = False) -> dict[str, bool]:
                options: Any = {"repair": repair, "unknown_too": unknown_too}
                seen = [f async for f in open_uploads(s.parts.log, s.parts.stores, utc_now() + ahead, **options)]
                assert {f.kind for f in seen} <= {FindingKind.UPLOAD}
                return {f.key: f.removed for f in seen}

            if server_of is rclone_server:  # for moto all began in 2010
                assert await uploads(-AN_HOUR, repair=True) == {}
            assert await uploads(AN_HOUR, repair=False) == {ours: False, others: False}
            assert await uploads(AN_HOUR, repair=True) == {ours: True, others: False}
            await s.parts.redis.xadd(s.space.keys.events(NOBODY), {"e": b"no event"}, id="1-0")
            assert await uploads(AN_HOUR, repair=True, unknown_too=True) == {}, "nobody knows what it is at"
            await s.parts.redis.delete(s.space.keys.events(NOBODY))
            assert await uploads(AN_HOUR, repair=True, unknown_too=True) == {others: True}
            left = await client.list_multipart_uploads(Bucket=server.bucket)
            assert [upload["Key"] for upload in left["Uploads"]] == ["other/b.mp4"]


def use(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_for(server).items():
        monkeypatch.setenv(name, value)


async def run(programs: Programs, *options: str) -> Finished:
    return await asyncio.to_thread(programs.run, "storage", "check", *options)


async def test_the_command_is_dry_by_default_and_knows_a_wrong_log(studio: StudioOf, programs: Programs) -> None:
    async with studio(workers=()) as s:
        await stored_job(s.space, s.parts.stores, 4)
        clean = await run(programs)
        assert (clean.code, "stores and log agree" in clean.out) == (0, True), clean.err
        stray = path_of(s, await put(s, "delivery", f"videos/{NOBODY}/stray.mp4"))
        _make_old(stray)
        asked = await run(programs, "--json")
        lines = [json.loads(line) for line in asked.out.splitlines()]
        assert (asked.code, lines[0]["kind"], lines[0]["removed"], lines[-1]["left"]) == (1, "unknown", False, 1)
        assert stray.exists()
        for number in range(5):
            _make_old(path_of(s, await put(s, "delivery", f"videos/{NOBODY}/{number}.mp4")))
        refused = await run(programs, "--repair")
        assert (refused.code, "--force" in refused.err, stray.exists()) == (1, True, True)
        done = await run(programs, "--repair", "--force")
        assert (done.code, stray.exists()) == (0, False), done.out
        assert len(s.files("delivery")) == 4
        assert (await s.space.job(s.files("delivery")[0].parts[-3])).phase is Phase.COMPLETED


async def test_another_environments_files_are_left_unless_their_number_is_typed(
    studio: StudioOf, programs: Programs
) -> None:
    async with studio(workers=()) as s:
        await stored_job(s.space, s.parts.stores, 6)
        strange = [path_of(s, await put(s, "delivery", f"videos/{NOBODY}/{n}.mp4")) for n in range(2)]
        for path in strange:
            _make_old(path)
        left = await run(programs, "--repair")
        assert (left.code, "2 are of jobs that this log doesn't know" in left.out) == (1, True)
        for typed, code, exist in (("", 1, True), ("yes", 1, True), ("2", 0, False)):
            ended = await asyncio.to_thread(_at_a_terminal, programs, typed)
            assert (ended, [path.exists() for path in strange]) == (code, [exist] * 2), typed


def _at_a_terminal(programs: Programs, typed: str) -> int:
    """`storage check --repair` where somebody types an answer; its exit code."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, **programs.environment}
    command = [sys.executable, "-P", "-m", "ops.cli", "storage", "check", "--repair"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as process:
        os.close(theirs)
        os.write(ours, f"{typed}\n".encode())
        told = b""
        with suppress(OSError):  # what a terminal says when the other end is gone
            while chunk := os.read(ours, 4_096):
                told += chunk
        os.close(ours)
        assert b"2 files belong to jobs that this log doesn't know" in told, told
        return process.wait(60)


def _make_old(path: Path) -> None:
    os.utime(path, (0, 10_000))
