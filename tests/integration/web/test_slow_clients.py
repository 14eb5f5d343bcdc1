"""Slow, silent and many clients, in every phase of a request; each sends once and keeps its connection."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from attrs import evolve
from structlog.testing import capture_logs

from eventflow.settings import Settings, WebSettings
from tests.support.driving import Driver
from tests.support.programs import Program, programs_in
from tests.support.waiting import wait_until
from tests.support.web_app import job_id
from web.app import create_app
from web.deps import WebDeps
from web.http.connections import network_of
from web.server import Address, serving

#: Much shorter than a test may take, much longer than an answer takes.
SHORT_S, LONG_S = 0.5, 600.0
PATIENCE_S = 20.0
GENERATE = b"POST /api/v1/videos/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ASSET = b"POST /api/v1/assets?name=x HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def served(deps: WebDeps, settings: Settings, **limits: float) -> AsyncIterator[Address]:
    """With times that are over at once for `limits` alone."""
    names = ("request_head_seconds", "request_body_seconds", "keepalive_seconds", "stall_seconds")
    web = WebSettings(open_access=True, **{**dict.fromkeys(names, LONG_S), **limits})  # type: ignore[arg-type]
    async with serving(create_app(evolve(deps, settings=evolve(settings, web=web))), "127.0.0.1", 0) as address:
        yield address


async def until_closed(address: Address, *sent: bytes) -> bytes:
    """All that the server answers until it closes the connection, whose client sends the parts in turn."""
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)

    async def send() -> None:
        for part in sent:
            writer.write(part)
            await asyncio.sleep(0.05)

    sending, came = asyncio.create_task(send()), b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while data := await reader.read(65_536):
                came += data
    except ConnectionError:
        pass
    finally:
        sending.cancel()
        writer.close()
    return came


HEAD, BODY, IDLE = "request_head_seconds", "request_body_seconds", "keepalive_seconds"
SHAPES = {
    "nothing": (HEAD, [b""], b""),
    "half a head": (HEAD, [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"], b""),
    "a head in drops": (HEAD, [b"GET /", *[b"a"] * 400], b""),
    "half a second head": (HEAD, [HEALTH, b"GET /he"], b"200 OK"),
    "half a body": (BODY, [GENERATE + b"Content-Length: 100\r\n\r\n{"], b"408 "),
    "a body in drops": (BODY, [GENERATE + b"Content-Length: 9000\r\n\r\n{", *[b" "] * 400], b"408 "),
    "half an asset": (BODY, [ASSET + b"Content-Length: 100000\r\n\r\n\x89PNG"], b"408 "),
    "unfinished chunks": (BODY, [GENERATE + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"scr\r\n"], b"408 "),
    "half a body for nobody": (BODY, [b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"], b"404 "),
    "nothing more": (IDLE, [HEALTH], b"200 OK"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
async def test_endless_bodies_time_out(deps: WebDeps, settings: Settings, shape: str) -> None:
    limit, sent, answer = SHAPES[shape]
    async with served(deps, settings, **{limit: SHORT_S}) as address:
        came = await until_closed(address, *sent)
    assert answer in came.partition(b"\r\n")[0] if answer else came == b""


async def test_slow_is_not_too_slow(deps: WebDeps, settings: Settings) -> None:
    """A connection that is kept may be idle for longer than a head may take; and what is at work is waited for."""
    async with served(deps, settings, request_head_seconds=SHORT_S, request_body_seconds=SHORT_S) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        for _ in range(3):
            writer.write(HEALTH)
            assert (await reader.readline()).endswith(b"200 OK\r\n")
            await reader.readuntil(b"}")
            await asyncio.sleep(2 * SHORT_S)
        writer.close()


async def test_a_client_that_does_not_read_is_disconnected(deps: WebDeps, settings: Settings, driver: Driver) -> None:
    """The bytes of a video through the app, and answers that are asked for and never read."""
    job = job_id()
    await driver.create(job)
    await driver.publish(job, {"720p": bytes(30_000_000)})
    download = f"GET /api/v1/videos/jobs/{job}/download?proxy=true HTTP/1.1\r\nHost: localhost\r\n".encode()
    many = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
    sends = [download + b"\r\n", download + b"Connection: close\r\n\r\n", many]
    with capture_logs() as lines:
        async with served(deps, settings, stall_seconds=SHORT_S, keepalive_seconds=SHORT_S) as address:
            with ExitStack() as clients:
                for sent in sends:
                    client = clients.enter_context(socket.socket())
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                    client.connect(("127.0.0.1", address.port))
                    client.sendall(sent)

                def cut() -> bool:
                    told = [line for line in lines if "don't read their answers" in line["event"]]
                    return sum(line["times"] for line in told) == len(sends)

                await wait_until(cut, PATIENCE_S, what="the end of each connection")


async def test_a_slow_reader_gets_everything(deps: WebDeps, settings: Settings, driver: Driver) -> None:
    job, size = job_id(), 8_000_000
    await driver.create(job)
    await driver.publish(job, {"720p": bytes(size)})
    sent = f"GET /api/v1/videos/jobs/{job}/download?proxy=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with served(deps, settings, stall_seconds=SHORT_S) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port, limit=32_768)
        writer.write(sent.encode())
        came = 0
        while data := await reader.read(65_536):  # for some seconds
            came += len(data)
            await asyncio.sleep(0.02)
        writer.close()
    assert came > size


@contextmanager
def room_for_clients(number: int) -> Iterator[None]:
    """This process may open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= number or hard == resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


