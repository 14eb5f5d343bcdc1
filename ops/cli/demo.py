"""`eventflow demo`: start a stack, make a video of the sample script, save it, and stop the stack."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventflow.settings import Settings
from ops.cli.common import CommandError, say, stop_on_signals
from ops.cli.follow_job import follow_over_http
from ops.cli.serve import OWN_STORES, stack_settings

if TYPE_CHECKING:
    from ops.local_stack.stack import Stack


SAMPLE = "event-streams.md"
LOG = "demo.log"
#: Name of the mark in an output folder of a demo.
MARK = ".eventflow-demo"


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the video.")] = Path("demo-output"),
    data_dir: Annotated[
        Path | None, typer.Option(help="Data directory to keep; without it, a temporary one is used.")
    ] = None,
) -> None:
    """Start everything, make the sample script's video, save it, and stop everything again."""
    from eventflow.telemetry.logs import configure_logs

    _prepare_output(output)
    configure_logs("WARNING", json=False)
    with ExitStack() as temporary:
        folder = data_dir or Path(
            temporary.enter_context(tempfile.TemporaryDirectory(prefix="eventflow-demo-", ignore_cleanup_errors=True))
        )
        environment, settings = stack_settings(
            data_dir=folder.absolute(), host="127.0.0.1", port=0, **({} if data_dir else OWN_STORES)
        )
        asyncio.run(_demo(settings, environment, output))
    if data_dir:
        say(f"The URLs work while a server runs: eventflow up --data-dir {data_dir}")
    else:
        say("The demo's server has ended, so its URLs no longer work; `eventflow up` starts one that stays.")


def _prepare_output(output: Path) -> None:
    """Create the folder, or use an existing one, in which only files of an earlier demo are overwritten.

    Raises CommandError.
    """
    stem = Path(SAMPLE).stem
    try:
        output.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in output.iterdir() if path.name == LOG or path.name.startswith(stem)}
        # Versions without the mark left their log and a video.
        before = (output / MARK).exists() or {LOG, f"{stem}-1080p.mp4"} <= there
        if there and not before:
            raise CommandError(
                f"{output} holds files that aren't a demo's, and would be overwritten ({', '.join(sorted(there))}). "
                "Choose another --output."
            )
        (output / MARK).touch()
    except OSError as error:
        raise CommandError(f"{output} can't be used: {error.strerror}. Choose another --output.") from error


async def _demo(settings: Settings, environment: Mapping[str, str], output: Path) -> None:
    """Run the demo. A signal stops it with its processes; a second signal kills them."""
    from ops.local_stack.embedded import EmbeddedError
    from ops.local_stack.stack import Stack, StackError

    log = output / LOG
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        stack = Stack(settings, environment, errors=errors)
        work = asyncio.create_task(_make_video(stack, output, log))

        def on_signal() -> None:
            if work.cancelling():
                stack.kill()
            work.cancel()

        stop_on_signals(on_signal)
        for line in await work:
            say(line)
    except asyncio.CancelledError:
        raise CommandError("Stopped by a signal; all processes of the demo have ended.") from None
    except (StackError, EmbeddedError) as error:
        raise CommandError(f"{error} The log is {log}.") from error
    finally:
        os.close(errors)


async def _make_video(stack: Stack, output: Path, log: Path) -> list[str]:
    """Start the stack, make the video, save it, stop; returns the lines to print."""
    import aiohttp
    from yarl import URL

    from ops.cli.client import Api
    from ops.cli.display import display

    script = files("ops.cli").joinpath("samples", SAMPLE).read_text(encoding="utf-8")
    async with aiohttp.ClientSession() as session:
        with display() as shown:
            shown.note(f"starting server, web app and workers (their log: {log})")
            try:
                api = Api(session, URL(await stack.start()))
                shown.note(f"ready at {api.base}; sending {SAMPLE}")
                accepted = await api.generate({"script": script})
                status = await stack.while_running(follow_over_http(api, accepted, shown))
                return await _save_all(api, accepted, status, output)
            finally:
                shown.note("stopping")
                await stack.stop()


async def _save_all(api: Any, accepted: Mapping[str, Any], status: Mapping[str, Any], output: Path) -> list[str]:
    """Download every quality, the first thumbnail and the captions; returns the lines to print."""
    job_id = accepted["job_id"]
    metadata = await api.metadata(job_id)
    lines = [
        f"video     {status['title']}: {metadata['duration']:.1f} s, {status['scenes']['total']} scenes, job {job_id}",
        f"status    {api.url(accepted['status_url'])}",
    ]
    for quality in sorted(metadata["video_urls"], key=lambda name: int(name.rstrip("p")), reverse=True):
        target = output / f"{Path(SAMPLE).stem}-{quality}.mp4"
        link = f"{accepted['download_url']}?quality={quality}"
        signed = await api.save(link, target)
        lines += [f"saved     {target}  ({target.stat().st_size / 1e6:.1f} MB)", f"  from    {api.url(link)}"]
        lines += [f"  signed  {signed}"]
    job = str(accepted["status_url"]).removesuffix("status")
    extras = [("jpg", "thumbnail")] if metadata["thumbnail_urls"] else []
    extras += [("vtt", "captions?format=vtt")] if metadata["caption_urls"] else []
    for suffix, name in extras:
        target = output / f"{Path(SAMPLE).stem}.{suffix}"
        await api.save(job + name, target)
        lines += [f"saved     {target}", f"  from    {api.url(job + name)}"]
    return lines
