"""`eventflow keys`: API keys, stored in the log's server."""

from __future__ import annotations

from typing import Annotated

import typer

from eventflow.access.api_keys import ApiKey
from ops.cli.command_group import ListingGroup
from ops.cli.common import CommandError, UsageError, run_tool, say
from ops.cli.reach import DataDir, open_log
from ops.cli.tables import print_table

app = typer.Typer(help="API keys. Once there was a key, every request needs one.", cls=ListingGroup)

_NOBODY = "Every request needs one: `eventflow keys add OWNER --admin` makes one."


@app.command()
def add(
    owner: Annotated[str, typer.Argument(help="Owner of the jobs that the key may reach.")],
    admin: Annotated[bool, typer.Option("--admin", help="Allow the key /api/v1/admin, too.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print its token. Only a digest is stored: the token can't be shown again."""

    async def run() -> tuple[ApiKey, str]:
        async with open_log(data_dir) as parts:
            return await parts.api_keys.add(owner, ["admin"] if admin else [])

    try:
        record, token = run_tool(run())
    except ValueError as error:
        raise UsageError(f"{owner!r}: {error}") from error
    typer.echo(f"key {record.id} of {record.owner}; save the token, it isn't shown again:", err=True)
    say(token)


@app.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """List the keys, without their tokens."""

    async def run() -> tuple[list[ApiKey], bool]:
        async with open_log(data_dir) as parts:
            return await parts.api_keys.list(), await parts.api_keys.ever()

    found, ever = run_tool(run())
    if not found and ever:
        typer.echo(f"There is no key left. {_NOBODY}", err=True)
    elif not found:
        typer.echo(f"There is no key yet. {_NOBODY} Only `eventflow up` is open, to this machine.", err=True)
    rows = [(key.id, key.owner, " ".join(key.scopes), key.created_at[:19] + "Z") for key in found]
    print_table(("id", "owner", "scopes", "created"), rows)


@app.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Id of a key, as `keys list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation, even for the last key.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Revoke a key. Web processes may accept it for a second more.

    After the last one every request is refused; make another one first.
    """

    async def run() -> bool:
        async with open_log(data_dir) as parts:
            if not yes and [key.id for key in await parts.api_keys.list()] == [identity]:
                typer.echo(f"This is the last key. {_NOBODY}", err=True)
                if not typer.confirm("Revoke it", err=True):
                    raise CommandError("Nothing was revoked; --yes revokes it without a question.")
            return await parts.api_keys.revoke(identity)

    if not run_tool(run()):
        raise CommandError(f"unknown key {identity!r}; `eventflow keys list` shows them")
    say(f"revoked {identity}")
