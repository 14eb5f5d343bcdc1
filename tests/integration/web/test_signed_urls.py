"""Signed URLs: how long they are valid, which host they name, and that no log contains one."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import structlog
from attrs import evolve
from yarl import URL

from eventflow.domain.values import StoreRole
from eventflow.settings import DeliverySettings, Settings
from eventflow.storage import ObjectStore, PublicAddress, open_store
from eventflow.telemetry.logs import configure_logs
from tests.support.cdn import edge
from tests.support.driving import Driver
from tests.support.s3_servers import S3Server, options_for, rclone_server
from tests.support.web_app import SIGNING, Client, Clock, StartClient, job_id
from web.deps import WebDeps

VIDEO = bytes(range(256)) * 4
HOSTILE = 'a"; filename=evil.exe\r\nSet-Cookie: x=1\u202egpj.\\../\x00%00'


@pytest.fixture
async def job(driver: Driver) -> str:
    made = job_id()
    await driver.create(made)
    await driver.plan(made, scenes=1, title=HOSTILE)
    await driver.render(made, 0)
    await driver.upload(made, 0)
    await driver.publish(made, {"720p": VIDEO}, [b"\xff\xd8 picture"], captions={("en", "vtt"): b"WEBVTT\n"})
    return made


def url(job: str, what: str) -> str:
    return f"/api/v1/videos/jobs/{job}/{what}"


def expiry_of(location: str) -> int:
    return int(dict(parse_qsl(urlsplit(location).query))["e"])


WHAT = ["download?", "stream?format=mp4&", "captions?"]


@pytest.mark.parametrize("what", WHAT)
async def test_a_request_says_how_long_its_url_lives(client: Client, job: str, clock: Clock, what: str) -> None:
    for query, seconds in (("", 3600), ("expires_in=60", 60), ("expires_in=604800", 604_800)):
        async with client.get(url(job, what + query), allow_redirects=False) as answer:
            assert answer.status == 307
            location = answer.headers["Location"]
        assert expiry_of(location) - clock().timestamp() == pytest.approx(seconds, abs=1)
    async with client.get(url(job, f"{what}expires_in=60"), allow_redirects=False) as answer:
        location = answer.headers["Location"]
    async with client.get(location) as answer:
        assert answer.status == 200
    clock.at += timedelta(seconds=61)
    async with client.get(location) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "expired_signature")


async def test_metadatas_urls_live_as_long_as_is_asked_for(client: Client, job: str, clock: Clock) -> None:
    async with client.get(url(job, "metadata?expires_in=120")) as answer:
        body = await answer.json()
    assert body["urls_expire_in"] == 120
    urls = [*body["video_urls"].values(), *body["thumbnail_urls"], body["caption_urls"][0]["url"]]
    for each in urls:
        assert expiry_of(each) - clock().timestamp() == pytest.approx(120, abs=1)


@pytest.mark.parametrize("what", [*WHAT, "metadata?"])
async def test_limits_are_those_of_the_settings(start: StartClient, settings: Settings, job: str, what: str) -> None:
    limited = evolve(settings, delivery=DeliverySettings(min_seconds=300, max_seconds=7200))
    client = await start(settings=limited)
    for wrong in ("299", "7201", "0", "-300", "1e3", "x", "", "9" * 30):
        async with client.get(url(job, f"{what}expires_in={wrong}"), allow_redirects=False) as answer:
            body = await answer.json(content_type=None)
        assert (answer.status, body["errors"][0]["pointer"]) == (422, "?expires_in")
        assert "from 300 to 7200" in body["errors"][0]["reason"]
    async with client.get(url(job, f"{what}expires_in=300"), allow_redirects=False) as answer:
        assert answer.status in (200, 307)


async def test_proxied_files_have_no_url_that_expires(client: Client, job: str) -> None:
    async with client.get(url(job, "download?proxy=true&expires_in=600")) as answer:
        body = await answer.json(content_type=None)
    assert (answer.status, body["errors"][0]["code"]) == (422, "conflict")


async def test_a_signature_is_for_one_key_and_method(client: Client, job: str) -> None:
    async with client.get(url(job, "metadata")) as answer:
        body = await answer.json()
    video, picture = URL(body["video_urls"]["720p"]), URL(body["thumbnail_urls"][0])
    async with client.get(str(picture.with_query(video.query))) as answer:
        assert answer.status == 403
    for method in ("POST", "PUT", "DELETE"):
        async with client.request(method, str(video)) as answer:
            assert answer.status in (403, 405)
    async with client.head(url(job, "download"), allow_redirects=False) as answer:
        location = answer.headers["Location"]
    async with client.head(location) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(VIDEO)))
    async with client.get(location) as answer:
        assert answer.status == 403, "it was signed for a HEAD"


@pytest.mark.parametrize("what", ["download", "download?proxy=true"])
async def test_a_hostile_title_makes_a_harmless_name(client: Client, job: str, what: str) -> None:
    async with client.get(url(job, what)) as answer:
        assert await answer.read() == VIDEO
        disposition = answer.headers["Content-Disposition"]
        assert "Set-Cookie" not in answer.headers
    assert re.fullmatch(r"""attachment; filename="[^"\\/%\x00-\x1f]+"(; filename\*=UTF-8''[\w%.~-]+)?""", disposition)
    assert "evil.exe" in disposition, "it is part of the name, and no parameter of its own"
    assert disposition.count("filename=") == 2
    assert '-720p.mp4"' in disposition


