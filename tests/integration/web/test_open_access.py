"""Open access: only if configured, only until the first key, and only for this machine's own pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from attrs import evolve, frozen
from structlog.testing import capture_logs

from eventflow.access.api_keys import ApiKeys
from eventflow.settings import Settings
from tests.support.driving import Driver
from tests.support.waiting import wait_until
from tests.support.web_app import SIGNING, Client, StartClient, job_id
from web.app import create_app, routes
from web.deps import WebDeps
from web.server import serving

JOBS = "/api/v1/videos/jobs"
CHANGING = [(route.method, route.path) for route in routes() if route.method not in ("GET", "HEAD")]


@frozen
class Served:
    session: ClientSession

    async def status(self, path: str = JOBS, method: str = "GET", **headers: str) -> int:
        return (await self.answer(path, method, **headers))[0]

    async def answer(self, path: str = JOBS, method: str = "GET", **headers: str) -> tuple[int, str]:
        """(status, code or detail)"""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, path, headers=named) as answer:
            body = await answer.json(content_type=None) if answer.status >= 400 else {}
            return answer.status, f"{body.get('code')}: {body.get('detail')}"


@asynccontextmanager
async def served(deps: WebDeps) -> AsyncIterator[Served]:
    """As a web process serves it."""
    async with serving(create_app(deps), "127.0.0.1", 0) as address, ClientSession(address.url) as session:
        yield Served(session)


def unasked(settings: Settings) -> Settings:
    return evolve(settings, web=evolve(settings.web, open_access=False))


async def test_without_open_access_every_request_needs_a_key(deps: WebDeps, settings: Settings) -> None:
    with capture_logs() as lines:
        async with served(evolve(deps, settings=unasked(settings))) as service:
            status, said = await service.answer()
    assert status == 401
    assert "eventflow keys add" in said
    assert any("eventflow keys add" in line["event"] and line["log_level"] == "warning" for line in lines)


async def test_the_first_key_ends_the_open_mode_for_good(deps: WebDeps, settings: Settings) -> None:
    with capture_logs() as lines:
        async with served(deps) as service:
            assert await service.status() == 200
            record, token = await deps.api_keys.add("alice")

            async def closed() -> bool:
                return await service.status() == 401

            await wait_until(closed, 10, what="the closed door")
            assert await service.status(Authorization=f"Bearer {token}") == 200
            await deps.api_keys.revoke(record.id)

            async def nobody_left() -> bool:
                return "service has no API key" in (await service.answer(Authorization=f"Bearer {token}"))[1]

            await wait_until(nobody_left, 10, what="the look that finds no key")
            assert await service.status() == 401
            await deps.redis.flushall()
            async with served(evolve(deps, settings=unasked(settings))) as another:
                assert await another.status() == 401, "an empty server gives nobody anything"
            assert await service.status() == 401
    changes = [line["event"] for line in lines if line.get("action") == "access"]
    assert any("an API key exists now" in line for line in changes)
    assert any("no API key is left" in line for line in changes)


async def test_a_process_that_starts_later_finds_the_door_closed(deps: WebDeps) -> None:
    record, _ = await deps.api_keys.add("alice")
    await deps.api_keys.revoke(record.id)
    with capture_logs() as lines:
        async with served(deps) as service:
            assert await service.status() == 401
    assert any("every request is answered 401" in line["event"] for line in lines)


async def test_another_namespace_opens_nothing(deps: WebDeps, settings: Settings) -> None:
    await deps.api_keys.add("alice")
    typo = ApiKeys(deps.redis, "typo:{keys}:api", clock=deps.clock)
    async with served(evolve(deps, api_keys=typo, settings=unasked(settings))) as service:
        assert await service.status() == 401


@pytest.mark.parametrize(
    "header",
    [
        {"Forwarded": "for=192.0.2.1"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"X-Forwarded-Host": "videos.example.org"},
        {"X-Forwarded-Proto": "https"},
        {"via": "1.1 proxy"},
        {"X-Real-IP": "192.0.2.1"},
        {"Via": "1.1 proxy"},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_proxied_requests_need_a_key(client: Client, deps: WebDeps, header: Mapping[str, str]) -> None:
    async with client.get(JOBS) as answer:
        assert answer.status == 200
    async with client.get(JOBS, headers=header) as answer:
        assert answer.status == 401
        assert "eventflow keys add" in (await answer.json(content_type=None))["detail"]
    _, token = await deps.api_keys.add("alice")

    async def with_key() -> bool:
        async with client.get(JOBS, headers={**header, "Authorization": f"Bearer {token}"}) as answer:
            return answer.status == 200

    await wait_until(with_key, 10, what="an answer to the key")


OWN = ["localhost", "localhost:{port}", "LOCALHOST:1", "127.0.0.1:9", "[::1]:{port}", "[::1]"]
FOREIGN = [
    *("attacker.test:{port}", "attacker.test", "127.0.0.1.attacker.test", "localhost.attacker.test", "xlocalhost"),
    *("127.0.0.2", "[::2]:80", "0.0.0.0", "[", "localhost:", "localhost:x", "videos.example.org.attacker.test"),
]


async def test_the_open_mode_answers_to_its_own_names_alone(start: StartClient, settings: Settings) -> None:
    client = await start(settings=evolve(settings, public_url="https://videos.example.org:8443/video"))

    async def asked(host: str, method: str = "GET", path: str = JOBS) -> tuple[int, str]:
        headers = {"Host": host.format(port=client.port)}
        async with client.request(method, path, headers=headers) as answer:
            body = await answer.json(content_type=None)
            return answer.status, str(body.get("code"))

    for host in [*OWN, "videos.example.org", "Videos.Example.org:8443"]:
        assert (await asked(host))[0] == 200, host
    for host in FOREIGN:
        assert await asked(host) == (421, "foreign_host"), host
        assert (await asked(host, "POST", "/api/v1/videos/generate"))[0] == 421, host


@pytest.mark.parametrize("bound", ["127.0.0.2", "::1"])
async def test_the_address_that_it_is_bound_to_is_a_name_of_its_own(
    deps: WebDeps, settings: Settings, bound: str
) -> None:
    app = create_app(evolve(deps, settings=evolve(settings, host=bound)))
    async with serving(app, bound, 0) as address, ClientSession() as session:
        async with session.get(address.url + JOBS) as answer:
            assert answer.status == 200
        async with session.get(address.url + JOBS, headers={"Host": "127.0.0.3"}) as answer:
            assert answer.status == 421


async def test_with_keys_any_name_will_do(client: Client, deps: WebDeps) -> None:
    _, token = await deps.api_keys.add("alice")
    async with client.get(JOBS, headers={"Host": "a.test", "Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 200


FORM = b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nx\r\n--b--\r\n"
#: What browsers send along with a form, an upload or a fetch of a stranger's page.
STRANGERS: list[dict[str, str]] = [
    {"Origin": "http://attacker.test"},
    {"Origin": "null"},
    {"Origin": "http://attacker.test", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost.attacker.test:80"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
FRIENDS: list[dict[str, str]] = [
    {},
    {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1:5173", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://[::1]:5173"},
    {"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


def test_there_are_routes_that_change_something() -> None:
    assert len(CHANGING) >= 9
    assert all(path.startswith("/api/") for _, path in CHANGING), "what is answered without a look at who asks"


@pytest.mark.parametrize(("method", "path"), CHANGING)
async def test_no_strangers_page_changes_anything(
    start: StartClient, settings: Settings, driver: Driver, method: str, path: str
) -> None:
    """With all that browsers send without asking first: text, forms, files."""
    listed = frozenset({"https://app.example.org", "*"})
    client = await start(settings=evolve(settings, web=evolve(settings.web, cors_origins=listed)))
    job = job_id()
    await driver.create(job)
    url = path.format(job_id=job, asset_id="a" * 64, parked_id="00-1-0")
    bodies: list[tuple[bytes, str]] = [
        (b"", ""),
        (b"x", "text/plain"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (FORM, "multipart/form-data; boundary=b"),
    ]
    for headers in STRANGERS:
        for body, media_type in bodies:
            sent = {**headers, "Content-Type": media_type} if media_type else headers
            async with client.request(method, url, data=body, headers=sent) as answer:
                assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "foreign_page"), sent
    for headers in FRIENDS:
        async with client.request(method, url, data=b"{", headers={**headers, "Content-Type": "x/y"}) as answer:
            assert answer.status not in (401, 403, 421), headers


async def test_a_page_of_the_service_itself_is_no_stranger(client: Client) -> None:
    url = f"{JOBS}/{job_id()}/cancel"
    for host, status in ((f"127.0.0.1:{client.port}", 404), (f"attacker.test:{client.port}", 421)):
        async with client.post(url, headers={"Origin": f"http://{host}", "Host": host}) as answer:
            assert answer.status == status


async def test_a_key_is_proof_enough(client: Client, deps: WebDeps) -> None:
    """No page can send one that it hasn't got."""
    _, token = await deps.api_keys.add("alice")
    for headers in STRANGERS:
        sent = {**headers, "Authorization": f"Bearer {token}"}
        async with client.post(f"{JOBS}/{job_id()}/cancel", headers=sent) as answer:
            assert answer.status == 404, headers


async def test_a_playback_token_changes_nothing(client: Client, deps: WebDeps) -> None:
    """Tokens are in links, and links are what pages of strangers can open."""
    assert deps.signing is SIGNING
    await deps.api_keys.add("alice")
    for method, path in CHANGING:
        url = path.format(job_id=job_id(), asset_id="a" * 64, parked_id="00-1-0")
        async with client.request(method, url, params={"token": "1.k1." + "a" * 43}) as answer:
            assert answer.status == 401, (method, path)
