"""A page of another origin with hls.js, Shaka Player and video.js side by side, and what each shows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import frozen

from tests.support.waiting import wait_until

MODULES = Path(__file__).parents[2] / ".cache/players/node_modules"
SCRIPTS = {
    "hls.js": "hls.js/dist/hls.min.js",
    "shaka": "shaka-player/dist/shaka-player.compiled.js",
    "video.js": "video.js/dist/video.min.js",
}
PLAYERS = tuple(SCRIPTS)

_PAGE = (
    "<!doctype html><title>players</title>"
    + "".join(f'<script src="/{name}"></script>' for name in PLAYERS)
    + """
<script>
const shown = {};

function began(of) {
  of.video.addEventListener("timeupdate", () => {
    if (of.began === null && !of.video.seeking && of.video.readyState > 2) of.began = of.video.currentTime;
  });
}
const openers = {
  "hls.js": async (of, url) => {
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && of.errors.push(data.details));
    hls.loadSource(url);
    hls.attachMedia(of.video);
    of.languages = () => hls.subtitleTracks.map(each => each.lang);
    of.caption = () => { hls.subtitleDisplay = true; hls.subtitleTrack = 0; };
  },
  "shaka": async (of, url) => {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(of.video);
    player.addEventListener("error", event => of.errors.push(event.detail.code));
    await player.load(url);
    of.languages = () => player.getTextTracks().map(each => each.language);
    of.caption = () => player.selectTextTrack(player.getTextTracks()[0]);
  },
  "video.js": async (of, url) => {
    const player = videojs(of.video, {html5: {vhs: {overrideNative: true}, nativeTextTracks: false}});
    player.on("error", () => of.errors.push(player.error().message));
    player.src({src: url});
    const tracks = () => Array.from(player.textTracks()).filter(each => each.kind === "subtitles");
    of.languages = () => tracks().map(each => each.language);
    of.caption = () => { tracks()[0].mode = "showing"; };
    of.cues = () => tracks().flatMap(each => Array.from(each.cues ?? []));
  },
};
async function open(name, url) {
  const video = Object.assign(document.createElement("video"), {muted: true, playsInline: true, width: 320});
  document.body.append(video);
  const of = shown[name] = {video, began: null, errors: [], languages: () => [], cues: () => (
    Array.from(video.textTracks).flatMap(each => Array.from(each.cues ?? [])))};
  began(of);
  await openers[name](of, url);
  video.play().catch(() => {});
}
function facts(name) {
  const {video, began, errors, languages, cues} = shown[name];
  return {
    began, errors, languages: languages(), time: video.currentTime, ended: video.ended, paused: video.paused,
    height: video.videoHeight, end: video.seekable.length ? video.seekable.end(video.seekable.length - 1) : 0,
    cues: cues().map(each => [each.startTime, each.text]),
  };
}
async function seek(name, at) {
  shown[name].video.currentTime = at;
  shown[name].video.play().catch(() => {});
}
</script>"""
)

Facts = dict[str, Any]


@frozen
class Stage:
    """`evaluate` runs JavaScript in the page, waits for its promise, and gives its value."""

    evaluate: Callable[[str], Awaitable[Any]]

    async def call(self, function: str, *arguments: object) -> Any:
        return await self.evaluate(f"{function}({', '.join(map(json.dumps, arguments))})")

    async def facts(self) -> dict[str, Facts]:
        found = {name: await self.call("facts", name) for name in PLAYERS}
        assert [each["errors"] for each in found.values()] == [[]] * len(found), found
        return found

    async def until(self, condition: Callable[[Facts], object], what: str, within_s: float = 60) -> dict[str, Facts]:
        """The facts of all players as soon as the condition is true of each."""
        last: dict[str, Facts] = {}

        async def all_there() -> bool:
            nonlocal last
            last = await self.facts()
            return all(map(condition, last.values()))

        try:
            await wait_until(all_there, within_s, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None
        return last


@asynccontextmanager
async def page_of_players() -> AsyncIterator[str]:
    """The page's URL, on a server of its own."""
    scripts = {f"/{name}": MODULES / path for name, path in SCRIPTS.items()}
    assert all(path.exists() for path in scripts.values()), "these tests need players: make test-debian fetches them"

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def script(request: web.Request) -> web.FileResponse:
        return web.FileResponse(scripts[request.path])

    app = web.Application()
    app.router.add_get("/", page)
    for path in scripts:
        app.router.add_get(path, script)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
