"""The example of a player page, opened from a file as people do."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Route

from tests.browser.hls_page import HLS_JS
from tests.browser.test_hls import on_air
from tests.support.docs import DOCS
from tests.support.studio import Studio, StudioOf
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(120)
PAGE = DOCS / "examples" / "player.html"


async def test_the_example_plays_the_address_behind_its_hash(studio: StudioOf, browser: Browser) -> None:
    assert HLS_JS.exists(), "this test needs hls.js: make test-debian fetches it"
    page = await browser.new_page()

    async def library(route: Route) -> None:
        await route.fulfill(path=HLS_JS, content_type="text/javascript")

    await page.route("https://cdn.jsdelivr.net/**", library)
    async with studio() as made, on_air(made) as (job_id, url):
        await wait_until(lambda: _published(made, job_id), 60)
        await page.goto(f"{PAGE.as_uri()}#{url}")
        await page.wait_for_function("document.querySelector('video').currentTime > 0.5", timeout=30_000)
        assert await page.inner_text("#message") == ""
    await page.close()


async def _published(studio: Studio, job_id: str) -> bool:
    return (await studio.space.job(job_id)).published is not None
