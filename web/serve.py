"""Runs the app on an address until it is told to stop."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from aiohttp import web
from attrs import frozen

from eventflow.settings import Environment
from web.auth import AUTH, Auth
from web.deps import DEPS

_log = structlog.get_logger()

_BACKLOG = 1_024


class RefusedToServe(Exception):
    """The app would be open to everybody; the message says what to do."""


@frozen
class Address:
    """Where the app accepts connections. `port` is the bound one, also where 0 was asked for."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[Address]:
    """Accept connections on `host` and `port` (0: a free one) inside the block, then finish running requests.

    Raises RefusedToServe, OSError where the address can't be bound, connection errors of the key store.
    """
    deps = app[DEPS]
    loopback = is_loopback(host)
    production = deps.settings.env is Environment.PRODUCTION
    auth = Auth(deps.api_keys, monotonic=asyncio.get_running_loop().time, open_allowed=loopback and not production)
    if not auth.open_allowed and not await auth.has_keys():
        raise RefusedToServe(_why(host, production))
    app[AUTH] = auth
    grace_s = deps.settings.drain_seconds
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=grace_s)
    await runner.setup()
    try:
        # localhost may be two addresses, and a free port of one isn't one of the other
        site = web.TCPSite(runner, "127.0.0.1" if host == "localhost" else host, port, backlog=_BACKLOG)
        await site.start()
        bound = _bound(runner, host)
        _log.info("serving", action="serve", url=bound.url)
        yield bound
    finally:
        await runner.cleanup()
        _log.info("stopped", action="serve")


async def serve(
    app: web.Application,
    host: str,
    port: int,
    *,
    on_ready: Callable[[Address], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT arrives, or `stop` is set. `on_ready` gets the bound address.

    Raises as `serving` does.
    """
    ended = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    async with serving(app, host, port) as address:
        for number in signals:
            with suppress(NotImplementedError, ValueError):  # not in the main thread, or on Windows
                loop.add_signal_handler(number, ended.set)
        try:
            on_ready(address)
            await ended.wait()
        finally:
            for number in signals:
                with suppress(NotImplementedError, ValueError):
                    loop.remove_signal_handler(number)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than localhost counts as reachable from outside."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _why(host: str, production: bool) -> str:
    make_one = "Make an API key first: eventflow keys add OWNER --admin"
    if production:
        return f"No API key is configured, and EVENTFLOW_ENV=production never runs open. {make_one}"
    return (
        f"No API key is configured, so everybody who reaches {host} could use the service. {make_one}, "
        "or bind to this machine alone: EVENTFLOW_HOST=127.0.0.1"
    )


def _bound(runner: web.AppRunner, host: str) -> Address:
    name = runner.addresses[0]
    if isinstance(name, tuple):
        return Address(host, int(name[1]))
    raise OSError(f"{host} isn't a TCP address")
