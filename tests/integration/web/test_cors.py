"""Pages of other origins: preflights on every route, and headers on every answer, errors included."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientResponse
from attrs import evolve

from eventflow.domain.values import Companions, Picture
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.settings import Settings
from handlers.generation.scene_planner import ScenePlanner
from tests.support.driving import Driver, file_ref
from tests.support.web_app import Client, StartClient, job_id
from web.app import create_app, routes
from web.deps import WebDeps
from web.http.route_facts import MEDIA
from web.server import serving


def canonical(path: str) -> str:
    """A route's path without the patterns of its variables, as the router names it."""
    return re.sub(r":[^}]+}", "}", path)


PAGE, STRANGER = "https://app.example.org", "https://stranger.test"
JOBS = "/api/v1/videos/jobs"
PATHS = sorted({canonical(route.path) for route in routes()})
METHODS = {path: {r.method for r in routes() if canonical(r.path) == path} for path in PATHS}
EXPOSED = {"location", "etag", "retry-after", "x-request-id", "idempotency-replayed", "content-range"}
SENT = {"authorization", "content-type", "idempotency-key", "if-none-match", "range", "last-event-id", "x-request-id"}


def listing(settings: Settings, *origins: str, open_access: bool = True) -> Settings:
    return evolve(settings, web=evolve(settings.web, cors_origins=frozenset(origins), open_access=open_access))


def url_of(path: str, job: str = "00-" + "0" * 32) -> str:
    known = {
        "job_id": job,
        "quality": "720p",
        "name": "0" * 32 + ".m4s",
        "sheet": "0",
        "asset_id": "a" * 64,
        "sha256": "0" * 64,
    }
    endings = {"captions": "vtt"}
    known["ending"] = endings.get(path.rpartition("/")[2].partition(".")[0], "mp4")
    return path.format(**known, parked_id="00-1-0", store="delivery", key="x")


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


def may_read(answer: ClientResponse, page: str = PAGE) -> bool:
    """Whether a browser would give the answer to the page, with the headers that clients need."""
    allowed = answer.headers.getall("Access-Control-Allow-Origin", [])
    if allowed not in ([page], ["*"]):
        return False
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert words(answer.headers["Access-Control-Expose-Headers"]) >= EXPOSED
    assert allowed == ["*"] or answer.headers["Vary"] == "Origin"
    return True


@pytest.fixture
async def listed(start: StartClient, settings: Settings) -> Client:
    return await start(settings=listing(settings, PAGE, open_access=False))


async def preflight(client: Client, path: str, method: str, page: str, **more: str) -> tuple[int, Mapping[str, str]]:
    asked = {"Origin": page, "Access-Control-Request-Method": method, **more}
    async with client.options(url_of(path), headers=asked) as answer:
        return answer.status, answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_every_route_answers_preflights(listed: Client, deps: WebDeps, path: str) -> None:
    await deps.api_keys.add("alice")
    for method in METHODS[path]:
        status, headers = await preflight(listed, path, method, PAGE)
        assert status == 204
        assert headers["Access-Control-Allow-Origin"] == ("*" if path in MEDIA else PAGE)
        assert words(headers["Access-Control-Allow-Methods"]) >= {m.lower() for m in METHODS[path]}
        assert words(headers["Access-Control-Allow-Headers"]) >= SENT
        assert int(headers["Access-Control-Max-Age"]) == 7200
        assert path in MEDIA or headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in headers
        assert "Access-Control-Allow-Private-Network" not in headers
        private = {"Access-Control-Request-Private-Network": "true"}
        assert (await preflight(listed, path, method, PAGE, **private))[1]["Access-Control-Allow-Private-Network"]
        status, headers = await preflight(listed, path, method, STRANGER)
        assert (status == 204) is (path in MEDIA) is ("Access-Control-Allow-Origin" in headers)
    async with listed.options(url_of(path)) as answer:  # no browser asks so, but people do
        assert answer.status == 204
        assert words(answer.headers["Allow"]) >= {m.lower() for m in METHODS[path]}


