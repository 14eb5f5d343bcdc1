"""A page of another origin that plays HLS: by hls.js, or as the browser does by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define
from playwright.async_api import Browser

from tests.browser.player import PAGE, Player

HLS_JS = Path(__file__).parents[2] / ".cache/players/node_modules/hls.js/dist/hls.min.js"

_SCRIPT = """<script src="/hls.min.js"></script><script>
let hls, fatal = null, live = [];
function open(url) {
  hls = new Hls({backBufferLength: 0});
  hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) fatal = data.details; });
  hls.on(Hls.Events.LEVEL_UPDATED, (_, data) => live.push([data.details.live, data.details.fragments.length]));
  const parsed = new Promise(good => hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => good(data.levels.map(
    each => ({height: each.height, codecs: each.codecs, bitrate: each.bitrate}))
  )));
  hls.loadSource(url);
  hls.attachMedia(v);
  return parsed;
}
</script>"""


@define(eq=False)
class HlsPlayer(Player):
    """A player whose video comes by hls.js."""

    async def open(self, url: str) -> list[dict[str, Any]]:
        """Load the master playlist; returns its levels."""
        levels: list[dict[str, Any]] = await self.page.evaluate("url => open(url)", url)
        return levels

    async def until(self, condition: str, *, within_s: float = 60) -> None:
        await self.page.wait_for_function(f"v.error || fatal || ({condition})", timeout=within_s * 1000)
        assert await self.page.evaluate("fatal") is None
        await self.state()

    async def playlists(self) -> list[tuple[bool, int]]:
        """(whether it grows, number of segments) of each media playlist that was loaded."""
        return [(live, count) for live, count in await self.page.evaluate("live")]

    async def quality(self, height: int) -> None:
        """Go on in another rendition. Frames that the browser has decoded already, some seconds of them, come first."""
        script = "height => { hls.currentLevel = hls.levels.findIndex(each => each.height === height) }"
        await self.page.evaluate(script, height)
        await self.until(f"v.videoHeight === {height} && !v.seeking && v.readyState > 2")


@asynccontextmanager
async def hls_page(browser: Browser) -> AsyncIterator[HlsPlayer]:
    """The page, on a server of its own."""
    assert HLS_JS.exists(), "these tests need hls.js: make test-debian fetches it"

    async def page_of(_: web.Request) -> web.Response:
        return web.Response(text=PAGE + _SCRIPT, content_type="text/html")

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(HLS_JS)

    app = web.Application()
    app.router.add_get("/", page_of)
    app.router.add_get("/hls.min.js", script)
    async with TestServer(app) as server:
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        player = HlsPlayer(page, [])
        page.on("response", lambda response: player.answers.append((response.status, response.url.partition("?")[0])))
        await page.goto(str(server.make_url("/")))
        yield player
        await page.close()
