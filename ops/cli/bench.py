"""`eventflow bench`: figures, made on this machine. Each benchmark is a module of `ops.bench` with a `run`."""

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

app = typer.Typer(help="Benchmarks, each beside a baseline in the same run.", no_args_is_help=True, cls=CommandGroup)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def counting(*wrong: type[Exception]) -> Iterator[None]:
    """A benchmark that raises one of `wrong` tells no figure, but why."""
    try:
        yield
    except wrong as error:
        raise CommandError(f"The benchmark doesn't count: {error}") from error


def show(result: Any, *, as_json: bool) -> None:
    """Print the result of a benchmark, an attrs value."""
    values = asdict(result)
    if as_json:
        say(orjson.dumps(values).decode())
    else:
        print_table(("figure", "value"), [(name, str(value)) for name, value in values.items()])


@app.command()
def chain(
    jobs: Annotated[int, typer.Option(min=1, help="Jobs of three steps each.")] = 5_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of ours and of the baseline; medians count.")] = 3,
    json: Json = False,
) -> None:
    """Three no-op steps per job through the real runtime, beside a hand-written redis-py loop."""
    from eventflow.telemetry.logs import configure_logs
    from ops.bench.chain import run

    configure_logs("WARNING", json=False)
    with counting(AssertionError):
        result = run(jobs, rounds)
    show(result, as_json=json)


@app.command()
def status(
    jobs: Annotated[int, typer.Option(min=100, help="Different jobs that are asked for.")] = 10_000,
    rate: Annotated[float, typer.Option(min=1, help="Events appended per second meanwhile.")] = 100.0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of ours and of the baseline; medians count.")] = 5,
    json: Json = False,
) -> None:
    """Status requests while events are appended, beside a bare aiohttp handler that answers the same bytes."""
    from ops.bench.status import run

    show(run(jobs, rate, rounds), as_json=json)


@app.command()
def viewers(
    viewers: Annotated[int, typer.Option(min=1, help="Connections, each with a playback token of its own.")] = 500,
    jobs: Annotated[int, typer.Option(min=1, help="Videos they watch, to each of which scenes are added.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of ours and of the baseline; medians count.")] = 5,
    seconds: Annotated[float, typer.Option(min=2, help="How long a round takes; there are two loads.")] = 6.0,
    json: Json = False,
) -> None:
    """Viewers of growing playlists on one web process, beside a bare aiohttp handler that answers as much."""
    from ops.bench.viewers import run

    with counting(RuntimeError):
        result = run(viewers, jobs, rounds, seconds)
    show(result, as_json=json)


@app.command()
def archive(
    jobs: Annotated[int, typer.Option(min=10, help="Finished jobs, in all rounds.")] = 20_000,
    scenes: Annotated[int, typer.Option(min=0, help="Scenes of each job.")] = 3,
    rounds: Annotated[int, typer.Option(min=2, help="Rounds in which jobs end, are archived and unlisted.")] = 10,
    partitions: Annotated[int, typer.Option(min=1, max=256, help="Partitions that the jobs are in.")] = 1,
    json: Json = False,
) -> None:
    """Server memory over rounds of finished jobs that are archived, beside jobs without an archive; and a restore."""
    from ops.bench.archive import run

    with counting(AssertionError):
        result = run(jobs, scenes, rounds, partitions)
    show(result, as_json=json)


@app.command()
def rebuild(
    jobs: Annotated[int, typer.Option(min=100, help="Finished jobs of 18 events each.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of ours and of the baseline; medians count.")] = 5,
    json: Json = False,
) -> None:
    """What a rebuild reads, folds and compares, beside a bare XRANGE and orjson loop over the same streams."""
    from ops.bench.rebuild import run

    with counting(AssertionError):
        result = run(jobs, rounds)
    show(result, as_json=json)


@app.command()
def scale(
    jobs: Annotated[int, typer.Option(min=200, help="Jobs a round, each with a handler that waits 20 ms.")] = 3_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of one and of two worker processes; medians count.")] = 5,
    rate: Annotated[float, typer.Option(min=10, help="Jobs appended per second to see how soon they start.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=3, help="For how long these are appended.")] = 20.0,
    json: Json = False,
) -> None:
    """Two worker processes against one, and the time from append to a handler's start."""
    from eventflow.telemetry.logs import configure_logs
    from ops.bench.scale import run

    configure_logs("WARNING", json=False)
    with counting(AssertionError, RuntimeError):
        result = run(jobs, rounds, rate, seconds)
    show(result, as_json=json)


@app.command()
def recovery(
    kills: Annotated[int, typer.Option(min=2, help="Busy workers to kill.")] = 30,
    lease: Annotated[float, typer.Option(min=0.5, max=60, help="The workers' lease in seconds.")] = 5.0,
    seed: Annotated[int, typer.Option(help="Chooses the moments of the kills.")] = 1,
    json: Json = False,
) -> None:
    """Time from SIGKILL of a busy worker until another one has its entry, and has settled it."""
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
    seconds: Annotated[float, typer.Option(min=10, help="About how long the video is; a scene takes ten.")] = 60.0,
    scenes: Annotated[int, typer.Option(min=0, help="Scenes, instead of seconds.")] = 0,
    baseline: Annotated[bool, typer.Option(help="Make it the plain way, too, and compare.")] = True,
    motion: Annotated[bool, typer.Option(help="Make it once more with 8 s of a moving picture.")] = True,
    json: Json = False,
) -> None:
    """A narrated script at 1080p and 720p, beside one ffmpeg that loops each page at 30 frames a second."""
    from ops.bench.render import RenderFailed, run

    with counting(RenderFailed):
        result = run(scenes or max(1, round(seconds / 10)), baseline=baseline, motion=motion)
    show(result, as_json=json)


@app.command()
def firstframe(
    short: Annotated[int, typer.Option(min=1, help="Scenes of the short script; one takes ten seconds.")] = 6,
    long: Annotated[int, typer.Option(min=1, help="Scenes of the long script.")] = 56,
    json: Json = False,
) -> None:
    """Seconds from POST to the first segment and to the finished video, beside a script of one scene."""
    import tempfile
    from pathlib import Path

    from ops.bench.firstframe import FirstFrameFailed, run
    from ops.cli.serve import OWN_STORES, stack_settings
    from ops.local_stack.embedded import EmbeddedError
    from ops.local_stack.stack import StackError

    with tempfile.TemporaryDirectory(prefix="eventflow-bench-", ignore_cleanup_errors=True) as folder:
        environment, settings = stack_settings(data_dir=Path(folder), host="127.0.0.1", port=0, **OWN_STORES)
        log = Path(folder) / "bench.log"
        with counting(FirstFrameFailed, StackError, EmbeddedError), log.open("wb") as errors:
            result = run(settings, environment, short=short, long=long, errors=errors.fileno())
    show(result, as_json=json)


@app.command()
def upload(
    size: Annotated[int, typer.Option(min=16, help="Size of the file in MiB.")] = 2_048,
    part: Annotated[int, typer.Option(min=5, help="Size of a part in MiB.")] = 8,
    parallel: Annotated[int, typer.Option(min=1, help="Parts on their way at a time.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of ours and of boto3's; medians count.")] = 5,
    json: Json = False,
) -> None:
    """A large file to a local S3 server, beside boto3's transfer manager; and the memory that it takes."""
    from ops.bench.upload import UploadFailed, run
    from ops.local_stack.rclone import RcloneMissing

    with counting(UploadFailed, RcloneMissing):
        result = run(size, part, parallel, rounds)
    show(result, as_json=json)
