"""`eventflow dev bench`: benchmarks on this machine. Each is a module of `ops.bench` with a function `run`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from attrs import asdict

from ops.cli.command_group import CommandGroup
from ops.cli.common import CommandError, say
from ops.cli.tables import print_table

app = typer.Typer(help="Benchmarks, each beside a baseline of the same run.", no_args_is_help=True, cls=CommandGroup)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def valid_unless(*errors: type[Exception]) -> Iterator[None]:
    """Turn one of `errors`, which makes a benchmark void, into a CommandError."""
    try:
        yield
    except errors as error:
        raise CommandError(f"The benchmark has no result: {error}") from error


def show(result: Any, *, as_json: bool) -> None:
    """Print the result of a benchmark, an attrs instance."""
    values = asdict(result)
    if as_json:
        say(orjson.dumps(values).decode())
    else:
        print_table(("figure", "value"), [(name, str(value)) for name, value in values.items()])


@app.command()
def chain(
    jobs: Annotated[int, typer.Option(min=1, help="Jobs of three steps each.")] = 5_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of eventflow and the baseline; medians.")] = 3,
    json: Json = False,
) -> None:
    """Measure three no-op steps per job in the real runtime, beside a hand-written redis-py loop."""
    from eventflow.telemetry.logs import configure_logs
    from ops.bench.chain import run

    configure_logs("WARNING", json=False)
    with valid_unless(AssertionError):
        result = run(jobs, rounds)
    show(result, as_json=json)


@app.command()
def status(
    jobs: Annotated[int, typer.Option(min=100, help="Jobs whose status is requested.")] = 10_000,
    rate: Annotated[float, typer.Option(min=1, help="Events appended per second during that time.")] = 100.0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of eventflow and the baseline; medians.")] = 5,
    json: Json = False,
) -> None:
    """Measure status requests while events are appended, beside a bare aiohttp handler with the same answers."""
    from ops.bench.status import run

    show(run(jobs, rate, rounds), as_json=json)


@app.command()
def viewers(
    viewers: Annotated[int, typer.Option(min=1, help="Connections, each with its own playback token.")] = 500,
    jobs: Annotated[int, typer.Option(min=1, help="Videos that they watch; scenes are added to each.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of eventflow and the baseline; medians.")] = 5,
    seconds: Annotated[float, typer.Option(min=2, help="Duration of a round; there are two loads.")] = 6.0,
    json: Json = False,
) -> None:
    """Measure viewers of growing playlists on one web process, beside a bare aiohttp handler."""
    from ops.bench.viewers import run

    with valid_unless(RuntimeError):
        result = run(viewers, jobs, rounds, seconds)
    show(result, as_json=json)


@app.command()
def archive(
    jobs: Annotated[int, typer.Option(min=10, help="Finished jobs, in all rounds.")] = 20_000,
    scenes: Annotated[int, typer.Option(min=0, help="Scenes of each job.")] = 3,
    rounds: Annotated[
        int, typer.Option(min=2, help="Rounds in which jobs end, are archived and leave the lists.")
    ] = 10,
    partitions: Annotated[int, typer.Option(min=1, max=256, help="Partitions of the log.")] = 1,
    json: Json = False,
) -> None:
    """Measure server memory over rounds of archived jobs, beside jobs without an archive; and a restore."""
    from ops.bench.archive import run

    with valid_unless(AssertionError):
        result = run(jobs, scenes, rounds, partitions)
    show(result, as_json=json)


@app.command()
def rebuild(
    jobs: Annotated[int, typer.Option(min=100, help="Finished jobs of 18 events each.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of eventflow and the baseline; medians.")] = 5,
    json: Json = False,
) -> None:
    """Measure the reading and folding of a rebuild, beside a bare XRANGE and orjson loop over the same streams."""
    from ops.bench.rebuild import run

    with valid_unless(AssertionError):
        result = run(jobs, rounds)
    show(result, as_json=json)


@app.command()
def scale(
    jobs: Annotated[int, typer.Option(min=200, help="Jobs a round, each with a handler that waits 20 ms.")] = 3_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of one and of two processes; medians.")] = 5,
    rate: Annotated[float, typer.Option(min=10, help="Jobs appended per second to measure the time to start.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=3, help="Duration of these appends.")] = 20.0,
    json: Json = False,
) -> None:
    """Measure two worker processes against one, and the time from append to a handler's start."""
    from eventflow.telemetry.logs import configure_logs
    from ops.bench.scale import run

    configure_logs("WARNING", json=False)
    with valid_unless(AssertionError, RuntimeError):
        result = run(jobs, rounds, rate, seconds)
    show(result, as_json=json)