#: Runs a command that may open so many files, and half of them without asking.
_FEW_FILES = """
import os, resource, sys
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most))
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def web_process(folder: Path, valkey_url: str, files: int, **settings: str) -> Iterator[tuple[Program, int]]:
    """A web process that may open so many files if it asks for them, and its port."""
    with programs_in(folder) as programs:
        wanted = {"EVENTFLOW_REDIS_URL": valkey_url, "EVENTFLOW_PORT": "0", "EVENTFLOW_OPEN_ACCESS": "on"}
        web = programs.start(
            "web",
            within=lambda command: [sys.executable, "-c", _FEW_FILES, str(files), *command],
            **wanted,
            EVENTFLOW_REQUEST_HEAD_SECONDS="600",
            **settings,
        )
        yield web, int(web.ready_url().rpartition(":")[2])


def unfinished(clients: ExitStack, port: int, number: int) -> None:
    for _ in range(number):
        client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
        try:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        except ConnectionError:
            continue


async def asked(port: int, source: str) -> bytes:
    """The first line of the answer to a client with the address `source`; empty if there is none."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        line = await asyncio.wait_for(reader.readline(), PATIENCE_S)
        writer.close()
    except ConnectionError:
        return b""
    return line


async def test_one_address_does_not_shut_others_out(valkey_url: str, tmp_path: Path) -> None:
    with room_for_clients(4_000), web_process(tmp_path, valkey_url, 1_024) as (web, port), ExitStack() as clients:
        assert resource.prlimit(web.process.pid, resource.RLIMIT_NOFILE) == (1_024, 1_024), "it hasn't asked"
        unfinished(clients, port, 1_100)
        for number in range(2, 12):
            assert b"200 OK" in await asked(port, f"127.0.0.{number}")
        await wait_until(lambda: "127.0.0.1 has as many as one address may" in web.err, PATIENCE_S, what="a log line")
        assert await asked(port, "127.0.0.1") == b""


async def test_a_process_keeps_files_for_itself_and_says_that_they_run_out(valkey_url: str, tmp_path: Path) -> None:
    limit = {"EVENTFLOW_CONNECTIONS_PER_ADDRESS": "5000"}
    with room_for_clients(4_000), web_process(tmp_path, valkey_url, 1_024, **limit) as (web, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with ExitStack() as clients:
            unfinished(clients, port, 1_100)
            await wait_until(lambda: "short of file descriptors" in web.err, PATIENCE_S, what="a log line")
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")  # it looks at the log and at the stores
            assert b"200 OK" in await asyncio.wait_for(reader.readline(), PATIENCE_S)
        writer.close()

        async def answered() -> bool:
            return b"200 OK" in await asked(port, "127.0.0.1")

        await wait_until(answered, PATIENCE_S, what="room again")
        assert web.err.count("short of file descriptors") <= 3, "lines that are as many as the clients"


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"),
        (("2001:db8::1", 5, 0, 0), "2001:db8::/64"),
        (("2001:db8::ffff:1%eth0", 5, 0, 0), "2001:db8::/64"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_ipv6_addresses_are_counted_by_network(peer: object, network: str) -> None:
    assert network_of(peer) == network
