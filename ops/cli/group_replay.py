"""`eventflow groups replay`: give a new or reset consumer group old events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS, Topic
from ops.cli.common import CommandError, UsageError, run_tool, say
from ops.cli.progress import steps
from ops.cli.reach import DataDir, open_log

if TYPE_CHECKING:
    from eventflow.archive.backfill import Replayed


_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENTRY_ID = re.compile(r"(\d{13})(-\d+)?")


def replay(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A group, new or registered.")],
    since: Annotated[
        str, typer.Option("--from", metavar="0|ID|TIME", help="0: all; an entry's id; or RFC 3339.")
    ] = "0",
    topics: Annotated[list[str] | None, typer.Option(help="A topic (may be repeated); default: the group's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the events.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Even if the same replay was done before.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Deliver old events to a group: from its topics, and trimmed ones from histories, by its retry streams.

    Handlers skip settled work. The same replay a second time does nothing; an interrupted one continues.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} isn't a name of a group: 1 to 64 letters, digits or any of _ . -")
    began = began_at(since)
    found = run_tool(_replay(name, tuple(topics or ()), began, dry_run, again, data_dir))
    if found.partitions_done:
        say(f"{found.partitions_done} partitions had the same replay before; --again repeats it")
    histories = f"{found.from_histories} {'would be' if dry_run else 'were'} delivered from {found.jobs} histories"
    say(f"{found.from_topics} events come from the topics, {histories}")


def began_at(text: str) -> datetime | None:
    """Return None for "0" (everything), or the time of an entry's id, or an RFC 3339 time. Raises UsageError."""
    if text == "0":
        return None
    if match := _ENTRY_ID.fullmatch(text):
        return datetime.fromtimestamp(int(match[1]) / 1000, UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--from {text}: give 0, an entry's id (1767225600000-0), or 2026-01-01T00:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def _replay(
    name: str, names: Sequence[str], since: datetime | None, dry_run: bool, again: bool, data_dir: Path | None
) -> Replayed:
    from eventflow.archive.backfill import Backfill, Replay
    from eventflow.log.codec import DecodeError
    from eventflow.log.errors import ArchiveDamaged
    from eventflow.log.groups import registered_groups
    from eventflow.storage import StorageError

    async with open_log(data_dir) as parts:
        known = {**GROUP_TOPICS, ARCHIVE_GROUP: ARCHIVE_TOPICS}.get(name, ())
        for keys in parts.keyspace.all:
            if not known and (entry := (await registered_groups(parts.redis, keys)).get(name)):
                known = entry.topics
        replay: Replay = Replay(name, _topics(name, names) or known, since)
        if not replay.topics:
            raise UsageError(f"unknown group {name}: name the topics that it reads, --topics {'|'.join(Topic)}")
        backfill = Backfill(parts.pointers, parts.segment_store, parts.log.archive, parts.log.codec)
        try:
            with steps("jobs") as step:
                return await backfill.run(replay, dry_run=dry_run, again=again, on_jobs=lambda jobs: step(jobs, None))
        except (ArchiveDamaged, DecodeError, StorageError) as error:
            way_out = "Repair that and run the same command again: it continues there."
            raise CommandError(f"The replay has stopped: {error}. {way_out}") from error


def _topics(group_name: str, names: Sequence[str]) -> tuple[Topic, ...]:
    if unknown := [name for name in names if name not in set(Topic)]:
        raise UsageError(f"unknown topic {', '.join(unknown)} for group {group_name}; available: {', '.join(Topic)}")
    return tuple(dict.fromkeys(map(Topic, names)))