@app.command()
def recovery(
    kills: Annotated[int, typer.Option(min=2, help="Busy workers to kill.")] = 30,
    lease: Annotated[float, typer.Option(min=0.5, max=60, help="The workers' lease in seconds.")] = 5.0,
    seed: Annotated[int, typer.Option(help="Determines the moments of the kills.")] = 1,
    json: Json = False,
) -> None:
    """Measure the time from SIGKILL of a busy worker until another one has its entry, and has settled it."""
    from eventflow.telemetry.logs import configure_logs
    from ops.bench.recovery import run
    from ops.chaos.child_process import ChaosError

    configure_logs("WARNING", json=False)
    try:
        result = run(kills, lease, seed)
    except ChaosError as error:
        raise CommandError(str(error)) from error
    show(result, as_json=json)


@app.command()
def render(
    seconds: Annotated[float, typer.Option(min=10, help="Approximate length of the video; a scene takes ten.")] = 60.0,
    scenes: Annotated[int, typer.Option(min=0, help="Scenes, instead of seconds.")] = 0,
    baseline: Annotated[bool, typer.Option(help="Make it with one ffmpeg, too, and compare.")] = True,
    motion: Annotated[bool, typer.Option(help="Make it again with 8 s of a moving picture.")] = True,
    json: Json = False,
) -> None:
    """Measure a narrated script at 1080p and 720p, beside one ffmpeg that loops each page at 30 frames a second."""
    from ops.bench.render import RenderFailed, run

    with valid_unless(RenderFailed):
        result = run(scenes or max(1, round(seconds / 10)), baseline=baseline, motion=motion)
    show(result, as_json=json)


@app.command()
def firstframe(
    short: Annotated[int, typer.Option(min=1, help="Scenes of the short script; one takes ten seconds.")] = 6,
    long: Annotated[int, typer.Option(min=1, help="Scenes of the long script.")] = 56,
    json: Json = False,
) -> None:
    """Measure the time from POST to the first segment and to the finished video, beside a script of one scene."""
    import tempfile
    from pathlib import Path

    from ops.bench.firstframe import FirstFrameFailed, run
    from ops.cli.serve import OWN_STORES, stack_settings
    from ops.local_stack.embedded import EmbeddedError
    from ops.local_stack.stack import StackError

    with tempfile.TemporaryDirectory(prefix="eventflow-bench-", ignore_cleanup_errors=True) as folder:
        environment, settings = stack_settings(data_dir=Path(folder) / "data", host="127.0.0.1", port=0, **OWN_STORES)
        log = Path(folder) / "bench.log"
        with valid_unless(FirstFrameFailed, StackError, EmbeddedError), log.open("wb") as errors:
            result = run(settings, environment, short=short, long=long, errors=errors.fileno())
    show(result, as_json=json)


@app.command()
def upload(
    size: Annotated[int, typer.Option(min=16, help="Size of the file in MiB.")] = 2_048,
    part: Annotated[int, typer.Option(min=5, help="Size of a part in MiB.")] = 8,
    parallel: Annotated[int, typer.Option(min=1, help="Parts that are sent at a time.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of eventflow and boto3; medians.")] = 5,
    json: Json = False,
) -> None:
    """Measure the upload of a large file to a local S3 server, beside boto3's transfer manager, and its memory."""
    from ops.bench.upload import UploadFailed, run
    from ops.local_stack.rclone import RcloneMissing

    with valid_unless(UploadFailed, RcloneMissing):
        result = run(size, part, parallel, rounds)
    show(result, as_json=json)
