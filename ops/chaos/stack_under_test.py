r"""The stack under test: every part a real process, and a proxy wherever one talks to another.

    clients -> web ---\                        /-> S3 server
                       proxies -> log's server
    workers ----------/ (one each) \- proxies-/ (one for delivery, one for the workspace)

The log's server syncs its file before each answer (appendfsync always), so that acknowledged writes survive SIGKILL,
and every commit in the workers' journals must be in the log.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from attrs import define, frozen

from eventflow.domain.topics import GROUP_TOPICS
from eventflow.settings import Settings, load_settings
from ops.chaos.child_process import ChaosError, Program, free_port, plain_environment
from ops.chaos.pipeline import plugin
from ops.chaos.proxy import Proxy, proxy_of
from ops.local_stack.embedded import EmbeddedServer
from ops.local_stack.rclone import RcloneMissing, serve_command

BUCKET, WORKSPACE = "delivery", "workspace"
_ACCESS_KEY = "chaos"


@frozen(kw_only=True)
class Layout:
    """The parts of a stack. `workers`: processes of each group in `groups`; times in seconds."""

    folder: Path
    workers: int = 2
    groups: Sequence[str] = tuple(GROUP_TOPICS)
    web: bool = True
    lease_s: float = 2.0
    concurrency: int = 2
    broken: str = "-"
    partitions: int = 1

    @property
    def journal(self) -> Path:
        """Folder of the workers' journals."""
        return self.folder / "journal"


@frozen
class Member:
    """A worker, and the proxy between it and the log."""

    program: Program
    proxy: Proxy


@define(eq=False, kw_only=True)
class StackUnderTest:
    """A running stack. `settings`: those of its processes, but with the URL of the log's server, not of a proxy."""

    layout: Layout
    server: EmbeddedServer
    server_program: Program
    store_proxy: Proxy
    workspace_proxy: Proxy
    store_port: int
    web: Program | None
    web_proxy: Proxy | None
    workers: list[Member]
    settings: Settings
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """URL of the web app."""
        return self.web.announced if self.web else ""

    @property
    def log_proxies(self) -> list[Proxy]:
        """All proxies in front of the log's server."""
        return [*([self.web_proxy] if self.web_proxy else []), *(member.proxy for member in self.workers)]

    async def start_server(self) -> None:
        """Start the log's server and wait until it has loaded its data. Raises EmbeddedError."""
        await self.server_program.start()
        await self.server.wait_ready(lambda: not self.server_program.running, lambda: None)

    def heal(self) -> None:
        """Make every proxy forward everything again."""
        for proxy in [self.store_proxy, self.workspace_proxy, *self.log_proxies]:
            proxy.heal()


@asynccontextmanager
async def open_stack(layout: Layout) -> AsyncIterator[StackUnderTest]:
    """Start everything in order; at the end every started process is killed, whatever happens."""
    layout.journal.mkdir(parents=True)
    plugin(layout.folder / "plugins")
    programs: list[Program] = []
    async with AsyncExitStack() as exits:
        stack = await _build(layout, programs, exits)
        exits.push_async_callback(_kill_all, programs)  # before the proxies end, which wait for both their sides
        await stack.start_server()
        await _start_store(programs[1])
        await asyncio.gather(*(program.start() for program in programs[2:]))
        yield stack


async def _kill_all(programs: Sequence[Program]) -> None:
    for program in programs:
        program.signal(signal.SIGKILL)
    for program in programs:
        await program.kill()


