"""The stack on one machine: the embedded server, the web app, a worker of each group; for `up` and `demo`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from attrs import evolve

from eventflow.domain.topics import ARCHIVE_GROUP, GROUP_TOPICS
from eventflow.settings import Environment, Settings, is_loopback
from eventflow.storage import StorageError
from ops.local_stack.addresses import check_bindable, not_bindable
from ops.local_stack.data_dir import DataDirError, prepare, scratch_of
from ops.local_stack.embedded import DataDirLock, EmbeddedServer
from ops.local_stack.supervisor import Child, ChildSpec, first_of

T = TypeVar("T")

_LOG = structlog.get_logger()

#: Exit code of children whose settings are wrong: a restart doesn't help.
_WRONG_SETTINGS = 2
#: Seconds after the drain for a child to close its connections.
_GRACE_S = 10.0


class StackError(Exception):
    """The stack can't run; the message says what to do."""


class Stack:
    """Starts and stops all processes. `environment` is that of the settings. `adopt`: mark the stores as this log's.

    `errors`: descriptor for the children's logs (None: standard error). `failed` gets the error that ends the stack.
    """

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], *, errors: int | None = None, adopt: bool = False
    ) -> None:
        if settings.env is Environment.PRODUCTION:
            raise StackError(
                "The embedded server isn't for production (EVENTFLOW_ENV=production). "
                "Run `eventflow web` and `eventflow worker --group G` on your own Redis."
            )
        self._settings, self._environment, self._errors = settings, dict(environment), errors
        if is_loopback(settings.host):  # for the user of this machine; the first API key ends that
            self._environment.setdefault("EVENTFLOW_OPEN_ACCESS", "on")
        self._adopt = adopt
        self._lock = DataDirLock(settings.data_dir)
        self._server = EmbeddedServer(settings.data_dir)
        self._children: list[Child] = []
        self._server_child: Child | None = None
        self.killed = False
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def start(self) -> str:
        """Start everything in order, and return the web app's URL. Raises StackError, EmbeddedError."""
        data_dir = self._settings.data_dir
        try:
            await asyncio.to_thread(prepare, data_dir)
        except DataDirError as error:
            raise StackError(str(error)) from error
        await self._lock.acquire()
        host, port = self._settings.host, self._settings.port
        try:
            await asyncio.to_thread(check_bindable, host, port)
        except OSError as error:
            raise StackError(not_bindable(host, port, error)) from error
        scratch = self._settings.scratch_dir or await asyncio.to_thread(scratch_of, data_dir)
        await self._start_server()
        self._environment |= {
            "EVENTFLOW_REDIS_URL": self._server.url,
            "EVENTFLOW_DATA_DIR": str(data_dir),
            "EVENTFLOW_SCRATCH_DIR": str(scratch),
        }
        if self._adopt:
            await self._adopt_stores()
        web = self._launch(self._spec("web", "web"))
        names = (*GROUP_TOPICS, ARCHIVE_GROUP)  # the archive group trims the topics even without an archive
        workers = [self._launch(self._spec(f"worker {g}", "worker", "--group", g)) for g in names]
        url, *_ = await self._all_ready([web, *workers])
        self._environment["EVENTFLOW_PORT"] = str(urlsplit(url).port)  # the same again after a crash
        web.spec = self._spec("web", "web")
        return url

    async def _start_server(self) -> None:
        server = self._launch(
            ChildSpec(
                name="server",
                argv=self._server.prepare(),
                environment=self._environment,
                announces=False,
                pass_fds=(self._lock.fd,),  # the server holds the lock too: no second one starts on its files
            )
        )
        self._children.remove(server)
        self._server_child = server
        await self._server.wait_ready(server.task.done, lambda: _LOG.info("the server loads its data"))
        server.is_ready()
        self._lock.note(f"{os.getpid()}, server {server.process.pid if server.process else '-'}")

    async def _adopt_stores(self) -> None:
        from ops.compose import open_parts
        from ops.environment import adopt_stores

        async with open_parts(evolve(self._settings, redis_url=self._server.url), serves=False) as parts:
            try:
                await adopt_stores(parts)
            except StorageError as error:
                raise StackError(f"A store can't be marked as this environment's: {error}") from error

    async def ever_had_keys(self) -> bool:
        """Return whether the log has, or once had, an API key: then every request needs one."""
        from ops.compose import open_parts

        async with open_parts(evolve(self._settings, redis_url=self._server.url), serves=False) as parts:
            return await parts.api_keys.ever()

    async def _all_ready(self, children: Sequence[Child]) -> list[str]:
        ready = asyncio.gather(*(asyncio.shield(child.ready) for child in children))
        await first_of(ready, self.failed)
        if self.failed.done():
            ready.cancel()
            raise StackError(f"The stack didn't start: {self.failed.result()}.")
        return await ready

    async def while_running(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work`. Raises StackError, and cancels it, if the stack fails first."""
        task = asyncio.ensure_future(work)
        try:
            await first_of(task, self.failed)
            if not task.done():
                raise StackError(f"The stack failed: {self.failed.result()}.")
            return await task
        finally:
            task.cancel()

    def _spec(self, name: str, *arguments: str) -> ChildSpec:
        return ChildSpec(
            name=name,
            argv=(sys.executable, "-P", "-m", "ops.cli", *arguments, "--supervised"),
            environment=dict(self._environment),
            final_codes=frozenset({_WRONG_SETTINGS}),
            grace_s=self._settings.drain_seconds + _GRACE_S,
        )

    def _launch(self, spec: ChildSpec) -> Child:
        child = Child(spec, errors=self._errors)
        child.task.add_done_callback(self._note_failure)
        self._children.append(child)
        return child

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failed.done():
            self.failed.set_result(error)

    async def stop(self) -> None:
        """Stop web app and workers at the same time, each with its drain; then the server."""
        await asyncio.gather(*(child.stop() for child in self._children))
        if self._server_child is not None:
            await self._server_child.stop()
        self._lock.release()

    def kill(self) -> None:
        """Kill every process; `stop` still has to be called, and doesn't wait then."""
        self.killed = True
        for child in [*self._children, *([self._server_child] if self._server_child else [])]:
            child.kill()
