"""The long-running commands: up, web, worker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import structlog
import typer

from eventflow.settings import Settings
from eventflow.topics import GROUP_TOPICS, Topic
from ops.cli.common import (
    EXIT_FAILURE,
    REDIS_VARIABLES,
    CommandError,
    UsageError,
    run_service,
    say,
    say_error,
    service_environment,
    settings_from,
    stop_on_signals,
    wait_for_server,
)

_ORPHAN_PATIENCE_S = 3.0

DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded server and of the default stores.")]
Host = Annotated[str | None, typer.Option(help="Address to bind to; without API keys loopback only.")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to bind to; 0 picks a free one.")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Handlers that each worker runs at a time.")]
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]


def up(data_dir: DataDir = None, host: Host = None, port: Port = None, concurrency: Concurrency = None) -> int:
    """Run everything on this machine: embedded server, web app, a worker of each group.

    Prints "ready http://HOST:PORT" once requests are served. Ctrl-C or SIGTERM lets running steps finish; a second
    one ends everything at once. Started again on the same data directory, it goes on where it was.
    """
    environment, settings = stack_settings(data_dir=data_dir, host=host, port=port, concurrency=concurrency)
    return run_service(_up(settings, environment), settings)


def stack_settings(**changes: object | None) -> tuple[dict[str, str], Settings]:
    """(environment, settings) for a stack of our own. Raises UsageError where another server was asked for."""
    environment = service_environment(changes)
    if given := [name for name in REDIS_VARIABLES if environment.get(name)]:
        raise UsageError(
            f"{given[0]} is set, but this command starts a server of its own. Unset it, or run `eventflow web` and "
            "`eventflow worker --group G` on the server that it names."
        )
    return environment, settings_from(environment)


async def _up(settings: Settings, environment: dict[str, str]) -> int:
    from ops.embedded import EmbeddedError
    from ops.stack import Stack, StackError

    stop = asyncio.Event()
    try:
        stack = Stack(settings, environment)
        stop_on_signals(lambda: stack.kill() if stop.is_set() else stop.set())
        stopped = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(stack.start())
        try:
            await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                say(f"ready {starting.result()}")
                await asyncio.wait([stopped, stack.failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
            await asyncio.wait([starting])
            await stack.stop()
    except (StackError, EmbeddedError) as error:
        raise CommandError(str(error)) from error
    if not stop.is_set():
        say_error(str(stack.failed.result()))
        return EXIT_FAILURE
    return 0


def worker(
    group: Annotated[str, typer.Option(help="Consumer group: " + ", ".join(GROUP_TOPICS) + ".")],
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic of the group's (may be repeated).")] = None,
    concurrency: Concurrency = None,
    supervised: Supervised = False,
) -> int:
    """Run a worker of one consumer group. SIGTERM lets running steps finish."""
    topics = _topics(group, topic or [])
    settings = settings_from(service_environment({"concurrency": concurrency}))
    return run_service(_worker(settings, group, topics, supervised), settings)


def _topics(group: str, names: Sequence[str]) -> tuple[Topic, ...]:
    if group not in GROUP_TOPICS:
        raise UsageError(f"There is no group {group!r}; there is: {', '.join(GROUP_TOPICS)}.")
    known = {topic.value: topic for topic in GROUP_TOPICS[group]}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"Group {group} doesn't read {', '.join(unknown)}; it reads: {', '.join(known)}.")
    return tuple(known[name] for name in names)


async def _worker(settings: Settings, name: str, topics: Sequence[Topic], supervised: bool) -> int:
    from eventflow.runtime.process import tune_process
    from ops.compose import groups, open_parts
    from ops.compose import worker as make_worker

    stop = asyncio.Event()
    _watch_signals(stop, supervised)
    async with open_parts(settings) as parts:
        await _unless_stopped(stop, wait_for_server(parts.redis, durable_ack=settings.durable_ack))
        runner = make_worker(parts, groups(parts)[name], topics=topics)
        tune_process()
        say(f"ready {name}")
        await runner.run(stop)
    return 0


def web(host: Host = None, port: Port = None, supervised: Supervised = False) -> int:
    """Run the web app. Prints "ready http://HOST:PORT" once requests are served."""
    settings = settings_from(service_environment({"host": host, "port": port}))
    return run_service(_web(settings, supervised), settings)


async def _web(settings: Settings, supervised: bool) -> int:
    from eventflow.runtime.process import tune_process
    from ops.compose import open_parts
    from ops.cli.webapp import serve

    stop = asyncio.Event()
    _watch_signals(stop, supervised)
    async with open_parts(settings) as parts:
        await _unless_stopped(stop, wait_for_server(parts.redis, durable_ack=settings.durable_ack))
        tune_process()
        await serve(parts, stop, lambda url: say(f"ready {url}"))
    return 0


async def _unless_stopped(stop: asyncio.Event, waiting: object) -> None: ...


def _watch_signals(stop: asyncio.Event, supervised: bool) -> None:
    """Stop on signals; and when the supervisor dies, without which there is no log to finish anything in."""
    from ops.supervisor import when_orphaned

    stop_on_signals(stop.set)

    def orphaned() -> None:
        structlog.get_logger().warning("the supervisor is gone; ending")
        stop.set()
        asyncio.get_running_loop().call_later(_ORPHAN_PATIENCE_S, os._exit, EXIT_FAILURE)

    if supervised:
        when_orphaned(orphaned)