async def _build(layout: Layout, programs: list[Program], exits: AsyncExitStack) -> StackUnderTest:
    folder, environment = layout.folder, plain_environment()
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(folder / "plugins"), *filter(None, [environment.get("PYTHONPATH", "")])]
    )
    secret, store_port = secrets.token_hex(16), free_port()
    server = EmbeddedServer(folder, port=free_port(), appendfsync="always")

    def program(name: str, argv: Sequence[str], environment: dict[str, str], *, announces: bool = True) -> Program:
        log = folder / f"{name}.log"
        programs.append(Program(name=name, argv=argv, environment=environment, log=log, announces=announces))
        return programs[-1]

    server_program = program("server", server.prepare(), environment, announces=False)
    program("store", _store_command(folder, store_port, secret), environment, announces=False)
    store_proxy = await exits.enter_async_context(proxy_of(store_port))
    workspace_proxy = await exits.enter_async_context(proxy_of(store_port))
    environment |= _settings(layout, secret, store_proxy.port)

    async def way_to_log() -> tuple[Proxy, dict[str, str]]:
        log_port = server.url.rpartition(":")[2].partition("/")[0]
        proxy = await exits.enter_async_context(proxy_of(int(log_port)))
        return proxy, environment | {"EVENTFLOW_REDIS_URL": server.url.replace(f":{log_port}/", f":{proxy.port}/")}

    web = web_proxy = None
    if layout.web:
        web_proxy, own = await way_to_log()
        command = (sys.executable, "-P", "-m", "ops.cli", "web", "--port", str(free_port()), "--supervised")
        web = program("web", command, own)
    members = []
    for number in range(layout.workers):
        for group in layout.groups:
            proxy, own = await way_to_log()
            started_by = _worker_command(layout, group, workspace_proxy.port)
            members.append(Member(program(f"worker-{group}-{number}", started_by, own), proxy))
    settings = load_settings(_eventflow(environment) | {"EVENTFLOW_REDIS_URL": server.url})
    return StackUnderTest(
        layout=layout,
        server=server,
        server_program=server_program,
        store_proxy=store_proxy,
        workspace_proxy=workspace_proxy,
        store_port=store_port,
        web=web,
        web_proxy=web_proxy,
        workers=members,
        settings=settings,
        environment=environment,
    )


def _worker_command(layout: Layout, group: str, workspace_port: int) -> tuple[str, ...]:
    program = (sys.executable, "-P", "-m", "ops.chaos.worker_program", str(layout.journal), layout.broken)
    return (*program, f"http://127.0.0.1:{workspace_port}", "worker", "--group", group, "--supervised")


def _settings(layout: Layout, secret: str, store_port: int) -> dict[str, str]:
    (layout.folder / "scratch").mkdir()
    return {
        "EVENTFLOW_DATA_DIR": str(layout.folder / "data"),
        "EVENTFLOW_SCRATCH_DIR": str(layout.folder / "scratch"),
        "EVENTFLOW_DELIVERY_URL": f"s3://{BUCKET}/videos",
        "EVENTFLOW_WORKSPACE_URL": f"s3://{WORKSPACE}/files",
        "EVENTFLOW_PARTITIONS": str(layout.partitions),
        "EVENTFLOW_DURABLE_ACK": "always",
        "EVENTFLOW_LEASE_SECONDS": str(layout.lease_s),
        "EVENTFLOW_CONCURRENCY": str(layout.concurrency),
        "EVENTFLOW_SCENE_CACHE_DAYS": "0",  # no job reuses the scenes of another
        "EVENTFLOW_RETRY_BASE_SECONDS": "0.2",
        "EVENTFLOW_UPLOAD_RETRY_BASE_SECONDS": "0.1",
        "EVENTFLOW_SIGNING_KEY": f"chaos:{secrets.token_hex(32)}",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{store_port}",
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _eventflow(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("EVENTFLOW_")}


def _store_command(folder: Path, port: int, secret: str) -> tuple[str, ...]:
    try:
        return serve_command(folder, (BUCKET, WORKSPACE), port, _ACCESS_KEY, secret)
    except RcloneMissing as error:
        raise ChaosError(str(error)) from error


async def _start_store(store: Program) -> None:
    """Start the object store, and wait until it accepts connections. Raises ChaosError."""
    await store.start()
    host, _, port = store.argv[store.argv.index("--addr") + 1].partition(":")
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                if not store.running:
                    raise ChaosError(f"the object store didn't start; see {store.log}") from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
