"""A web process sends a file of 256 MiB through the app in constant memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain.values import FileRef, VideoFile
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from ops.local_stack.data_dir import prepare
from tests.support.driving import Driver
from tests.support.programs import Program, programs_in
from tests.support.runtime import utc_now
from tests.support.s3_servers import environment_for, rclone_server
from tests.support.waiting import wait_until
from tests.support.web_app import job_id

SIZE = 256 * 1024 * 1024
#: Chunks in flight, buffers of sockets and threads; a hundredth part of what is sent at once by a client that is slow.
ALLOWED_BYTES = 24 * 1024 * 1024
KEY = f"videos/big/720p/{'0' * 64}.mp4"


@frozen
class Place:
    """The settings of a delivery store that holds the big file."""

    environment: dict[str, str]


@contextmanager
def local(folder: Path) -> Iterator[Place]:
    prepare(folder / "data")
    _sparse(folder / "data" / "delivery" / KEY)
    yield Place({})


@contextmanager
def s3(folder: Path) -> Iterator[Place]:
    """rclone, which reads the file as it is sent (moto would hold it)."""
    with rclone_server() as server:
        server.place(KEY, b"")
        _sparse(server._folder / "data" / server.bucket / KEY)  # type: ignore[attr-defined]
        server.refresh()
        yield Place({"EVENTFLOW_DELIVERY_URL": f"s3://{server.bucket}", **environment_for(server)})


def _sparse(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(SIZE)


@pytest.mark.parametrize("place", [local, s3], ids=["local", "s3"])
@pytest.mark.timeout(120)
async def test_sending_a_large_file_takes_no_memory_for_its_size(
    place: object, valkey_url: str, tmp_path: Path, curl: str
) -> None:
    with place(tmp_path) as at, programs_in(tmp_path) as programs:  # type: ignore[operator]
        environment = {
            "EVENTFLOW_REDIS_URL": valkey_url,
            "EVENTFLOW_DATA_DIR": str(tmp_path / "data"),
            "EVENTFLOW_PORT": "0",
            "EVENTFLOW_OPEN_ACCESS": "on",
            **at.environment,
        }
        job = await _published(valkey_url)
        web = programs.start("web", **environment)
        await wait_until(lambda: "http://" in web.out, 60, what="the web process serves")
        found = re.search(r"http://\S+:\d+", web.out)
        assert found is not None
        url = f"{found.group()}/api/v1/videos/jobs/{job}/download?proxy=true"
        assert await _curl(curl, url, "--range", "0-4000000") == ("206", 4_000_001)  # what is made at first use

        _forget_peak(web)
        before = _peak_bytes(web)
        assert await _curl(curl, url) == ("200", SIZE)
        whole = _peak_bytes(web)
        # Somebody who reads slowly must not make the app read ahead.
        slow = await _curl(curl, url, "--limit-rate", "4m", "--max-time", "1")
        assert slow[1] < SIZE // 4
        peaks = [before, whole, _peak_bytes(web)]
        assert before > ALLOWED_BYTES, "that is no web process"
        assert max(peaks) - before < ALLOWED_BYTES


async def _published(valkey_url: str) -> str:
    redis, job = connect(valkey_url), job_id()
    driver = Driver(JobEventStore(redis, codec=Codec(), keyspace=Keyspace(), clock=utc_now), {})
    await driver.create(job)
    video = VideoFile(
        quality="720p",
        width=1280,
        height=720,
        duration_s=60.0,
        file=FileRef(store="delivery", key=KEY, sha256="0" * 64, size_bytes=SIZE, media_type="video/mp4"),
    )
    await driver.run(
        job,
        cmd.FinishVideo(run=1, videos=(video,), thumbnails=()),
        cmd.FinishUpload(run=1, videos=(video,), thumbnails=()),
        cmd.PublishVideo(1, ()),
    )
    await redis.aclose()
    return job


async def _curl(curl: str, url: str, *options: str) -> tuple[str, int]:
    """(status, bytes that came)."""
    command = ("--silent", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", *options, url)
    process = await asyncio.create_subprocess_exec(curl, *command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    status, size = told.decode().split()
    return status, int(size)


def _forget_peak(program: Program) -> None:
    """From now on the peak is that of what follows (proc(5), clear_refs)."""
    Path(f"/proc/{program.process.pid}/clear_refs").write_text("5")


def _peak_bytes(program: Program) -> int:
    """The most memory that the process has had resident."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) * 1024
