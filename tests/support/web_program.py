"""A web process that dies of its first job: `python -m tests.support.web_program URL PREFIX FOLDER`.

It prints its URL, and is killed where the job would be written, with everything before that done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from attrs import evolve

from eventflow.log.event_store import JobEventStore
from eventflow.settings import Settings, load_settings
from eventflow.telemetry.logs import configure_logs
from ops.compose import open_parts, utc_now, web_app
from web.server import serving


def settings_of(url: str, prefix: str, folder: Path) -> Settings:
    where = {"EVENTFLOW_REDIS_URL": url, "EVENTFLOW_NAMESPACE": prefix, "EVENTFLOW_DATA_DIR": str(folder)}
    return load_settings({**where, "EVENTFLOW_OPEN_ACCESS": "on"})


class DeadlyLog(JobEventStore):
    async def create(self, *_: Any, **__: Any) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")


async def main(url: str, prefix: str, folder: Path) -> None:
    configure_logs()
    async with open_parts(settings_of(url, prefix, folder)) as parts:
        log = DeadlyLog(parts.redis, codec=parts.log.codec, keyspace=parts.keyspace, clock=utc_now)
        async with serving(web_app(evolve(parts, log=log)), "127.0.0.1", 0) as address:
            print(address.url, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
