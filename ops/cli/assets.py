"""`eventflow assets`: upload your own media to a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer

from ops.cli.command_group import CommandGroup
from ops.cli.common import UsageError, say
from ops.cli.reach import ApiKey, Url, open_api, service
from ops.cli.tables import printable

if TYPE_CHECKING:
    from ops.cli.client import Api


T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    help="Your own pictures, clips and sounds, for use in scenes. Only over HTTP.",
    cls=CommandGroup,
)

AssetId = Annotated[str, typer.Argument(metavar="ID", help="Id of an asset, as `assets add` printed it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A picture, clip or sound file.")],
    name: Annotated[str | None, typer.Option(help="Label of the asset; default: the name of the file.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    json: AsJson = False,
) -> None:
    """Upload a file and print the id by which scenes name it."""
    if not file.is_file():
        raise UsageError(f"{file} can't be read: there is no such file.")
    label = file.name if name is None else name
    _show(_ask(url, api_key, lambda api: api.add_asset(file, label)), json=json)


@app.command()
def show(asset: AssetId, url: Url = None, api_key: ApiKey = None, json: AsJson = False) -> None:
    """Show the kind, size and label of one of your assets."""
    _show(_ask(url, api_key, lambda api: api.asset(asset)), json=json)


@app.command()
def remove(asset: AssetId, url: Url = None, api_key: ApiKey = None) -> None:
    """Remove one of your assets. Videos that are being made with it fail."""
    _ask(url, api_key, lambda api: api.remove_asset(asset))
    say(f"removed {asset}")


def _ask(url: str | None, key: str | None, ask: Callable[[Api], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_api(service(url, key)) as api:
            return await ask(api)

    return asyncio.run(run())


def _show(asset: dict[str, Any], *, json: bool) -> None:
    if json:
        say(orjson.dumps(asset).decode())
        return
    size = f", {asset['width']}x{asset['height']}" if asset["width"] else ""
    length = "" if asset["duration"] is None else f", {asset['duration']:.1f} s"
    say(f"id    {asset['id']}")
    say(f"kind  {asset['kind']} ({asset['media_type']}{size}{length}, {asset['size']} bytes)")
    if asset["name"]:
        say(f"name  {printable(asset['name'])}")
    for warning in asset.get("warnings", ()):
        say(f"warning  {printable(warning['message'])}")
