"""A page of another origin calls the API with `fetch`, as frontends do, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import evolve
from PIL import Image
from playwright.async_api import Browser, Page

from eventflow.settings import Settings
from tests.support.driving import Driver
from tests.support.web_app import job_id
from web.app import create_app
from web.deps import WebDeps
from web.server import serving

JOBS = "/api/v1/videos/jobs"
_PAGE = """<!doctype html><script>
// What came, or why nothing can be known.
async function call(url, options) {
  try {
    const answer = await fetch(url, options), text = await answer.text();
    const json = text && (answer.headers.get('content-type') || '').includes('json');
    return {status: answer.status, headers: Object.fromEntries(answer.headers), body: json ? JSON.parse(text) : text};
  } catch (error) { return {failed: String(error)}; }
}
function form() {
  const made = new FormData();
  made.append('file', new Blob(['no picture']), 'a.png');
  return made;
}
const pixels = url => new Promise(good => {
  const picture = new Image();
  picture.crossOrigin = 'anonymous';
  picture.onload = () => good(picture.naturalWidth);
  picture.onerror = () => good('failed');
  picture.src = url;
});
</script>"""
Call = Callable[..., Awaitable[dict[str, Any]]]


@asynccontextmanager
async def page_elsewhere(browser: Browser) -> AsyncIterator[tuple[Page, str]]:
    """An open page, and its origin."""

    async def page_of(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page_of)
    async with TestServer(app) as server:
        page = await browser.new_page()
        await page.goto(str(server.make_url("/")))
        yield page, str(server.make_url("/")).rstrip("/")
        await page.close()


async def call(page: Page, url: str, token: str = "", **options: Any) -> dict[str, Any]:
    if token:
        options["headers"] = {"Authorization": f"Bearer {token}", **options.get("headers", {})}
    form = options.pop("form", False)
    script = "([url, options, form]) => call(url, form ? {...options, body: window.eval('form()')} : options)"
    answer: dict[str, Any] = await page.evaluate(script, [url, options, form])
    return answer


JSON = {"Content-Type": "application/json"}


def posted(body: str, **headers: str) -> dict[str, Any]:
    return {"method": "POST", "body": body, "headers": {**JSON, **headers}}


async def test_a_listed_page_calls_everything(
    browser: Browser, deps: WebDeps, settings: Settings, driver: Driver
) -> None:
    _, token = await deps.api_keys.add("alice")
    async with page_elsewhere(browser) as (page, origin):
        allowed = evolve(settings.web, cors_origins=frozenset({origin}), open_access=False)
        app = create_app(evolve(deps, settings=evolve(settings, web=allowed)))
        async with serving(app, "127.0.0.1", 0) as address:
            api = address.url
            listed = await call(page, api + JOBS, token)
            assert (listed["status"], listed["body"]["jobs"]) == (200, [])
            planned = await call(page, f"{api}/api/v1/videos/plan", token, **posted('{"script": "# Hi"}'))
            assert planned["status"] == 200, planned
            order = posted('{"script": "# Hi"}', **{"Idempotency-Key": "k1"})
            made = [await call(page, f"{api}/api/v1/videos/generate", token, **order) for _ in range(2)]
            assert [answer["status"] for answer in made] == [202, 202]
            assert made[0]["headers"]["location"] == made[0]["body"]["status_url"]
            assert made[1]["headers"]["idempotency-replayed"] == "true"
            status = f"{api}{made[0]['body']['status_url']}"
            seen = await call(page, status, token)
            assert seen["status"] == 200
            assert seen["headers"]["etag"]
            assert seen["headers"]["x-request-id"]
            same = await call(page, status, token, headers={"If-None-Match": seen["headers"]["etag"]}, cache="no-store")
            assert same["status"] == 304
            asset = await call(page, f"{api}/api/v1/assets", token, method="POST", form=True)
            assert (asset["status"], asset["body"]["code"]) == (415, "unsupported_media")
            nobody = await call(page, api + JOBS)
            assert (nobody["status"], nobody["body"]["code"]) == (401, "unauthorized")
            wrong = await call(page, f"{api}/api/v1/videos/generate", token, **posted('{"scirpt": "x"}'))
            assert (wrong["status"], wrong["body"]["errors"][0]["pointer"]) == (422, "/scirpt")
            unknown = await call(page, f"{api}{JOBS}/{job_id()}", token, method="DELETE")
            assert unknown["status"] == 404


async def test_another_page_learns_and_does_nothing(browser: Browser, deps: WebDeps, settings: Settings) -> None:
    """Neither with keys nor, where the page isn't of this machine, without one."""
    _, token = await deps.api_keys.add("alice")
    async with page_elsewhere(browser) as (page, _):
        closed = evolve(settings, web=evolve(settings.web, open_access=False))
        async with serving(create_app(evolve(deps, settings=closed)), "127.0.0.1", 0) as address:
            assert "failed" in await call(page, address.url + JOBS, token)
            assert "failed" in await call(page, address.url + JOBS)
            asset = await call(page, f"{address.url}/api/v1/assets", method="POST", form=True)
            assert "failed" in asset


async def test_a_page_of_the_same_machine_needs_no_key_where_nobody_does(
    browser: Browser, deps: WebDeps, driver: Driver
) -> None:
    job = job_id()
    await driver.create(job)
    async with page_elsewhere(browser) as (page, _), serving(create_app(deps), "127.0.0.1", 0) as address:
        api = address.url
        assert (await call(page, api + JOBS))["status"] == 200
        assert (await call(page, f"{api}{JOBS}/{job}/cancel", method="POST"))["status"] == 202
        early = await call(page, f"{api}{JOBS}/{job}/poster")
        assert (early["status"], early["body"]["code"]) == (409, "not_ready")


async def test_pictures_may_be_drawn_by_any_page(
    browser: Browser, deps: WebDeps, settings: Settings, driver: Driver, thumbnail: bytes
) -> None:
    job = job_id()
    await driver.create(job)
    await driver.publish(job, {"720p": b"video"}, [thumbnail])
    async with page_elsewhere(browser) as (page, _), serving(create_app(deps), "127.0.0.1", 0) as address:
        assert await page.evaluate("url => pixels(url)", f"{address.url}{JOBS}/{job}/thumbnail") == 16


@pytest.fixture
def thumbnail() -> bytes:
    data = BytesIO()
    Image.new("RGB", (16, 9), "red").save(data, "JPEG")
    return data.getvalue()
