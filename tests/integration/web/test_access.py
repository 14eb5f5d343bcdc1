"""API keys and scopes; hostile requests get a clear answer, never a 500."""

from __future__ import annotations

import asyncio
import signal
import socket
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from attrs import evolve
from structlog.testing import capture_logs
from yarl import URL

from eventflow.settings import Environment, Settings
from tests.support.driving import Driver
from tests.support.web_app import Client, StartClient, job_id
from web.app import create_app
from web.deps import WebDeps
from web.server import Address, RefusedToServe, serve, serving


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_with_keys_only_their_bearers_get_in(client: Client, deps: WebDeps, driver: Driver) -> None:
    _, alice = await deps.api_keys.add("alice")
    record, bob = await deps.api_keys.add("bob", ["admin"])
    hers = job_id()
    await driver.create(hers, owner="alice")
    url = f"/api/v1/videos/jobs/{hers}/status"
    for headers in ({}, {"Authorization": "Basic abc"}, bearer("ef_no"), bearer("x y"), bearer("ü")):
        async with client.get(url, headers=headers) as answer:
            body = await answer.json(content_type=None)
            assert (answer.status, body["code"]) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert body["request_id"] == answer.headers["X-Request-Id"]
    async with client.get(url, headers=bearer(alice)) as answer:
        assert answer.status == 200
    async with client.get(url, headers=bearer(bob)) as others:
        theirs = await others.json(content_type=None)
    async with client.get(url.replace(hers, job_id()), headers=bearer(bob)) as unknown:
        nobodys = await unknown.json(content_type=None)
    assert others.status == unknown.status == 404
    assert theirs | {"request_id": ""} == nobodys | {"request_id": ""}
    reprocess = f"/api/v1/admin/jobs/{hers}/reprocess"
    async with client.post(reprocess, headers=bearer(alice)) as answer:
        assert answer.status == 403
    async with client.post(reprocess, headers=bearer(bob)) as answer:
        assert answer.status == 409
    await deps.api_keys.revoke(record.id)
    async with asyncio.timeout(30):
        while True:
            async with client.post(reprocess, headers=bearer(bob)) as answer:
                if answer.status == 401:
                    break
            await asyncio.sleep(0.05)


async def test_the_open_mode_never_reaches_beyond_this_machine(deps: WebDeps, settings: Settings) -> None:
    closed = evolve(settings, web=evolve(settings.web, open_access=False))
    for wanted in (settings, closed):
        with pytest.raises(RefusedToServe, match="keys add"):
            async with serving(create_app(evolve(deps, settings=wanted)), "0.0.0.0", 0):
                pass
        production = evolve(deps, settings=evolve(wanted, env=Environment.PRODUCTION))
        with pytest.raises(RefusedToServe, match="production"):
            async with serving(create_app(production), "127.0.0.1", 0):
                pass
    record, _ = await deps.api_keys.add("alice")
    with pytest.raises(RefusedToServe, match="EVENTFLOW_OPEN_ACCESS"):
        async with serving(create_app(deps), "0.0.0.0", 0):
            pass
    async with serving(create_app(evolve(deps, settings=closed)), "0.0.0.0", 0) as address:
        await deps.api_keys.revoke(record.id)  # the last key goes: nobody gets in, rather than everybody
        await asyncio.sleep(1.1)
        status, _ = await raw_get(address, "/api/v1/videos/jobs/x/status")
        assert status == 401


async def test_serve_binds_a_free_port_and_ends_on_sigterm(deps: WebDeps) -> None:
    ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(create_app(deps), "localhost", 0, on_ready=ready.set_result))
    address = await asyncio.wait_for(ready, 30)
    assert address.port > 0
    assert (await raw_get(address, "/healthz"))[0] == 200
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(task, 30)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", address.port), timeout=1)


