"""The long-running commands: `eventflow up`, `web`, `worker`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from redis.exceptions import RedisError

from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS, Topic
from eventflow.log.connection import DISCONNECTED, is_transient
from eventflow.settings import Settings, is_loopback
from ops.cli.common import (
    EXIT_FAILURE,
    REDIS_VARIABLES,
    CommandError,
    UsageError,
    run_service,
    run_supervisor,
    say,
    service_environment,
    settings_from,
    stop_on_signals,
    wait_for_server,
)
from ops.cli.greeting import Started, greeting, program_name
from ops.local_stack.addresses import not_bindable
from ops.local_stack.running_stacks import announce, state_folder

if TYPE_CHECKING:
    from ops.compose import Parts
    from ops.local_stack.stack import Stack


_ORPHAN_PATIENCE_S = 3.0
#: Jobs that a web process caches for commands; its projection has those that are read.
_WEB_FOLDED_JOBS = 64
#: Pause of a start before it tries a log again that refused a command for now.
_AGAIN_S = 1.0

_READS = {**GROUP_TOPICS, ARCHIVE_GROUP: ARCHIVE_TOPICS}

DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded server and of the default stores.")]
StackDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the `eventflow up` to join; otherwise EVENTFLOW_REDIS_URL."),
]
Host = Annotated[str | None, typer.Option(help="Address to bind to; without API keys loopback only.")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to bind to; 0 picks a free one.")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Handlers that each worker runs at a time.")]
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]


def up(
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    concurrency: Concurrency = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Make the stores this log's, as `eventflow storage adopt` does.")
    ] = False,
) -> None:
    """Run everything on this machine: embedded server, web app, a worker of each group.

    Once it serves requests, it shows its URL and the next steps on a terminal, and prints "ready URL" elsewhere. Other
    commands of the same user find it. Ctrl-C or SIGTERM lets running steps finish; a second signal ends everything at
    once. Started again on the same data directory, it continues where it stopped.
    """
    environment, settings = stack_settings(data_dir=data_dir, host=host, port=port, concurrency=concurrency)
    run_supervisor(_up(settings, environment, adopt=adopt), settings)


#: Settings of a stack with a temporary log. Its files lie in its data directory, whatever stores the environment names:
#: a store with the mark of this log would be refused to others.
OWN_STORES = dict.fromkeys(("workspace_url", "delivery_url", "fallback_url", "archive_url"), "")


def stack_settings(**changes: object | None) -> tuple[dict[str, str], Settings]:
    """Return (environment, settings) for a new stack. Raises UsageError if the environment names another server."""
    environment = readable_logs(service_environment(changes))
    if given := [name for name in REDIS_VARIABLES if environment.get(name)]:
        raise UsageError(
            f"{given[0]} is set, but this command starts its own server. Unset it, or run `eventflow web` and "
            "`eventflow worker --group G` on the server that it names."
        )
    return environment, settings_from(environment)


def readable_logs(environment: dict[str, str]) -> dict[str, str]:
    """Return `environment` with logs for people if standard error is a terminal and no format is set."""
    if sys.stderr.isatty() and not environment.get("EVENTFLOW_LOG_FORMAT"):
        return environment | {"EVENTFLOW_LOG_FORMAT": "console"}
    return environment


async def _up(settings: Settings, environment: dict[str, str], *, adopt: bool) -> None:
    from ops.local_stack.embedded import EmbeddedError
    from ops.local_stack.stack import Stack, StackError
    from ops.local_stack.supervisor import first_of

    stop = asyncio.Event()
    try:
        stack = Stack(settings, environment, adopt=adopt)
        stop_on_signals(lambda: stack.kill() if stop.is_set() else stop.set())
        stopped = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(stack.start())
        try:
            await first_of(starting, stopped)
            if starting.done():
                url = starting.result()
                with _announced(settings.data_dir, url) as is_found:
                    await _greet(stack, settings, url, is_found=is_found)
                    await first_of(stopped, stack.failed)
        finally:
            starting.cancel()
            await asyncio.wait([starting])
            await stack.stop()
    except (StackError, EmbeddedError) as error:
        raise CommandError(str(error)) from error
    if stack.killed:
        raise CommandError("Ended at once; the steps that were running are repeated after the next start.")
    if not stop.is_set():
        raise CommandError(f"The stack failed: {stack.failed.result()}.")


@contextmanager
def _announced(data_dir: Path, url: str) -> Iterator[bool]:
    """Let other commands find this stack; yields whether they can. A home that can't be written to is no error."""
    pointer = None
    with suppress(OSError, RuntimeError):
        pointer = announce(state_folder(os.environ), data_dir, url)
    try:
        yield pointer is not None
    finally:
        if pointer is not None:
            with suppress(OSError):
                pointer.unlink()


async def _greet(stack: Stack, settings: Settings, url: str, *, is_found: bool) -> None:
    if not sys.stdout.isatty() or settings.log_format == "json":
        say(f"ready {url}")
        return
    started = Started(
        url=url,
        data_dir=settings.data_dir,
        groups=tuple(_READS),
        concurrency=settings.concurrency,
        is_open=is_loopback(settings.host) and not await stack.ever_had_keys(),
        is_found=is_found,
    )
    for line in greeting(started, program_name()):
        say(line)


def worker(
    group: Annotated[str, typer.Option(help="Consumer group: " + ", ".join(_READS) + ".")],
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic of the group's (may be repeated).")] = None,
    concurrency: Concurrency = None,
    data_dir: StackDir = None,
    supervised: Supervised = False,
) -> None:
    """Run a worker of one consumer group. SIGTERM lets running steps finish.

    The group archive moves finished jobs to EVENTFLOW_ARCHIVE_URL, and trims entries that every group has settled.
    """
    topics = _topics(group, topic or [])
    settings = settings_from(readable_logs(service_environment({"concurrency": concurrency, "data_dir": data_dir})))
    run_service(_worker(settings, group, topics, supervised), settings)


