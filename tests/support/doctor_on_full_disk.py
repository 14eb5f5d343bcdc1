"""What `eventflow doctor` finds on a data directory whose disk has filled up under the server that runs on it.

python -m tests.support.doctor_on_full_disk DATA_DIR      prints the findings as JSON
"""

from __future__ import annotations

import asyncio
import errno
import json
import subprocess
import sys
from pathlib import Path

from attrs import asdict
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ops.cli.doctor import examine
from ops.local_stack.data_dir import prepare
from ops.local_stack.embedded import EmbeddedServer


async def main(data_dir: Path) -> None:
    prepare(data_dir)
    (data_dir / "delivery").mkdir()
    server = EmbeddedServer(data_dir)
    process = subprocess.Popen(server.prepare(), stdout=subprocess.DEVNULL)
    try:
        await server.wait_ready(lambda: process.poll() is not None, lambda: None)
        _fill(data_dir / "ballast")
        await _until_refused(server.url)
        findings = await examine({"EVENTFLOW_DATA_DIR": str(data_dir)})
    finally:
        process.kill()
        process.wait()
    print(json.dumps([asdict(finding) for finding in findings]))


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


async def _until_refused(url: str) -> None:
    async with Redis.from_url(url) as redis:
        try:
            for number in range(100_000):
                await redis.set(f"key-{number}", "x" * 4_096)
        except ResponseError as error:
            if "MISCONF" not in str(error):
                raise


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
