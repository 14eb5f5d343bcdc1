"""`eventflow storage`: what viewers' stores need once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ops.cli.common import CommandError, StackDir, open_tool, run_tool, say

if TYPE_CHECKING:
    from eventflow.storage import ObjectStore

app = typer.Typer(help="The stores that viewers reach.", no_args_is_help=True)


@app.callback()
def _commands() -> None:
    """More than one command, though there is one."""


@app.command()
def setup(data_dir: StackDir = None) -> None:
    """Let players in pages of any origin read what signed URLs of the delivery bucket lead to (CORS)."""
    run_tool(_setup(data_dir))


async def _setup(data_dir: Path | None) -> None:
    from eventflow.storage import StorageError

    async with open_tool(data_dir) as parts:
        store = parts.stores["delivery"]
        try:
            say(f"{store.description}: {await set_up(store)}")
        except StorageError as error:
            way_out = "Allow this user s3:GetBucketCORS and s3:PutBucketCORS, or set the rule at the store itself."
            raise CommandError(f"{error} {way_out}") from error


async def set_up(store: ObjectStore) -> str:
    """Set up a delivery store; says what was done. Raises StorageError."""
    from eventflow.storage.s3 import S3Store

    if not isinstance(store, S3Store):
        return "nothing to set up: the web app serves it, to pages of any origin"
    if await store.let_any_page_read():
        return "players of any origin may read it now"
    return "players of any origin may read it already"