async def test_a_preflight_for_a_method_that_the_path_lacks(listed: Client) -> None:
    status, headers = await preflight(listed, f"{JOBS}/{{job_id}}/cancel", "DELETE", PAGE)
    assert (status, headers["Access-Control-Allow-Methods"]) == (204, "POST")
    status, headers = await preflight(listed, "/nowhere", "GET", PAGE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (404, PAGE)


@pytest.mark.parametrize("path", PATHS)
async def test_every_refusal_can_be_read_by_the_page(listed: Client, deps: WebDeps, path: str) -> None:
    """Whatever is wrong: no key, a wrong one, no such thing, a bad query or body, a method that isn't there."""
    _, token = await deps.api_keys.add("alice", ["admin"])
    seen = set()
    for method in [*METHODS[path], "PATCH"]:
        for headers in ({}, {"Authorization": "Bearer ef_no"}, {"Authorization": f"Bearer {token}"}):
            for query, body in (("", b""), ("?nope=1", b"{"), ("?token=1.k1.x", b"x")):
                url, sent = url_of(path) + query, {**headers, "Origin": PAGE}
                async with listed.request(method, url, data=body, headers=sent) as answer:
                    assert may_read(answer), (method, query, answer.status)
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
                    seen.add(answer.status)
                async with listed.request(method, url, headers={**sent, "Origin": STRANGER}) as answer:
                    may = path in MEDIA and method != "PATCH"
                    assert may_read(answer, STRANGER) is may, (method, query, answer.status)
    assert 405 in seen
    assert seen & {401, 403, 404, 415, 422} or not path.startswith(("/api", "/media"))


class Broken(ScenePlanner):
    def pipelines(self) -> Any:
        raise RuntimeError("a defect")


async def test_failures_of_ours_can_be_read_by_the_page(start: StartClient, deps: WebDeps, settings: Settings) -> None:
    _, token = await deps.api_keys.add("alice")
    origin, key = {"Origin": PAGE}, {"Authorization": f"Bearer {token}"}
    listed = listing(settings, PAGE)
    broken = await start(settings=listed, planner=Broken(settings))
    async with broken.get("/api/v1/pipelines", headers=origin | key) as answer:
        assert answer.status == 500
        assert may_read(answer)
    too_large = {"data": BytesIO(b"x" * 2_000_000), "headers": origin | key | {"Content-Type": "application/json"}}
    async with broken.post("/api/v1/videos/generate", **too_large) as answer:  # type: ignore[arg-type]
        assert answer.status == 413
        assert may_read(answer)
    nowhere = connect("redis://127.0.0.1:1/0")
    log = JobEventStore(nowhere, codec=deps.log.codec, keyspace=deps.log.keyspace, clock=deps.clock)
    blocking = connect("redis://127.0.0.1:1/0", blocking=True)
    lost = await start(settings=listed, log=log, redis=nowhere, blocking=blocking)
    for path in (f"{JOBS}/{job_id()}/status", f"{JOBS}/{job_id()}/stream"):
        async with lost.get(path, headers=origin | key) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert may_read(answer)
    await blocking.aclose()
    await nowhere.aclose()


async def test_successful_answers_can_be_read_by_the_page(listed: Client, deps: WebDeps, driver: Driver) -> None:
    _, token = await deps.api_keys.add("alice")
    headers = {"Origin": PAGE, "Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    job = ""
    for replayed in (None, "true"):
        async with listed.post("/api/v1/videos/generate", json={"script": "# Hi"}, headers=headers) as answer:
            assert answer.status == 202
            assert may_read(answer)
            assert answer.headers.get("Idempotency-Replayed") == replayed
            job = (await answer.json())["job_id"]
    async with listed.get(f"{JOBS}/{job}/status", headers=headers) as answer:
        assert answer.status == 200
        assert may_read(answer)
        etag = answer.headers["ETag"]
    async with listed.get(f"{JOBS}/{job}/status", headers={**headers, "If-None-Match": etag}) as answer:
        assert answer.status == 304
        assert may_read(answer)
    async with listed.get(f"{JOBS}/{job}/status", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.headers["Vary"] == "Origin", "a cache must not give this answer to a page"
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_media_are_for_any_page(client: Client, driver: Driver) -> None:
    """Before there are any, while they are sent, in part and not at all."""
    job, other = job_id(), job_id()
    await driver.create(job)
    await driver.create(other)
    poster, preview = file_ref(b"poster", "p.jpg", "image/jpeg"), file_ref(b"moves", "m.webp", "image/webp")
    for file, data in ((poster, b"poster"), (preview, b"moves")):
        await driver.stores["delivery"].put_bytes(file.key, data, media_type=file.media_type)
    made = Companions(poster=(Picture(640, 360, poster),), preview=Picture(320, 180, preview))
    captions = {("en", "vtt"): b"WEBVTT\n"}
    await driver.publish(job, {"720p": b"video"}, [b"thumb"], captions=captions, companions=made)  # type: ignore[arg-type]
    pictures = {"thumbnail": b"thumb", "poster": b"poster", "preview": b"moves"}
    files = {**pictures, "captions?proxy=true": b"WEBVTT\n", "download?proxy=true": b"video"}
    for what, data in files.items():
        for headers, status in (({}, 200), ({"Range": "bytes=0-0"}, 206), ({"Range": "bytes=99-"}, 416)):
            async with client.get(f"{JOBS}/{job}/{what}", headers={"Origin": STRANGER, **headers}) as answer:
                assert answer.status == status
                assert may_read(answer, STRANGER)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                if status == 200:
                    assert await answer.read() == data
                    etag = answer.headers["ETag"]
        async with client.get(f"{JOBS}/{job}/{what}", headers={"Origin": STRANGER, "If-None-Match": etag}) as answer:
            assert answer.status == 304
            assert may_read(answer, STRANGER)
        async with client.get(f"{JOBS}/{other}/{what}", headers={"Origin": STRANGER}) as answer:
            assert (answer.status, answer.content_type) == (409, "application/problem+json")
            assert may_read(answer, STRANGER)
    async with client.get(f"{JOBS}/{job}/download", headers={"Origin": STRANGER}) as answer:
        assert answer.status == 200
        assert answer.url.path.startswith("/media/")
        assert may_read(answer, STRANGER)
        signed = answer.url
    async with client.get(signed.path + "?nope=1", headers={"Origin": STRANGER}) as answer:
        assert answer.status == 403
        assert may_read(answer, STRANGER)


async def test_an_open_service_lets_pages_of_its_machine_in_and_no_other(
    start: StartClient, settings: Settings, deps: WebDeps
) -> None:
    """Also where every origin is listed: without a key nothing tells a stranger from the owner."""
    client = await start(settings=listing(settings, PAGE, "*"))
    mine = ("http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8000", "https://localhost", PAGE)
    async with client.get(JOBS) as answer:
        assert answer.status == 200
    for page in (*mine, STRANGER, "http://localhost.stranger.test", "null", "http://127.0.0.1.stranger.test:80"):
        async with client.get(JOBS, headers={"Origin": page}) as answer:
            assert may_read(answer, page) is (page in mine), page
        status, _ = await preflight(client, "/api/v1/videos/generate", "POST", page)
        assert status == (204 if page in mine else 403), page


async def test_with_keys_every_page_may_call_where_all_are_listed(
    start: StartClient, settings: Settings, deps: WebDeps
) -> None:
    await deps.api_keys.add("alice")
    client = await start(settings=listing(settings, "*", open_access=False))
    for page in (PAGE, STRANGER, "null"):
        async with client.get(JOBS, headers={"Origin": page}) as answer:
            assert answer.status == 401
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert (await preflight(client, JOBS, "GET", page))[0] == 204
    none = await start(settings=listing(settings, open_access=False))
    for page in (PAGE, "http://localhost:3000"):
        async with none.get(JOBS, headers={"Origin": page}) as answer:
            assert not may_read(answer, page)


async def test_malformed_requests_get_a_problem_that_a_page_can_read(deps: WebDeps) -> None:
    async with serving(create_app(deps), "127.0.0.1", 0) as address:
        for head in (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"G\xc3T / HTTP/1.1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
            writer.write(head)
            answer = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            assert answer.startswith(b"HTTP/1.0 400 ")
            for wanted in (b"application/problem+json", b"Access-Control-Allow-Origin: *", b'"code":"bad_request"'):
                assert wanted in answer
