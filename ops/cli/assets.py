"""`eventflow assets`: media of your own to a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from ops.cli.common import CLIENT_KEY, CLIENT_URL, UsageError, say
from ops.cli.tables import printable

if TYPE_CHECKING:
    from ops.cli.client import Api, Json


_DEFAULT_URL = "http://127.0.0.1:8080"

app = typer.Typer(no_args_is_help=True, help="Pictures, clips and sound of your own, for scenes.")

Service = Annotated[str, typer.Option(envvar=CLIENT_URL, help="The service.")]
Key = Annotated[
    str | None,
    typer.Option(envvar=CLIENT_KEY, show_envvar=True, help="Token of `eventflow keys add`; better by variable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A picture, clip or sound file.")],
    name: Annotated[str | None, typer.Option(help="What you call it; the file's name if left out.")] = None,
    url: Service = _DEFAULT_URL,
    api_key: Key = None,
    json: AsJson = False,
) -> None:
    """Send a file; prints the id by which scenes name it."""
    if not file.is_file():
        raise UsageError(f"{file} can't be read: there is no such file.")
    called = file.name if name is None else name
    _tell(asyncio.run(_asked(url, api_key, lambda api: api.add_asset(file, called))), json=json)


@app.command()
def show(
    asset: Annotated[str, typer.Argument(metavar="ID", help="As `assets add` has printed it.")],
    url: Service = _DEFAULT_URL,
    api_key: Key = None,
    json: AsJson = False,
) -> None:
    """Show what is known of one of your assets."""
    _tell(asyncio.run(_asked(url, api_key, lambda api: api.asset(asset))), json=json)


async def _asked(url: str, key: str | None, ask: Callable[[Api], Awaitable[Json]]) -> Json:
    import aiohttp
    from yarl import URL

    from ops.cli.client import Api

    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url is {url!r}; it looks like {_DEFAULT_URL}.")
    async with aiohttp.ClientSession() as session:
        return await ask(Api(session, URL(url), key))


def _tell(asset: Json, *, json: bool) -> None:
    if json:
        say(orjson.dumps(asset).decode())
        return
    size = f", {asset['width']}x{asset['height']}" if asset["width"] else ""
    length = "" if asset["duration"] is None else f", {asset['duration']:.1f} s"
    say(f"id    {asset['id']}")
    say(f"kind  {asset['kind']} ({asset['media_type']}{size}{length}, {asset['size']} bytes)")
    if asset["name"]:
        say(f"name  {printable(asset['name'])}")
