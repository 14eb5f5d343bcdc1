"""The real worker with a journal: `python -m ops.chaos.worker_program JOURNAL BREAK WORKSPACE worker --group G ...`.

It replaces names in the composition root that `eventflow worker` looks up there, and then runs that command. BREAK is
a key of `BREAKS`, or "-"; WORKSPACE is the URL of the proxy in front of the workspace's S3 server. They aren't settings
of the service, so that no variable can break a production worker.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
from attrs import evolve
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from eventflow.domain.commands import Command
from eventflow.log import commit, connection
from eventflow.log.commit import Claim
from eventflow.log.consumer import Delivery, GroupMember
from eventflow.log.event_store import Cause, JobEventStore, JobRecord, Settlement
from eventflow.runtime.context import Group, Handler, StepContext
from eventflow.storage import ObjectStore
from ops import compose
from ops.chaos.breaks import BREAKS
from ops.chaos.journal import Journal

#: The callback of `JobEventStore.submit`.
Answered = Callable[[JobRecord | None, Exception | None], None]


class JournalingMember(GroupMember):
    """A group member that notes every delivery in the journal."""

    def __init__(self, journal: Journal, claims: dict[str, Claim], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._journal, self._held = journal, claims

    async def read(self, *args: Any, **kwargs: Any) -> list[Delivery]:
        return self._noted(await super().read(*args, **kwargs))

    async def wait(self, *args: Any, **kwargs: Any) -> list[Delivery]:
        return self._noted(await super().wait(*args, **kwargs))

    async def reclaim(self, *args: Any, **kwargs: Any) -> list[Delivery]:
        return self._noted(await super().reclaim(*args, **kwargs))

    def _noted(self, deliveries: list[Delivery]) -> list[Delivery]:
        for delivery in deliveries:
            event = orjson.loads(delivery.payload or b"{}").get("id", "")
            self._held[event] = delivery.claim
            self._journal.write("delivered", delivery.claim, event=event, job=event.partition(".")[0])
        return deliveries


class JournalingLog(JobEventStore):
    """An event store that notes every commit under a claim that the server accepted."""

    def __init__(self, journal: Journal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._journal = journal

    async def execute(
        self, job_id: str, *args: Any, settlement: Settlement | None = None, **kwargs: Any
    ) -> JobRecord | None:
        after = await super().execute(job_id, *args, settlement=settlement, **kwargs)
        if settlement is not None:
            self._note(settlement, job_id, after)
        return after

    def submit(
        self,
        record: JobRecord,
        commands: Sequence[Command],
        cause: Cause,
        settlement: Settlement,
        answered: Answered,
    ) -> bool:
        def noting(after: JobRecord | None, error: Exception | None) -> None:
            if error is None:
                self._note(settlement, record.id, after)
            answered(after, error)

        return super().submit(record, commands, cause, settlement, noting)

    def _note(self, settlement: Settlement, job_id: str, after: JobRecord | None) -> None:
        what = "committed" if settlement.on_claim == "hold" else "settled"
        self._journal.write(what, settlement.claim, job=job_id, version=after.version if after else 0)


def journaled(journal: Journal, claims: dict[str, Claim], group: Group) -> Group:
    """Return `group` with handlers that note when they begin and how they end."""

    def around(handler: Handler) -> Handler:
        @wraps(handler)
        async def noting(reaction: StepContext) -> Sequence[Command]:
            work, event = reaction.work, reaction.envelope.id
            about: dict[str, Any] = {"job": reaction.job_id, "event": event}
            if work is not None:
                about |= {"step": work.step.value, "scene": work.scene, "run": work.run}

            def note(what: str) -> None:
                journal.write(what, claims.get(event), **about)

            note("begin")
            try:
                commands = await handler(reaction)
            except asyncio.CancelledError:
                note("stopped")
                raise
            except Exception:
                note("raised")
                raise
            note("end")
            return commands

        return noting

    return evolve(group, handlers={kind: around(handler) for kind, handler in group.handlers.items()})


def _substitute(module: ModuleType, **names: Any) -> None:
    """Give names of `module` other values. Raises AttributeError for a name that it doesn't have."""
    for name, value in names.items():
        getattr(module, name)
        setattr(module, name, value)


def install(folder: Path) -> None:
    """Make the composition root use members, stores and handlers that keep a journal in `folder`."""
    journal, claims, group_of = Journal(folder), dict[str, Claim](), compose.group_of

    def journaling_group(*args: Any, **kwargs: Any) -> Group:
        return journaled(journal, claims, group_of(*args, **kwargs))

    _substitute(
        compose,
        group_of=journaling_group,
        GroupMember=partial(JournalingMember, journal, claims),
        JobEventStore=partial(JournalingLog, journal),
    )


def open_workspace_at(endpoint: str) -> None:
    """Make the composition root open the workspace at `endpoint`, not at that of the other stores."""
    opening = vars(compose)["open_store"]

    def opened(url: str, *, name: str = "", **kwargs: Any) -> ObjectStore:
        if name == "workspace":
            kwargs["environ"] = os.environ | {"AWS_ENDPOINT_URL_S3": endpoint}
        store: ObjectStore = opening(url, name=name, **kwargs)
        return store

    _substitute(compose, open_store=opened)


def break_commit(kind: str) -> None:
    """Make the log load `commit.lua` with a break."""
    alter: Callable[[str], str] = BREAKS[kind]

    def load(redis: Redis, name: str, *, after: str = "") -> AsyncScript:
        script = connection.load_script(redis, name, after=after)
        return redis.register_script(alter(str(script.script))) if name == "commit" else script

    _substitute(commit, load_script=load)


def main(arguments: Sequence[str]) -> int:
    """Run the command after the three arguments of this program, and return its exit code."""
    from ops.cli import main as eventflow

    folder, kind, workspace, *command = arguments
    install(Path(folder))
    open_workspace_at(workspace)
    if kind != "-":
        break_commit(kind)
    return eventflow(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
