"""How a command reaches the jobs: over HTTP, or in the event log itself. One rule for all commands.

Commands that work both ways (`jobs`, `dead-letters`) take the first of these that is given:

1. the option `--url`: the service there, over HTTP; or the option `--data-dir`: the log of the `eventflow up` that runs
   on that folder. Both together are refused.
2. `EVENTFLOW_URL`: the service there, over HTTP.
3. `EVENTFLOW_REDIS_URL`, `EVENTFLOW_REDIS_URL_FILE` or `EVENTFLOW_DATA_DIR`: the log that they name.
4. the `eventflow up` of this user that runs on this machine (the newest of several): over HTTP.
5. otherwise the log at the default address of EVENTFLOW_REDIS_URL.

Over HTTP a command sees the jobs of its API key's owner; in the log it sees those of all owners. Commands that only
work over HTTP (`generate`, `assets`, `jobs download`) skip the ways to the log and end with http://127.0.0.1:8080.
Commands that need the log (`groups`, `projections`, `storage`, `archive`, `keys`, `jobs fork`, `jobs history`) take
`--data-dir`, the variables of 3, or the log of the `up` of 4.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import field, frozen
from redis.exceptions import NoPermissionError

from ops.cli.common import (
    KEY_VARIABLES,
    REDIS_VARIABLES,
    URL_VARIABLES,
    CommandError,
    UsageError,
    say_note,
    service_environment,
    settings_from,
    unfit,
)
from ops.local_stack.running_stacks import RunningStack, running_stacks, state_folder

if TYPE_CHECKING:
    from ops.cli.client import Api
    from ops.compose import Parts


DEFAULT_URL = "http://127.0.0.1:8080"
DATA_DIR_VARIABLE = "EVENTFLOW_DATA_DIR"

Url = Annotated[
    str | None,
    typer.Option(help="Service to ask over HTTP. Default: EVENTFLOW_URL, or the `eventflow up` of this machine."),
]
ApiKey = Annotated[
    str | None,
    typer.Option(help="Token from `eventflow keys add`. EVENTFLOW_API_KEY keeps it out of the list of processes."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Read the log of the `eventflow up` on this folder. Default: EVENTFLOW_REDIS_URL or EVENTFLOW_DATA_DIR.",
    ),
]


@frozen
class Service:
    """A service that is asked over HTTP."""

    url: str
    api_key: str | None = field(default=None, repr=False)


@frozen
class Log:
    """An event log that is read and written without the service; None: the one that the environment names."""

    data_dir: Path | None = None


def reach(url: str | None, api_key: str | None, data_dir: Path | None) -> Service | Log:
    """Return the way to the jobs, by the rule above. Raises UsageError."""
    if url is not None and data_dir is not None:
        raise UsageError("--url and --data-dir name two ways to the jobs: give one of them.")
    if data_dir is not None:
        return Log(data_dir)
    if url is None and _first(URL_VARIABLES) is None:
        if _first((*REDIS_VARIABLES, DATA_DIR_VARIABLE)) is not None:
            return Log()
        if _stack() is None:
            return Log()
    return service(url, api_key)


def service(url: str | None, api_key: str | None) -> Service:
    """Return the service of a command that only works over HTTP. Raises UsageError where its URL isn't one."""
    source, found = "--url", url
    if found is None:
        source, found = next(((name, os.environ[name]) for name in URL_VARIABLES if os.environ.get(name)), ("", None))
    if found is None:
        stack = _stack()
        found = stack.url if stack else DEFAULT_URL
    if not found.startswith(("http://", "https://")):
        raise UsageError(f"{source} is {found!r}; it looks like {DEFAULT_URL}.")
    return Service(found, api_key or _first(KEY_VARIABLES))


@asynccontextmanager
async def open_api(service: Service) -> AsyncIterator[Api]:
    """Open an HTTP client of the service."""
    import aiohttp
    from yarl import URL

    from ops.cli.client import Api

    async with aiohttp.ClientSession() as session:
        yield Api(session, URL(service.url), service.api_key)


@asynccontextmanager
async def open_log(data_dir: Path | None) -> AsyncIterator[Parts]:
    """Open the log and the stores for a command that needs them. Raises UsageError if there is no such folder."""
    from ops.compose import open_parts

    _require_folder(data_dir)
    async with open_parts(settings_from(log_environment(data_dir)), serves=False) as parts:
        try:
            yield parts
        except NoPermissionError as error:
            raise CommandError(unfit(error, parts.keyspace.prefix)) from error


def _require_folder(data_dir: Path | None) -> None:
    if data_dir is not None and not data_dir.is_dir():
        raise UsageError(f"There is no folder {data_dir}: --data-dir names that of a running `eventflow up`.")


def log_environment(data_dir: Path | None) -> dict[str, str]:
    """Return the environment that names the log: that of the process, with the data directory of a running stack."""
    if data_dir is None and _first((*REDIS_VARIABLES, DATA_DIR_VARIABLE)) is None:
        stack = _stack()
        data_dir = Path(stack.data_dir) if stack else None
    return service_environment({"data_dir": data_dir})


def _first(names: Sequence[str]) -> str | None:
    """Return the value of the first of these variables that is set."""
    return next((value for name in names if (value := os.environ.get(name))), None)


def _stack() -> RunningStack | None:
    """Return the stack on EVENTFLOW_DATA_DIR, or the newest that runs; says which where there are several."""
    try:
        found = running_stacks(state_folder(os.environ))
    except RuntimeError:  # a user without a home directory
        return None
    if named := os.environ.get(DATA_DIR_VARIABLE):
        return next((stack for stack in found if stack.data_dir == os.path.realpath(named)), None)
    if len(found) > 1:
        newest = f"{found[0].url}, data in {found[0].data_dir}"
        say_note(
            f"{len(found)} `eventflow up` run here; using the newest ({newest}). --url or --data-dir names another."
        )
    return found[0] if found else None
