"""`eventflow groups`: list consumer groups, and remove one for good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from attrs import asdict

from ops.cli.command_group import ListingGroup
from ops.cli.common import CommandError, run_tool, say
from ops.cli.reach import DataDir, open_log
from ops.cli.tables import print_table

if TYPE_CHECKING:
    from eventflow.log.groups import GroupState


app = typer.Typer(help="Consumer groups; trimming waits for the registered ones.", cls=ListingGroup)

#: A member reads at least every two seconds, so a consumer that was idle for longer is dead.
_LIVE_MS = 30_000


@app.command("list")
def list_groups(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the groups. An orphan isn't registered: trimming doesn't wait for it."""
    found = run_tool(_states(data_dir))
    if json:
        for state in found:
            say(orjson.dumps(asdict(state)).decode())
        return
    headings = ("group", "", "topics", "consumers", "live", "pending", "waiting")
    print_table(
        headings,
        [
            (
                state.name,
                "registered" if state.registered else "orphan",
                " ".join(state.topics),
                str(state.consumers),
                str(state.live),
                str(state.pending),
                "?" if state.lag is None else str(state.lag),
            )
            for state in found
        ],
    )


async def _states(data_dir: Path | None) -> Sequence[GroupState]:
    from eventflow.log.groups import group_states

    async with open_log(data_dir) as parts:
        return await group_states(parts.redis, parts.keyspace, live_ms=_LIVE_MS)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a group, as `groups list` shows it.")],
    force: Annotated[bool, typer.Option("--force", help="Even while it has live consumers.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Destroy a group with its pending entries and retries; trimming no longer waits for it."""
    say(f"removed {name} from {run_tool(_remove(name, force, data_dir))} streams")


async def _remove(name: str, force: bool, data_dir: Path | None) -> int:
    from eventflow.log.groups import group_states, remove_group

    async with open_log(data_dir) as parts:
        states = {s.name: s for s in await group_states(parts.redis, parts.keyspace, live_ms=_LIVE_MS)}
        state = states.get(name)
        if state is None:
            raise CommandError(f"unknown group {name!r}; available: {', '.join(states) or 'none'}")
        if state.live and not force:
            raise CommandError(
                f"Group {name} has {state.live} live consumers. Stop its workers and try again in "
                f"{_LIVE_MS // 1000} s, or give --force; a worker that still runs creates it again."
            )
        return await remove_group(parts.redis, parts.keyspace, name)
