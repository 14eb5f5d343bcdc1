"""Serves the app on an address until a signal stops it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from aiohttp import web
from attrs import frozen

from eventflow.settings import ANY_ORIGIN, Environment, is_loopback
from web.deps import DEPS
from web.http.auth import AUTH, MAKE_A_KEY, Auth, OpenAccess
from web.http.connections import Connections, Site, limits_of
from web.http.cors import ORIGINS

_log = structlog.get_logger()

#: Connections that the kernel queues until they are accepted; a burst beyond asyncio's 100 waits, and isn't refused.
_BACKLOG = 1_024


class RefusedToServe(Exception):
    """The app isn't served because nobody could use it, or everybody could; the message says what to do."""


@frozen
class Address:
    """The address on which the app accepts connections. `port` is the bound one, never 0."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """With brackets around an IPv6 address."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[Address]:
    """Accept connections on `host` and `port` (0: a free one) inside the block, then finish running requests.

    Raises RefusedToServe, OSError if the address can't be bound, connection errors of the key store.
    """
    deps = app[DEPS]
    app[AUTH] = auth = await _auth(app, host)
    grace_s = deps.settings.drain_seconds
    connections = Connections(limits_of(deps.settings), asyncio.get_running_loop().time, deps.random_hex)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=grace_s)
    await runner.setup()
    try:
        async with connections.watched():
            # localhost may be two addresses, and a port that is free on one may be taken on the other
            ip = "127.0.0.1" if host == "localhost" else host
            site = Site(runner, connections, host=ip, port=port, backlog=_BACKLOG)
            await site.start()
            bound = _bound(runner, host)
            _log.info("serving", action="serve", url=bound.url, needs_key=not auth.is_open)
            yield bound
    finally:
        await runner.cleanup()
        _log.info("stopped", action="serve")


async def _auth(app: web.Application, host: str) -> Auth:
    """The authentication for `host`; the log warns while there is no API key.

    Raises RefusedToServe, connection errors.
    """
    deps = app[DEPS]
    settings = deps.settings
    production, loopback = settings.env is Environment.PRODUCTION, is_loopback(host)
    if settings.web.open_access and (production or not loopback):
        where = "in production" if production else f"on {host}, which others can reach"
        raise RefusedToServe(f"EVENTFLOW_OPEN_ACCESS=on isn't for a service {where}. Unset it. {MAKE_A_KEY}.")
    access = OpenAccess(settings, app[ORIGINS]) if settings.web.open_access else None
    auth = Auth(deps.api_keys, monotonic=asyncio.get_running_loop().time, access=access)
    if not await auth.has_keys():
        if production or not loopback:
            raise RefusedToServe(_no_key(host, production))
        if auth.is_open:
            _log.warning("no API key is needed: every user of this machine may use the service", action="access")
            if ANY_ORIGIN in settings.web.cors_origins:
                _log.warning("EVENTFLOW_CORS_ORIGINS: * takes effect with the first API key", action="access")
        else:
            _log.warning(f"there is no API key: every request is answered 401. {MAKE_A_KEY}", action="access")
    return auth


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
    stopped = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    async with serving(app, host, port) as address:
        for number in signals:
            with suppress(NotImplementedError, ValueError):  # not in the main thread, or on Windows
                loop.add_signal_handler(number, stopped.set)
        try:
            on_ready(address)
            await stopped.wait()
        finally:
            for number in signals:
                with suppress(NotImplementedError, ValueError):
                    loop.remove_signal_handler(number)


def _no_key(host: str, production: bool) -> str:
    where = "in production" if production else f"on {host}"
    return f"The service has no API key, so nobody could use it {where}. {MAKE_A_KEY}"


def _bound(runner: web.AppRunner, host: str) -> Address:
    name = runner.addresses[0]
    if isinstance(name, tuple):
        return Address(host, int(name[1]))
    raise OSError(f"{host} isn't a TCP address")
