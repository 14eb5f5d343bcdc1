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
    name: Annotated[str, typer.Argument(metavar="NAME", help="A group, new or known.")],
    since: Annotated[
        str, typer.Option("--from", metavar="0|ID|TIME", help="0: all; an entry's id; or RFC 3339.")
    ] = "0",
    topics: Annotated[list[str] | None, typer.Option(help="A topic (may be repeated); default: the group's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the events.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Even if the same replay was done before.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Give a group old events: those in its topics, and by its retry streams those that were trimmed.

    Handlers skip work that is settled. The same replay a second time does nothing; one that broke off goes on.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no group's name: 1 to 64 letters, digits or any of _ . -")
    began = began_at(since)
    found = run_tool(_replay(name, tuple(topics or ()), began, dry_run, again, data_dir))
    if found.partitions_done:
        say(f"{found.partitions_done} partitions were replayed like this before; --again does it once more")
    done = "would be" if dry_run else "were"
    say(
        f"{found.from_topics} events come by the topics, {found.from_histories} {done} delivered from {found.jobs} jobs"
    )


def began_at(text: str) -> datetime | None:
    """None for "0" (everything), else a time: that of an entry's id, or RFC 3339. Raises UsageError."""
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
    from eventflow.log.groups import registered
    from eventflow.storage import StorageError

    async with open_log(data_dir) as parts:
        known = {**GROUP_TOPICS, ARCHIVE_GROUP: ARCHIVE_TOPICS}.get(name, ())
        for keys in parts.keyspace.all:
            if not known and (entry := (await registered(parts.redis, keys)).get(name)):
                known = entry.topics
        replay: Replay = Replay(name, _topics(name, names) or known, since)
        if not replay.topics:
            raise UsageError(f"Nobody knows group {name} yet: name what it reads by --topics {'|'.join(Topic)}.")
        backfill = Backfill(parts.archive_pointers, parts.segment_store, parts.log.archive, parts.log.codec)
        try:
            with steps("jobs") as step:
                return await backfill.run(replay, dry_run=dry_run, again=again, on_jobs=lambda jobs: step(jobs, None))
        except (ArchiveDamaged, DecodeError, StorageError) as error:
            way_out = "Mend that and give the same command: it goes on where it was."
            raise CommandError(f"The replay has stopped: {error}. {way_out}") from error


def _topics(group_name: str, names: Sequence[str]) -> tuple[Topic, ...]:
    if unknown := [name for name in names if name not in set(Topic)]:
        raise UsageError(
            f"There is no topic {', '.join(unknown)} for group {group_name}; there is: {', '.join(Topic)}."
        )
    return tuple(dict.fromkeys(map(Topic, names)))
