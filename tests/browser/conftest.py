"""A short film of the real engine, and a real Chromium to look at it with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import frozen
from playwright.async_api import Browser, async_playwright

from handlers.generation.control import Control
from handlers.generation.encoding.assemble import assemble
from handlers.generation.model import Brief, NarrateTask
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderTask
from tests.browser.player import Player, open_player
from tests.support.film import parts_of
from tests.support.studio import environment, studio  # noqa: F401 - fixtures
from tests.support.web_app import clock, deps, driver, settings, stores  # noqa: F401 - fixtures

SCRIPT = """# Streams

A short film.

## Two facts

- **First**, a fact
- Then another

```python
print("seen")
```
"""
QUALITIES = ("720p", "360p")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]

Serve = Callable[[Path], Awaitable[str]]
Open = Callable[[str], Awaitable[Player]]


@frozen
class ShortFilm:
    """`starts_s` are where its scenes begin."""

    files: dict[str, Path]
    duration_s: float
    starts_s: tuple[float, ...]


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> ShortFilm:
    folder = tmp_path_factory.mktemp("browser")
    pipeline, brief = ExplainerPipeline(), Brief(script=SCRIPT, qualities=QUALITIES)
    start, starts, rendered = 0, list[int](), []
    for draft in pipeline.plan(brief, Control()).scenes:
        scratch = folder / str(draft.index)
        scratch.mkdir()
        told = pipeline.narrate(NarrateTask(draft=draft, voice=brief.voice), scratch, Control())
        rendered.append(
            pipeline.render(
                RenderTask(scene=told, start_cells=start, qualities=QUALITIES, threads=1), scratch, Control()
            )
        )
        starts.append(start)
        start += rendered[-1].duration_cells
    files = {quality: folder / f"{quality}.mp4" for quality in QUALITIES}
    for quality, path in files.items():
        assemble(parts_of(tuple(rendered), quality), path)
    return ShortFilm(files, start * 8 / 15, tuple(cells * 8 / 15 for cells in starts))


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        await launched.close()


@pytest.fixture
async def watch(browser: Browser) -> Open:
    """Opens a video by its URL in a page of the same origin."""

    async def begin(url: str) -> Player:
        return await open_player(browser, url)

    return begin


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A bare server of a file, with ranges, and of the captions beside it; gives the file's URL."""
    servers: list[TestServer] = []

    async def begin(path: Path) -> str:
        async def handle(_: web.Request) -> web.FileResponse:
            return web.FileResponse(path)

        async def captions(_: web.Request) -> web.FileResponse:
            return web.FileResponse(path.with_suffix(".vtt"), headers={"Content-Type": "text/vtt"})

        app = web.Application()
        app.router.add_get("/captions.vtt", captions)
        app.router.add_get("/film.mp4", handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/film.mp4"))

    yield begin
    for server in servers:
        await server.close()
