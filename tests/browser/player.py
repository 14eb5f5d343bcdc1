"""A `<video>` in a page, and what can be asked of it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import av
import numpy as np
from attrs import define
from PIL import Image
from playwright.async_api import Browser, Page, Response, Route

#: What frames are compared at.
SIZE = (320, 180)

PAGE = """<!doctype html><title>player</title>
<style>body { margin: 0; background: #000 } video { display: block; width: 100vw }</style>
<video id="v" preload="auto" playsinline></video>
<script>
const v = document.getElementById("v");
const once = (name) => new Promise((good, bad) => {
  v.addEventListener(name, good, {once: true});
  v.addEventListener("error", () => bad(new Error("media error " + v.error?.message)), {once: true});
});
async function load(url) { const ready = once("canplay"); v.src = url; await ready; }
async function seek(at) {
  const done = once("seeked");
  v.currentTime = at;
  await done;
  await new Promise((good) => requestAnimationFrame(() => requestAnimationFrame(good)));
  return v.currentTime;
}
function captioned(url) {
  const track = Object.assign(document.createElement("track"), {kind: "captions", srclang: "en", default: true});
  return new Promise((good, bad) => {
    track.addEventListener("load", () => good(track.track.cues.length));
    track.addEventListener("error", () => bad(new Error("no captions")));
    v.append(track);
    track.track.mode = "showing";
    track.src = url;
  });
}
function caption() {
  return [...(v.textTracks[0].activeCues ?? [])].map(cue => cue.getCueAsHTML().textContent).join(" ");
}
function picture(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), {width, height});
  canvas.getContext("2d").drawImage(v, 0, 0, width, height);
  return canvas.toDataURL("image/png").split(",")[1];
}
function state() {
  return {
    time: v.currentTime, duration: v.duration, width: v.videoWidth, height: v.videoHeight, ended: v.ended,
    audioBytes: v.webkitAudioDecodedByteCount, videoBytes: v.webkitVideoDecodedByteCount,
    played: [...Array(v.played.length).keys()].map(i => [v.played.start(i), v.played.end(i)]),
    error: v.error && v.error.message,
  };
}
</script>"""


@define(eq=False)
class Player:
    """`answers` are (status, path) of what the network said to requests for the video."""

    page: Page
    answers: list[tuple[int, str]]

    async def state(self) -> dict[str, Any]:
        shown: dict[str, Any] = await self.page.evaluate("state()")
        assert shown["error"] is None
        return shown

    async def play(self, *, rate: float = 1.0) -> None:
        await self.page.evaluate("rate => { v.playbackRate = rate; return v.play() }", rate)

    async def pause(self) -> None:
        await self.page.evaluate("v.pause()")

    async def until(self, condition: str, *, within_s: float = 60) -> None:
        """Wait until the JavaScript `condition` on the video `v` holds."""
        await self.page.wait_for_function(f"v.error || ({condition})", timeout=within_s * 1000)
        await self.state()

    async def seek(self, at: float) -> float:
        """Go there, wait until the picture is there too, tell the time that it is then."""
        there: float = await self.page.evaluate("at => seek(at)", at)
        return there

    async def captions(self, url: str) -> int:
        """Show the captions at `url` as a track; returns how many cues it has."""
        count: int = await self.page.evaluate("url => captioned(url)", url)
        return count

    async def caption(self) -> str:
        """What the track shows now."""
        shown: str = await self.page.evaluate("caption()")
        return shown

    async def picture(self) -> np.ndarray:
        """What is shown, drawn to a canvas: height x width x 3 integers."""
        png = base64.b64decode(await self.page.evaluate("size => picture(...size)", list(SIZE)))
        return pixels(Image.open(io.BytesIO(png)))

    async def screenshot(self, path: Path) -> None:
        await self.page.screenshot(path=path)


async def open_player(browser: Browser, url: str) -> Player:
    """A page beside `url` (same origin, so that its frames may be read), with the video loaded."""
    page = await browser.new_page(viewport={"width": 1280, "height": 720})
    player = Player(page, [])
    place = urljoin(url, "/player-of-the-test")

    async def answer(route: Route) -> None:
        await route.fulfill(body=PAGE, content_type="text/html")

    def note(response: Response) -> None:
        if response.url != place:
            player.answers.append((response.status, response.url.partition("?")[0]))

    await page.route(place, answer)
    page.on("response", note)
    await page.goto(place)
    await page.evaluate("url => load(url)", url)
    return player


def frame_at(path: Path, at: float) -> np.ndarray:
    """The frame that is to be seen `at` seconds, by another decoder, as `Player.picture` gives it."""
    shown = None
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if shown is not None and frame.time is not None and frame.time > at:
                break
            shown = frame
    assert shown is not None
    return pixels(shown.to_image().resize(SIZE, Image.Resampling.BILINEAR))


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """How far apart two pictures are where they differ most: the mean of the worst hundredth, 0 to 255."""
    apart = np.sort(np.abs(one - other).mean(axis=2).ravel())
    return float(apart[-apart.size // 100 :].mean())