# --- whose address a URL has; rclone checks signatures, which are for one host ---


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with rclone_server() as running:
        yield running


async def published(
    server: S3Server, public: PublicAddress, deps: WebDeps, start: StartClient, stores: dict[StoreRole, ObjectStore]
) -> tuple[Client, str, ObjectStore]:
    store = open_store(
        f"s3://{server.bucket}/videos", now=deps.clock, public=public, s3=options_for(server), environ={}
    )
    everywhere: dict[StoreRole, ObjectStore] = {**stores, "delivery": store}
    driver, job = Driver(deps.log, everywhere), job_id()
    await driver.create(job)
    await driver.publish(job, {"720p": VIDEO})
    return await start(stores=everywhere), job, store


@pytest.mark.parametrize(
    ("keeps_host", "prefix", "signed", "status"),
    [
        (False, "/edge", False, 200),  # a CDN
        (True, "", True, 200),  # a domain that leads to the store
        (True, "", False, 403),  # what doesn't fit is refused by the store
        (False, "", True, 403),
    ],
)
async def test_viewers_reach_the_store_by_its_public_address(
    server: S3Server,
    deps: WebDeps,
    start: StartClient,
    stores: dict[StoreRole, ObjectStore],
    keeps_host: bool,
    prefix: str,
    signed: bool,
    status: int,
) -> None:
    async with edge(server.endpoint_url, keeps_host=keeps_host, prefix=prefix) as before:
        client, job, store = await published(server, PublicAddress(before.url, signed=signed), deps, start, stores)
        async with client.get(url(job, "download"), allow_redirects=False) as answer:
            location = answer.headers["Location"]
        assert location.startswith(before.url + "/")
        assert server.endpoint_url not in location
        async with aiohttp.ClientSession() as session, session.get(URL(location, encoded=True)) as answer:
            assert answer.status == status
            if status == 200:
                assert await answer.read() == VIDEO
                assert answer.headers["Content-Disposition"].startswith("attachment")
        assert before.asked[0].startswith(prefix + "/bucket/videos/")
        async with client.head(url(job, "download"), allow_redirects=False) as answer:
            location = answer.headers["Location"]
        async with aiohttp.ClientSession() as session, session.head(URL(location, encoded=True)) as answer:
            assert answer.status == status
        async with client.get(url(job, "download?proxy=true")) as answer:
            assert await answer.read() == VIDEO, "the app itself reaches the store"
        await store.close()


