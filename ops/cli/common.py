"""Shared by the commands: exit codes, output, settings, event loops, and errors of the log server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from time import monotonic
from typing import Any, TypeVar

import structlog
from attrs import evolve
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError
from rich.console import Console
from rich.text import Text

from eventflow.log.connection import DISCONNECTED
from eventflow.log.deadline import Deadline, set_deadline
from eventflow.log.errors import LogUnfit
from eventflow.log.keys import Keyspace
from eventflow.log.server_check import check_server, forbidden
from eventflow.settings import Settings, current_names, load_settings
from eventflow.telemetry.logs import configure_logs
from ops.local_stack.embedded import running_url

T = TypeVar("T")

EXIT_FAILURE, EXIT_USAGE = 1, 2
#: Variables of the commands that talk HTTP, each with its earlier name; they are no settings of the service.
URL_VARIABLES = ("EVENTFLOW_URL", "EVENTFLOW_CLIENT_URL")
KEY_VARIABLES = ("EVENTFLOW_API_KEY", "EVENTFLOW_CLIENT_KEY")
REDIS_VARIABLES = ("EVENTFLOW_REDIS_URL", "EVENTFLOW_REDIS_URL_FILE")
CREDENTIALS = "Give them in EVENTFLOW_REDIS_URL: redis://USER:PASSWORD@HOST:PORT/0, or in EVENTFLOW_REDIS_URL_FILE."
#: Longest wait of a command for an answer of the log.
LOG_SECONDS = 6.0
#: Longest wait of a starting process for a server that can't be reached; loading of data isn't counted.
PATIENCE_S = 60.0
_POLL_S = 0.2


class CommandError(Exception):
    """An error for the user, with the way out; ends the command with `exit_code`."""

    exit_code = EXIT_FAILURE


class UsageError(CommandError):
    """The command can't run with these arguments or settings."""

    exit_code = EXIT_USAGE


def service_environment(changes: Mapping[str, object | None] | None = None) -> dict[str, str]:
    """Return the environment without the client's variables, with `changes` to settings by name; None: no change.

    Old names of settings are replaced, each with a line of warning, so that child processes don't warn again.
    """
    ours = {k: v for k, v in os.environ.items() if k not in (*URL_VARIABLES, *KEY_VARIABLES)}
    environment, renamed = current_names(ours)
    for line in renamed:
        say_error(line)
    for name, value in (changes or {}).items():
        if value is not None:
            environment[f"EVENTFLOW_{name.upper()}"] = str(value)
    return environment


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Return the settings; without a server's URL they have that of an `eventflow up` on the data directory.

    Raises SettingsError.
    """
    settings = load_settings(environment)
    if any(environment.get(name) for name in REDIS_VARIABLES):
        return settings
    url = running_url(settings.data_dir)
    return evolve(settings, redis_url=url) if url else settings


def run_supervisor(main: Coroutine[Any, Any, T], settings: Settings) -> T:
    """Run a process with children: not on uvloop, whose libuv unblocks every signal in a child just before exec."""
    configure_logs(settings.log_level, json=settings.log_format == "json")
    return asyncio.run(main)


def run_service(main: Coroutine[Any, Any, T], settings: Settings) -> T:
    """Run a long-lived process on uvloop, with logs on standard error."""
    import uvloop

    configure_logs(settings.log_level, json=settings.log_format == "json")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def run_tool(main: Coroutine[Any, Any, T]) -> T:
    """Run a short command; only warnings are logged. Raises CommandError for errors of the log server."""
    configure_logs("WARNING", json=False)
    try:
        return asyncio.run(impatient(main))
    except (LogUnfit, NoPermissionError) as error:
        raise CommandError(unfit(error)) from error
    except AuthenticationError as error:
        raise CommandError(unauthenticated(error)) from error
    except RedisError as error:
        raise CommandError(unreachable(error)) from error


async def impatient(main: Coroutine[Any, Any, T]) -> T:
    """Await `main` with a deadline of 6 s for each answer of the log."""
    set_deadline(Deadline(LOG_SECONDS, each=True))
    return await main


def unfit(error: Exception, prefix: str = "ef") -> str:
    """Return the message for a server that isn't fit, or for missing rights."""
    return f"The event log can't be used: {forbidden(error, prefix) if isinstance(error, NoPermissionError) else error}"


def unauthenticated(error: Exception) -> str:
    """Return the message for a wrong or missing password."""
    return f"The event log can't be used: the server wants another user or password ({error}). {CREDENTIALS}"


def unreachable(error: BaseException) -> str:
    """Return the message for a server that doesn't answer."""
    way_out = "Start `eventflow up`, name a running one by --data-dir, or another server by EVENTFLOW_REDIS_URL."
    if given := next((name for name in URL_VARIABLES if os.environ.get(name)), None):
        way_out += f" {given} doesn't help: this command reads the log, not the service."
    return f"The event log can't be used: {str(error).rstrip('.')}. {way_out}"


async def wait_for_server(
    redis: Redis,
    *,
    durable_ack: bool,
    append_only_file: bool = False,
    keyspace: Keyspace | None = None,
    patience_s: float = PATIENCE_S,
) -> dict[str, str]:
    """Wait for a server that answers and accepts writes; returns the result of `check_server`.

    Raises CommandError: unfit server, wrong password, missing rights; unreachable, or a replica, for `patience_s`.
    """
    set_deadline(Deadline(LOG_SECONDS, each=True))
    began = asked = monotonic()
    while True:
        try:
            return await check_server(
                redis, durable_ack=durable_ack, append_only_file=append_only_file, keyspace=keyspace
            )
        except (LogUnfit, NoPermissionError) as error:
            raise CommandError(unfit(error, keyspace.prefix if keyspace else "ef")) from error
        except AuthenticationError as error:
            raise CommandError(unauthenticated(error)) from error
        except DISCONNECTED as error:
            loading = isinstance(error, BusyLoadingError)
            if not loading and monotonic() - began > patience_s:
                raise CommandError(unreachable(error)) from error
            if monotonic() - asked > 2:
                asked = monotonic()
                structlog.get_logger().warning("waiting for the log", loading=loading, error=str(error))
        await asyncio.sleep(_POLL_S)


def stop_on_signals(on_signal: Callable[[], None]) -> None:
    """Call `on_signal` for SIGTERM, SIGINT and SIGHUP, in the running loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)


def say_error(message: str) -> None:
    """Write an error to standard error, in red on a terminal; the message isn't parsed for markup."""
    Console(stderr=True, soft_wrap=True).print(Text.assemble(("error: ", "bold red"), message))


def say_note(message: str) -> None:
    """Write a remark to standard error."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def say(message: str) -> None:
    """Write a line of the command's result to standard output at once."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()
