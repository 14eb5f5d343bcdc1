"""A server that accepts and never reads costs neither a socket nor memory for long."""

import asyncio
import fcntl
import sys
import termios
from collections.abc import AsyncIterator
from datetime import timedelta

import psutil
import pytest

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
    return len(descriptors(port))


def descriptors(port: int) -> list[int]:
    """The file descriptors of our sockets that lead to `port`."""
    connections = psutil.Process().net_connections("tcp")
    return [each.fd for each in connections if each.raddr and each.raddr.port == port]


def unread_bytes(port: int) -> int:
    """What the kernel holds of our bytes to `port` and the peer hasn't taken (SIOCOUTQ in tcp(7))."""
    told = [fcntl.ioctl(each, termios.TIOCOUTQ, bytes(4)) for each in descriptors(port)]
    return sum(int.from_bytes(each, sys.byteorder) for each in told)


def store_at(port: int, read_timeout: timedelta) -> S3Store:
    options = S3Options(
        endpoint_url=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key_id="access",
        secret_access_key="a-very-secret-key",
        read_timeout=read_timeout,
        slowest_bytes_per_s=1024 * MIB,
        part_bytes=64 * MIB,
    )
    return S3Store("bucket", options=options)


async def half_sent(store: S3Store, port: int) -> None:
    """Cancel an upload in its middle: more than the kernel's buffers take, from a peer that takes none."""
    upload = asyncio.create_task(store.put_bytes("x", bytes(32 * MIB), media_type="text/plain"))
    await wait_until(lambda: unread_bytes(port) > MIB)  # more than the headers
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload


async def test_closing_the_store_closes_what_is_half_sent(deaf_port: int) -> None:
    store = store_at(deaf_port, timedelta(minutes=10))
    await half_sent(store, deaf_port)
    assert open_sockets(deaf_port) == 1

    await store.close()

    assert open_sockets(deaf_port) == 0


async def test_what_is_half_sent_ends_by_itself(deaf_port: int) -> None:
    store = store_at(deaf_port, timedelta(seconds=3))
    await half_sent(store, deaf_port)

    await wait_until(lambda: open_sockets(deaf_port) == 0)

    await store.close()
