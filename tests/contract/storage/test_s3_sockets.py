"""A server that accepts and never reads costs neither a socket nor memory for long."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psutil
import pytest

from eventflow.storage import StorageUnavailable
from eventflow.storage.s3.client import S3Options
from eventflow.storage.s3.store import S3Store
from tests.support.waiting import wait_until

MIB = 1024 * 1024


@pytest.fixture
async def deaf_port() -> AsyncIterator[int]:
    """Where a server listens that never reads a byte."""
    leave = asyncio.Event()

    async def never_read(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
        await leave.wait()
        writer.transport.abort()

    server = await asyncio.start_server(never_read, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    leave.set()
    server.close()
    await server.wait_closed()


def open_sockets(port: int) -> int:
    """Ours that lead to `port`."""
    return sum(1 for each in psutil.Process().net_connections("tcp") if each.raddr and each.raddr.port == port)


async def half_sent(port: int, read_timeout: timedelta) -> S3Store:
    """A store whose upload was given up in the middle: more than the kernel's buffers take."""
    options = S3Options(
        endpoint_url=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key_id="access",
        secret_access_key="a-very-secret-key",
        connect_timeout=timedelta(seconds=0.2),
        read_timeout=read_timeout,
        slowest_bytes_per_s=1024 * MIB,
        part_bytes=64 * MIB,
    )
    store = S3Store("bucket", options=options)
    with pytest.raises(StorageUnavailable):
        await store.put_bytes("x", bytes(32 * MIB), media_type="text/plain")
    return store


async def test_closing_the_store_closes_what_is_half_sent(deaf_port: int) -> None:
    store = await half_sent(deaf_port, timedelta(seconds=0.3))
    assert open_sockets(deaf_port) == 1
    await store.close()
    assert open_sockets(deaf_port) == 0


async def test_what_is_half_sent_ends_by_itself(deaf_port: int) -> None:
    store = await half_sent(deaf_port, timedelta(seconds=0.3))

    await wait_until(lambda: open_sockets(deaf_port) == 0)
    await store.close()