async def test_local_files_have_the_public_address_too(
    client: Client, deps: WebDeps, start: StartClient, stores: dict[StoreRole, ObjectStore], job: str
) -> None:
    origin = str(client.make_url("")).rstrip("/")
    async with edge(origin, keeps_host=False, prefix="/v") as before:
        root = stores["delivery"].description
        public = PublicAddress(before.url)
        store = open_store(root, now=deps.clock, signing=SIGNING, name="delivery", base_url="http://app", public=public)
        behind = await start(stores={**stores, "delivery": store})
        async with behind.get(url(job, "stream?format=mp4"), allow_redirects=False) as answer:
            location = answer.headers["Location"]
        assert location.startswith(before.url + "/media/delivery/")
        async with aiohttp.ClientSession() as session, session.get(URL(location, encoded=True)) as answer:
            assert await answer.read() == VIDEO


# --- logs ---


@pytest.fixture
async def logged() -> AsyncIterator[io.StringIO]:
    """All that a process logs at its most talkative, libraries included."""
    stream, before = io.StringIO(), structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logs("DEBUG", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    structlog.configure(**before)
    root.handlers, root.level = handlers, level


async def test_no_log_ever_has_a_signed_url(
    logged: io.StringIO,
    server: S3Server,
    deps: WebDeps,
    start: StartClient,
    stores: dict[StoreRole, ObjectStore],
    settings: Settings,
    job: str,
    clock: Clock,
) -> None:
    loud = evolve(settings, log_level="DEBUG")
    locations = list[str]()
    client = await start(settings=loud)
    for what in ("download", "stream?format=mp4", "captions"):
        async with client.get(url(job, what), allow_redirects=False) as answer:
            locations.append(answer.headers["Location"])
    async with client.get(url(job, "metadata")) as answer:
        locations += (await answer.json())["video_urls"].values()
    for location in locations:
        await _fails_in_every_way(client, location)

    s3client, s3job, store = await published(server, PublicAddress("http://127.0.0.1:9"), deps, start, stores)
    async with s3client.get(url(s3job, "download"), allow_redirects=False) as answer:
        locations.append(answer.headers["Location"])
    server.stop()
    try:
        for what in ("download?proxy=true", "thumbnail"):
            async with s3client.get(url(s3job, what)) as answer:
                assert answer.status in (404, 503)
    finally:
        server.start()
        await store.close()
    clock.at += timedelta(days=1)
    async with client.get(locations[0]) as answer:
        assert answer.status == 403

    text = logged.getvalue()
    assert '"action": "http"' in text, "requests were logged"
    assert "request failed" in text
    for location in locations:
        query = urlsplit(location).query
        signature = dict(parse_qsl(query)).get("s") or dict(parse_qsl(query))["X-Amz-Signature"]
        assert signature not in text
        assert query not in text
        assert location not in text


async def _fails_in_every_way(client: Client, location: str) -> None:
    """What servers and libraries like to log: bad methods, broken requests, a client that hangs up."""
    for method in ("POST", "BREW"):
        async with client.request(method, location) as answer:
            assert answer.status in (400, 405)
    async with client.get(location + "x") as answer:
        assert answer.status == 403
    for request in (f"GET {location} HTTP/9.9\r\n\r\n", f"GET {location}\r\n\r\n", f"{location}\r\n\r\n"):
        await _send_raw(client, request)
    await _send_raw(client, f"GET {location} HTTP/1.1\r\nHost: localhost\r\nX: {location}\x00\r\n\r\n")
    await _send_raw(
        client, f"GET {location} HTTP/1.1\r\nHost: localhost\r\nReferer: {location}\r\nRange: bytes=0-\r\n\r\n"
    )


async def _send_raw(client: Client, request: str) -> None:
    server: Any = client.server
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request.encode())
    await writer.drain()
    await reader.read(64)
    writer.close()
