"""Every test of the contract runs on each backend; what a server is known to do differently is a flag here."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp
import pytest
from attrs import define, field, frozen
from yarl import URL

from eventflow.storage import LocalStore, ObjectStore, SignatureError, SigningKey, SigningKeys, attachment, verify
from eventflow.storage.s3.store import S3Store
from tests.support.s3_servers import S3Server, moto_server, options_for, rclone_server

KEYS = SigningKeys((SigningKey("k1", b"a secret of the tests, 32 bytes."),))


@define
class Clock:
    now: datetime = field(factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@frozen
class Answer:
    """What a browser gets for a signed URL."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


@define
class Backend:
    """A store under test, and how it differs."""

    name: str
    store: ObjectStore
    #: Puts bytes there behind the store's back, quickly.
    place: Callable[[str, bytes], None]
    #: A GET of a signed URL, or another `method`.
    get: Callable[..., Awaitable[Answer]]
    clock: Clock
    server: S3Server | None = None
    #: moto accepts every signature, expired ones included.
    checks_signatures: bool = True
    #: rclone answers a signed range GET with the right bytes and Content-Range, but with status 200.
    range_status: int = 206


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def rclone() -> Iterator[S3Server]:
    with rclone_server() as server:
        yield server


@pytest.fixture(params=["local", "moto", "rclone"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    if request.param == "local":
        made = local_backend(tmp_path / "store")
    else:
        made = s3_backend(request.param, request.getfixturevalue(request.param))
    yield made
    await made.store.close()


@pytest.fixture(params=["moto", "rclone"])
def server(request: pytest.FixtureRequest) -> S3Server:
    """An S3 server that other tests use too: don't stop it."""
    found: S3Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def s3_store(server: S3Server) -> AsyncIterator[S3Store]:
    store = S3Store(server.bucket, f"t-{secrets.token_hex(6)}", options=small_parts(server))
    yield store
    await store.close()


def small_parts(server: S3Server, **changes: Any):  # type: ignore[no-untyped-def]
    """Options with the smallest parts S3 allows, to have several of them in little data."""
    return options_for(server, **({"part_bytes": 5 * 1024 * 1024} | changes))


def local_backend(root: Path) -> Backend:
    clock = Clock()
    store = LocalStore(root, now=clock, signing=KEYS, name="delivery")

    def place(key: str, data: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(data)

    async def get(url: str, *, start: int | None = None, length: int = 0, method: str = "GET") -> Answer:
        # Does what the web app's route does with it.
        parts = urlsplit(url)
        _, media, name, key = unquote(parts.path).split("/", 3)
        assert media == "media"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            grant = verify(KEYS, method=method, store=name, key=key, query=query, now=clock())
        except SignatureError:
            return Answer(403)
        headers = {"Content-Type": grant.media_type or (await store.head(key)).media_type}
        if grant.download_name is not None:
            headers["Content-Disposition"] = attachment(grant.download_name)
        wanted = {} if start is None else {"start": start, "length": length}
        body = b"".join([chunk async for chunk in store.read(key, **wanted)])
        headers["Content-Length"] = str(len(body))
        return Answer(200 if start is None else 206, b"" if method == "HEAD" else body, headers)

    return Backend("local", store, place, get, clock)


def s3_backend(name: str, server: S3Server) -> Backend:
    prefix = f"t-{secrets.token_hex(6)}"
    store = S3Store(server.bucket, prefix, options=small_parts(server))

    async def get(url: str, *, start: int | None = None, length: int = 0, method: str = "GET") -> Answer:
        asked = {} if start is None else {"Range": f"bytes={start}-{start + length - 1}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, URL(url, encoded=True), headers=asked) as answer,
        ):
            return Answer(answer.status, await answer.read(), answer.headers)

    backend = Backend(name, store, lambda key, data: server.place(f"{prefix}/{key}", data), get, Clock(), server)
    if name == "moto":
        backend.checks_signatures = False
    if name == "rclone":
        backend.range_status = 200
    return backend
