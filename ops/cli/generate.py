"""`eventflow generate`: a script or scenes to a running service, and its progress."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.cli.common import CLIENT_KEY, CLIENT_URL, CommandError, UsageError, say
from ops.cli.request_files import merge_fields, read_source, style_options

_DEFAULT_URL = "http://127.0.0.1:8080"


def generate(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Markdown, plain text, or scenes (.json); - for standard input.")
    ],
    url: Annotated[str, typer.Option(envvar=CLIENT_URL, help="The service.")] = _DEFAULT_URL,
    api_key: Annotated[
        str | None,
        typer.Option(envvar=CLIENT_KEY, show_envvar=True, help="Token of `eventflow keys add`; better by variable."),
    ] = None,
    quality: Annotated[list[str] | None, typer.Option(help="Such as 720p (may be repeated).")] = None,
    voice: Annotated[str | None, typer.Option(help="Who narrates, such as en-us; none for no narration.")] = None,
    rate: Annotated[float | None, typer.Option(help="Speech rate, 0.5 to 2.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="explainer, simulation or a plug-in's name.")] = None,
    theme: Annotated[str | None, typer.Option(help="How it looks, such as midnight.")] = None,
    aspect: Annotated[str | None, typer.Option(help="16:9, 9:16 or 1:1.")] = None,
    captions: Annotated[str | None, typer.Option(help="yes, no or burned.")] = None,
    merge: Annotated[list[str] | None, typer.Option(help="NAME=TEXT for {{NAME}} (may be repeated).")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, with live progress.")] = False,
    output: Annotated[Path | None, typer.Option(help="Save the best MP4 here (waits for it).")] = None,
) -> None:
    """Have a video made of a script or of scenes by a running service; prints the URLs."""
    body = read_source(file) | style_options(voice, rate, theme, aspect, captions) | merge_fields(merge or [])
    if quality:
        body["quality_levels"] = quality
    if pipeline:
        body["pipeline"] = pipeline
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url is {url!r}; it looks like {_DEFAULT_URL}.")
    asyncio.run(_generate(body, url, api_key, wait=wait, output=output))


async def _generate(body: Mapping[str, Any], url: str, key: str | None, *, wait: bool, output: Path | None) -> None:
    import aiohttp
    from yarl import URL

    from ops.cli.client import Api
    from ops.cli.display import display

    async with aiohttp.ClientSession() as session:
        api = Api(session, URL(url), key)
        accepted = await api.generate(body)
        job_id = accepted["job_id"]
        say(f"job       {job_id}")
        say(f"status    {api.url(accepted['status_url'])}")
        if wait or output:
            with display() as shown:
                status = await follow(api, accepted, shown)
            for line in doubts(status):
                say(line)
        say(f"stream    {api.url(accepted['stream_url'])}")
        say(f"download  {api.url(accepted['download_url'])}")
        if output:
            await api.save(accepted["download_url"], output)
            say(f"saved     {output}")


async def follow(api: Any, accepted: Mapping[str, Any], shown: Any) -> dict[str, Any]:
    """Show the job's progress to its end; returns the last status. Raises CommandError if it isn't completed."""
    status: dict[str, Any] = {}
    async for status in api.watch(accepted["job_id"], accepted["version"]):
        shown.show(status)
    if status["status"] != "completed":
        raise CommandError(why(status))
    return status


def doubts(status: Mapping[str, Any]) -> list[str]:
    """A line for each of a job's warnings."""
    from ops.cli.tables import printable

    lines = []
    for warning in status["warnings"]:
        scene = "" if warning["scene"] is None else f"scene {warning['scene'] + 1}: "
        lines.append(printable(f"warning   {scene}{warning['message']}"))
    return lines


def why(status: Mapping[str, Any]) -> str:
    """What has become of a job that isn't completed, in a sentence."""
    from ops.cli.tables import printable

    error = status.get("error")
    if not error:
        return f"The job is {status['status']}."
    scene = "" if error["scene"] is None else f" of scene {error['scene'] + 1}"
    tries = f" after {error['attempts']} tries" if error["attempts"] > 1 else ""
    return printable(f"The job failed in {error['stage']}{scene}{tries}: {error['message']} ({error['code']})")
