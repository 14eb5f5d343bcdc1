"""`eventflow archive`: show the archive, verify it, and restore a server from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from attrs import asdict, evolve, frozen

from ops.cli.command_group import CommandGroup
from ops.cli.common import EXIT_FAILURE, CommandError, UsageError, run_tool, say
from ops.cli.progress import steps
from ops.cli.reach import DataDir, open_log
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from eventflow.archive.restore import Restored
    from eventflow.archive.segment_store import SegmentStore
    from eventflow.archive.verify import Orphan, Verified
    from ops.compose import Parts


app = typer.Typer(
    help="Finished jobs in the object store (EVENTFLOW_ARCHIVE_URL).", no_args_is_help=True, cls=CommandGroup
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@frozen(kw_only=True)
class ArchiveStatus:
    """`archived` jobs have an archive pointer in the server; `waiting` outcomes aren't archived yet."""

    store: str
    segments: int
    stored_bytes: int
    archived: int
    waiting: int
    retention_seconds: float


@app.command()
def status(json: Json = False, data_dir: DataDir = None) -> None:
    """Show what is archived, and how many outcomes wait for it."""
    found = asdict(run_tool(_status(data_dir)))
    if json:
        say(orjson.dumps(found).decode())
    else:
        print_table(("figure", "value"), [(name.replace("_", " "), str(value)) for name, value in found.items()])


async def _status(data_dir: Path | None) -> ArchiveStatus:
    from eventflow.domain.topics import ARCHIVE_GROUP, LANES, Topic
    from eventflow.log.groups import group_states

    async with _open(data_dir) as parts:
        segments = _segment_store(parts)
        sizes = [segment.size_bytes async for segment in segments.segments()]
        archived = sum([await parts.pointers.count(keys) for keys in parts.keyspace.all])
        states = {state.name: state for state in await group_states(parts.redis, parts.keyspace, live_ms=0)}
        group = states.get(ARCHIVE_GROUP)
        waiting = group.lag if group else None
        if waiting is None:  # no archiver yet, or a server that doesn't tell
            streams = [keys.topic(Topic.OUTCOME, lane) for keys in parts.keyspace.all for lane in LANES]
            waiting = sum([int(await parts.redis.xlen(stream)) for stream in streams])
        return ArchiveStatus(
            store=segments.store.description,
            segments=len(sizes),
            stored_bytes=sum(sizes),
            archived=archived,
            waiting=waiting,
            retention_seconds=parts.settings.finished_jobs.archive_after_seconds,
        )


@app.command()
def verify(
    remove_orphans: Annotated[
        bool,
        typer.Option("--remove-orphans", help="Remove segments without an archive pointer."),
    ] = False,
    min_age_hours: Annotated[float, typer.Option(min=2, help="Younger segments don't count as orphans.")] = 24.0,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Read every segment, check checksums, histories and archive pointers. Exit code 1 on a defect.

    Segments without an archive pointer (an archiver died before it wrote one) are listed, and removed on demand: not
    while there are defects, and only if each of their jobs is served from another segment.
    """
    found, removed = run_tool(_verify(data_dir, min_age_hours * 3600, remove=remove_orphans))
    if json:
        say(orjson.dumps(found.as_json() | {"removed": [orphan.name for orphan in removed]}).decode())
    else:
        for defect in found.defects:
            say(printable(defect))
        say(f"{found.segments} segments, {found.histories} sound histories, {found.archived} archived jobs served")
        if found.unserved:
            way_out = "`eventflow archive restore --force-merge` serves them"
            say(f"{found.unserved} jobs are only in the archive; {way_out}")
        _say_orphans(found, removed, asked=remove_orphans)
    if found.defects:
        raise typer.Exit(EXIT_FAILURE)


def _say_orphans(found: Verified, removed: Sequence[Orphan], *, asked: bool) -> None:
    gone = {orphan.name for orphan in removed}
    for orphan in found.orphans:
        done = "removed" if orphan.name in gone else "without an archive pointer"
        say(f"{orphan.name}: {orphan.jobs} jobs, {orphan.size_bytes} bytes, {done}")
    if asked and found.orphans and found.defects:
        say("No segment was removed: repair the defects first.")
    elif found.orphans and not asked:
        say(f"{len(found.orphans)} segments aren't needed: `eventflow archive verify --remove-orphans` removes them")


async def _verify(data_dir: Path | None, min_age_s: float, *, remove: bool) -> tuple[Verified, Sequence[Orphan]]:
    from eventflow.archive.verify import remove_orphans
    from eventflow.archive.verify import verify as run

    async with _open(data_dir) as parts:
        segments = _segment_store(parts)
        with steps("segments") as step:
            found = await run(segments, parts.pointers, parts.log.codec, step)
        newest = _now() - timedelta(seconds=min_age_s)
        found = evolve(found, orphans=tuple(orphan for orphan in found.orphans if orphan.written_at <= newest))
        if found.defects or not remove:
            return found, ()
        return found, await remove_orphans(segments, parts.pointers, found.orphans)


def _now() -> datetime:
    return datetime.now(UTC)


@app.command()
def restore(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be restored, and write nothing.")] = False,
    force_merge: Annotated[
        bool, typer.Option("--force-merge", help="Restore into a server with jobs; newer versions are kept.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Let an empty server serve every archived job again. May be repeated; `archive verify` checks the result."""
    found = run_tool(_restore(dry_run, force_merge, data_dir))
    done = "would be served" if dry_run else f"in the archive, {found.written} of them newly served"
    say(f"{found.segments} segments, {found.jobs} jobs {done}")


async def _restore(dry_run: bool, merge: bool, data_dir: Path | None) -> Restored:
    from eventflow.archive.restore import NotEmpty
    from eventflow.archive.restore import restore as run
    from eventflow.log.errors import ArchiveDamaged
    from ops.environment import adopt_archive_id

    async with _open(data_dir) as parts:
        try:
            with steps("segments") as step:
                found = await run(
                    _segment_store(parts),
                    parts.pointers,
                    merge=merge,
                    dry_run=dry_run,
                    log=parts.log,
                    listed_since=_now() - timedelta(seconds=parts.settings.finished_jobs.listing_window_seconds),
                    stays=parts.settings.finished_jobs.deletes,
                    on_segment=step,
                )
            if not dry_run:
                await adopt_archive_id(parts)
            return found
        except NotEmpty as error:
            way_out = "Restore into an empty server, or give --force-merge: then the newer version of each job is kept."
            raise CommandError(f"{str(error).capitalize()}. {way_out}") from error
        except ArchiveDamaged as error:
            raise CommandError(
                f"The archive is damaged: {error}. `eventflow archive verify` lists every defect."
            ) from error


@asynccontextmanager
async def _open(data_dir: Path | None) -> AsyncIterator[Parts]:
    from eventflow.storage import StorageError

    async with open_log(data_dir) as parts:
        try:
            yield parts
        except StorageError as error:
            way_out = "Correct EVENTFLOW_ARCHIVE_URL or the store's permissions; `eventflow doctor` checks both."
            raise CommandError(f"The archive can't be used: {error} {way_out}") from error


def _segment_store(parts: Parts) -> SegmentStore:
    if parts.segment_store is None:
        raise UsageError("No archive is configured: set EVENTFLOW_ARCHIVE_URL to file:///folder or s3://bucket/prefix.")
    return parts.segment_store
