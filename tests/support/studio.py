"""A studio: settings for a folder and a log of its own, and workers of every group in this process."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve
from opentelemetry.sdk.trace import TracerProvider

from eventflow.domain.values import StoreRole, VideoRequest
from eventflow.settings import load_settings
from eventflow.storage import ObjectStore
from eventflow.telemetry.tracing import Tracing
from ops.compose import Parts, group_of, open_parts, worker
from tests.support.command_server import CommandServer
from tests.support.files import stored_files
from tests.support.log_server import LogServer
from tests.support.programs import Programs, programs_in
from tests.support.runtime import Space, quiet_logs, running_until_left

QUALITIES = ("720p", "360p")
#: A script whose scenes are long enough to be spoken over several segments.
SPOKEN = """# Streams

An event is a fact that has happened, and it does not change any more, whatever anybody may think about it later on.

- It has happened at some time
- It does not change

## Groups

Each group reads on its own.
"""
WORKERS = ("generation", "upload", "metadata")
#: The simulation makes three scenes of three cells (8/15 s each).
SIMULATION_SECONDS = 9 * 8 / 15


def simulation(**changes: Any) -> VideoRequest:
    return evolve(VideoRequest(script="# Any\n\nThing.", pipeline="simulation", quality_levels=QUALITIES), **changes)


@define
class Studio:
    """`space` looks at the log; `parts` are what the workers use; `folder` holds the stores and the scratch folder."""

    space: Space
    parts: Parts
    folder: Path

    def files(self, store: str) -> list[Path]:
        return stored_files(self.folder / "data" / store)

    @property
    def cleared(self) -> bool:
        """Whether nothing is left of finished jobs but what is said in their scenes."""
        return all(path.suffix == ".json" for path in self.files("workspace"))

    @property
    def scratch(self) -> list[Path]:
        folder = self.folder / "scratch"
        return list(folder.iterdir()) if folder.exists() else []


StudioOf = Callable[..., AbstractAsyncContextManager[Studio]]


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    quiet_logs()


@pytest.fixture
def environment(shared_server: LogServer, tmp_path: Path) -> dict[str, str]:
    """Settings of a service in `tmp_path`."""
    return {
        "EVENTFLOW_REDIS_URL": shared_server.url,
        "EVENTFLOW_NAMESPACE": f"t{secrets.token_hex(4)}",
        "EVENTFLOW_DATA_DIR": str(tmp_path / "data"),
        "EVENTFLOW_SCRATCH_DIR": str(tmp_path / "scratch"),
        "EVENTFLOW_OPEN_ACCESS": "on",
        "EVENTFLOW_LEASE_SECONDS": "2",
        "EVENTFLOW_SCENE_CACHE_DAYS": "0",
        "EVENTFLOW_DRAIN_SECONDS": "5",
        "EVENTFLOW_RETRY_BASE_SECONDS": "0.02",
        "EVENTFLOW_UPLOAD_RETRY_BASE_SECONDS": "0.01",
    }


@pytest.fixture
def studio(environment: dict[str, str], tmp_path: Path) -> StudioOf:
    """`async with studio(EVENTFLOW_DELIVERY_URL=...) as s`; options: `stores` (changes them), `provider`, `workers`."""

    @asynccontextmanager
    async def open_studio(
        *,
        stores: Callable[[dict[StoreRole, ObjectStore]], dict[StoreRole, ObjectStore]] | None = None,
        provider: TracerProvider | None = None,
        workers: tuple[str, ...] = WORKERS,
        **changes: str,
    ) -> AsyncIterator[Studio]:
        settings = load_settings({**environment, **changes})
        async with open_parts(settings) as parts:
            if stores is not None:
                parts = evolve(parts, stores=stores(dict(parts.stores)))
            if provider is not None:
                parts = evolve(parts, tracing=Tracing(provider))
            space = Space(settings.redis_url, parts.redis, parts.log, parts.keyspace)
            async with AsyncExitStack() as stack:  # connections of its own for each worker, as in a process of its own
                made = []
                for name in workers:
                    own = await stack.enter_async_context(open_parts(settings))
                    own = evolve(own, stores=parts.stores, tracing=parts.tracing)
                    made.append(worker(own, group_of(own, name)))
                async with running_until_left(made):
                    yield Studio(space, parts, tmp_path)

    return open_studio


@pytest.fixture
def programs(tmp_path: Path, environment: dict[str, str], commands: CommandServer) -> Iterator[Programs]:
    """Real `eventflow` processes on the same log and folder; their process groups are killed at the end."""
    folder = tmp_path / "programs"
    folder.mkdir()
    with programs_in(folder, commands) as programs:
        programs.environment = environment
        yield programs