def _topics(group: str, names: Sequence[str]) -> tuple[Topic, ...]:
    if group not in _READS:
        raise UsageError(f"unknown group {group!r}; available: {', '.join(_READS)}")
    known = {topic.value: topic for topic in _READS[group]}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"Group {group} doesn't read {', '.join(unknown)}; it reads: {', '.join(known)}.")
    return tuple(known[name] for name in names)


def _prepare_data_dir(settings: Settings) -> None:
    """Prepare the data directory if the process keeps anything there. Raises UsageError."""
    from ops.local_stack.data_dir import DataDirError, is_needed, prepare

    try:
        if is_needed(settings):
            prepare(settings.data_dir)
    except DataDirError as error:
        raise UsageError(str(error)) from error


async def _worker(settings: Settings, name: str, topics: Sequence[Topic], supervised: bool) -> None:
    from eventflow.runtime.process import end_at_once, tune_process
    from eventflow.runtime.watchdog import Pulse, watched
    from eventflow.storage.cleanup import removing_abandoned
    from ops.compose import group_of, maintenance_worker, open_parts, reconciling
    from ops.compose import worker as make_worker

    stop = asyncio.Event()
    _watch_signals(stop, supervised)
    _prepare_data_dir(settings)
    async with open_parts(settings) as parts:
        if await _is_ready(parts, stop):
            pulse = Pulse(settings.watchdog_seconds or float("inf"))
            archives = name == ARCHIVE_GROUP
            runner = (
                maintenance_worker(parts)
                if archives
                else make_worker(parts, group_of(parts, name), topics=topics, pulse=pulse)
            )
            tune_process()
            say(f"ready {name}")
            stores = [*parts.stores.values(), *([parts.segment_store.store] if parts.segment_store else [])]
            with watched(pulse, lambda loops: end_at_once(f"stuck: {', '.join(loops)}", EXIT_FAILURE)):
                async with removing_abandoned(stores), reconciling(parts, name):
                    await runner.run(stop)
            if runner.stuck:  # such a step prevents the event loop from closing
                end_at_once(f"{runner.stuck} steps ignore their cancellation", EXIT_FAILURE)


def web(host: Host = None, port: Port = None, supervised: Supervised = False) -> None:
    """Run the web app. Prints "ready http://HOST:PORT" once requests are served. SIGTERM finishes running requests."""
    settings = settings_from(readable_logs(service_environment({"host": host, "port": port})))
    run_service(_web(settings, supervised), settings)


async def _web(settings: Settings, supervised: bool) -> None:
    from eventflow.runtime.process import allow_files, tune_process
    from ops.compose import open_parts, web_app
    from ops.environment import warn_if_viewers_fail
    from web.server import RefusedToServe, serving

    stop = asyncio.Event()
    _watch_signals(stop, supervised)
    _prepare_data_dir(settings)
    async with open_parts(settings, folded_jobs=_WEB_FOLDED_JOBS) as parts:
        if not await _is_ready(parts, stop):
            return
        tune_process()
        allow_files()  # each connection takes one
        try:
            async with serving(web_app(parts), settings.host, settings.port) as address:
                say(f"ready {address.url}")
                looking = asyncio.create_task(warn_if_viewers_fail(parts))
                await stop.wait()
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
        except RefusedToServe as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise UsageError(not_bindable(settings.host, settings.port, error)) from error


async def _is_ready(parts: Parts, stop: asyncio.Event) -> bool:
    """Wait for a usable log server and for this environment's stores; False if `stop` is set first.

    Raises CommandError if they can't be used.
    """
    from ops.local_stack.supervisor import first_of

    waiting = asyncio.create_task(_wait_for_log_and_stores(parts))
    stopped = asyncio.create_task(stop.wait())
    await first_of(waiting, stopped)
    stopped.cancel()
    if waiting.done():
        waiting.result()
        return True
    waiting.cancel()
    return False


async def _wait_for_log_and_stores(parts: Parts) -> None:
    """Wait for a usable log server, and mark the stores. Raises CommandError if one can't be used."""
    from ops.environment import ForeignStore, claim_stores

    while True:
        await _wait_for_log(parts)
        try:
            return await claim_stores(parts)
        except ForeignStore as error:
            raise UsageError(str(error)) from error
        except (RedisError, *DISCONNECTED) as error:  # it has gone again, or accepts no writes
            if not is_transient(error):
                raise CommandError(f"The event log can't be used: {error}") from error
            structlog.get_logger().warning("waiting for the event log", error=str(error))
            await asyncio.sleep(_AGAIN_S)


async def _wait_for_log(parts: Parts) -> None:
    """Wait for a usable log server. Raises CommandError if it can't be used."""
    settings = parts.settings
    found = await wait_for_server(
        parts.redis,
        durable_ack=settings.needs_sync,
        append_only_file=settings.needs_append_only_file,
        keyspace=parts.keyspace,
    )
    if settings.needs_append_only_file and found["aof"] != "on":
        structlog.get_logger().warning("the server's append-only file can't be checked: give the user +info")


def _watch_signals(stop: asyncio.Event, supervised: bool) -> None:
    """Set `stop` on signals, and when the supervisor dies, with which the log ends."""
    from ops.local_stack.supervisor import when_orphaned

    stop_on_signals(stop.set)

    def orphaned() -> None:
        structlog.get_logger().warning("the supervisor has ended; stopping")
        stop.set()
        asyncio.get_running_loop().call_later(_ORPHAN_PATIENCE_S, os._exit, EXIT_FAILURE)

    if supervised:
        when_orphaned(orphaned)