async def raw_get(address: Address, path: str) -> tuple[int, bytes]:
    """A request whose path nobody normalises on the way."""
    host = "127.0.0.1" if address.host in ("0.0.0.0", "localhost") else address.host
    reader, writer = await asyncio.open_connection(host, address.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


TRICKS = [
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc",
    "..",
    "%00",
    "00-" + "0" * 32 + "%00",
    "%ff%fe",
    "%ED%A0%80",
    "a" * 4_000,
    "%252e%252e%252f",
    "00-" + "g" * 32,
    "00-" + "0" * 32,
    "ff-" + "0" * 32,
    "*",
    "%0d%0aX-Evil:1",
    "..%5c..%5c",
]


MEDIA = (
    *("metadata", "captions", "thumbnail", "poster", "preview", "storyboard", "storyboard/0"),
    *("download", "download?quality=audio", "stream?format=mp4", "thumbnail?width=320&format=webp"),
)


async def test_other_owners_get_no_file_of_a_job(client: Client, deps: WebDeps, driver: Driver) -> None:
    """Not by its id, and not by an ETag that says they have it."""
    (_, alice), (_, bob) = await deps.api_keys.add("alice"), await deps.api_keys.add("bob", ["admin"])
    hers = job_id()
    await driver.create(hers, owner="alice")
    await driver.publish(hers, {"720p": b"her video"}, [b"her picture"], captions={("en", "vtt"): b"WEBVTT\n"})
    async with client.get(f"/api/v1/videos/jobs/{hers}/thumbnail", headers=bearer(alice)) as answer:
        assert (answer.status, await answer.read()) == (200, b"her picture")
        etag = answer.headers["ETag"]
    for what in MEDIA:
        for condition in ({}, {"If-None-Match": etag}, {"If-None-Match": "*"}, {"Range": "bytes=0-0"}):
            url = f"/api/v1/videos/jobs/{hers}/{what}"
            async with client.get(url, headers=bearer(bob) | condition, allow_redirects=False) as answer:
                assert answer.status == 404, (what, condition)
                assert (await answer.json(content_type=None))["code"] == "job_not_found", what
                assert "ETag" not in answer.headers


async def test_path_tricks_get_a_404(client: Client) -> None:
    address = Address("127.0.0.1", client.port or 0)
    for trick in TRICKS:
        for template in (
            "/api/v1/videos/jobs/{}/status",
            "/api/v1/videos/jobs/{}/download?proxy=true",
            *(f"/api/v1/videos/jobs/{{}}/{what}" for what in MEDIA),
            "/media/delivery/{}",
            "/media/{}/x",
            "/media/workspace/{}",
            "/{}",
        ):
            status, body = await raw_get(address, template.format(trick))
            assert status in (400, 403, 404), (trick, template, status, body)
            if template.startswith("/api") and status != 400:
                assert status == 404, (trick, template)


async def test_tricks_in_queries_and_headers_get_a_problem(client: Client, driver: Driver) -> None:
    made = job_id()
    await driver.create(made)
    for query in ("min_version=-1", "min_version=x", "min_version=" + "9" * 30, "min_version=1&min_version=2", "a=1"):
        async with client.get(URL(f"/api/v1/videos/jobs/{made}/status?{query}", encoded=True)) as answer:
            body = await answer.json(content_type=None)
            assert answer.status == 422, query
            assert body["errors"]
    async with client.get("/healthz", headers={"X-Request-Id": "a" * 65}) as answer:
        assert answer.headers["X-Request-Id"] != "a" * 65
    async with client.get("/healthz", headers={"X-Request-Id": "good-1"}) as answer:
        assert answer.headers["X-Request-Id"] == "good-1"


async def test_http_errors_are_problems_too(client: Client) -> None:
    generate = "/api/v1/videos/generate"
    json_body = {"Content-Type": "application/json"}
    posts: list[tuple[dict[str, Any], int, str | None]] = [
        ({"data": "script=x"}, 415, "unsupported_media_type"),
        ({"data": b"{", "headers": json_body}, 400, "bad_json"),
        ({"data": b"[NaN]", "headers": json_body}, 400, "bad_json"),
        ({"data": b'"\\ud800"', "headers": json_body}, 400, "bad_json"),
        ({"data": b"[" * 99_999, "headers": json_body}, 400, "bad_json"),
        ({"data": b"{}", "headers": {"Content-Type": "application/json; charset=x"}}, 415, None),
        ({"data": BytesIO(b"x" * 2_000_000), "headers": json_body}, 413, "too_large"),
        ({"json": {"script": "x" * 60_000}}, 422, "invalid_request"),
        ({"json": {"script": "x"}, "headers": {"Idempotency-Key": "k" * 256}}, 400, "bad_idempotency_key"),
        ({"json": {"script": "x"}, "params": {"dry": "1"}}, 422, "invalid_request"),
        ({"data": b"junk", "headers": json_body | {"Content-Encoding": "gzip"}}, 400, "bad_body"),
    ]
    cases = [
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("GET", generate, {}, 405, "method_not_allowed"),
        *(("POST", generate, given, status, code) for given, status, code in posts),
    ]
    for method, path, given, status, code in cases:
        async with client.request(method, path, **given) as answer:
            body = await answer.json(content_type=None)
            assert answer.content_type == "application/problem+json"
            assert answer.status == status == body["status"], body
            assert code in (None, body["code"])
            assert body["request_id"] == answer.headers["X-Request-Id"]
            assert {"type", "title", "detail", "errors"} <= body.keys()


async def test_a_script_full_of_typst_is_just_text(client: Client, deps: WebDeps) -> None:
    script = '#import "x"\n#read("/etc/passwd") $ sum_(i=0)^n $ #{ panic("x") } \\ @ref <label> ' + quote("é")
    async with client.post("/api/v1/videos/generate", json={"script": script}) as answer:
        assert answer.status == 202
        made = (await answer.json())["job_id"]
    record = await deps.log.load(made)
    assert record is not None
    assert record.job.request.script == script


async def test_503_while_the_log_is_away(start: StartClient, deps: WebDeps) -> None:
    from eventflow.log.connection import connect
    from eventflow.log.event_store import JobEventStore

    nowhere = connect("redis://127.0.0.1:1/0")
    log = JobEventStore(nowhere, codec=deps.log.codec, keyspace=deps.log.keyspace, clock=deps.clock)
    client = await start(log=log, redis=nowhere, blocking=connect("redis://127.0.0.1:1/0", blocking=True))
    for method, path in (("GET", f"/api/v1/videos/jobs/{job_id()}/status"), ("POST", "/api/v1/videos/generate")):
        async with client.request(method, path, json={"script": "x"}) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (503, "log_unavailable")
            assert answer.headers["Retry-After"]
    async with client.get("/readyz") as answer:
        body = await answer.json()
        assert (answer.status, body["components"]["redis"]["status"]) == (503, "unavailable")
    async with client.get("/healthz") as answer:
        assert answer.status == 200


async def test_guessed_keys_and_malformed_requests_are_logged(deps: WebDeps) -> None:
    """One each, at INFO, without a traceback: floods of them must neither go unseen nor ring alarms."""
    await deps.api_keys.add("alice")
    with capture_logs() as lines:
        async with serving(create_app(deps), "127.0.0.1", 0) as address:
            assert (await raw_get(address, "/api/v1/videos/jobs"))[0] == 401
            status, body = await raw_get(address, "/healthz\x00")
            assert (status, b'"code":"bad_request"' in body) == (400, True)
    seen = [line for line in lines if line.get("action") == "http"]
    assert [(line["log_level"], line["status"]) for line in seen] == [("info", 401), ("info", 400)]
    assert all("exc_info" not in line for line in seen)
    assert seen[1]["client"] == "127.0.0.1"
