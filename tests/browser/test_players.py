"""hls.js, Shaka Player and video.js in Chromium and Firefox: a page of another origin, a token in the URL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from eventflow.domain.values import VideoRequest
from tests.browser.firefox import firefox
from tests.browser.stage import PLAYERS, Stage, page_of_players
from tests.support.gates import Gates, gated
from tests.support.onair import on_air
from tests.support.studio import SPOKEN, StudioOf, simulation

pytestmark = pytest.mark.timeout(240)

#: Of a video that grows, players show the last 18 s (three target durations) if they aren't told otherwise.
SCENES, CELLS = 2, 45
SCENE_S = CELLS * 8 / 15


@pytest.fixture
async def in_chromium(browser: Browser) -> AsyncIterator[Stage]:
    async with page_of_players() as url:
        page = await browser.new_page()
        await page.goto(url)
        yield Stage(page.evaluate)


@pytest.fixture
async def in_firefox(firefox_esr: str, tmp_path: Path) -> AsyncIterator[Stage]:
    profile = tmp_path / "profile"
    profile.mkdir()
    async with page_of_players() as url, firefox(firefox_esr, profile) as tab:
        await tab.go(url)
        yield Stage(tab.evaluate)


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Gates:
    return gated(monkeypatch, SCENES, CELLS)


async def watch_it_grow(studio: StudioOf, gates: Gates, stage: Stage) -> None:
    """From its first picture, over the place to which it had grown, to its end."""
    gates.open(0)
    async with studio() as s, on_air(s) as air:
        job_id = await s.space.submit(simulation(quality_levels=("480p", "360p")))
        await air.started(job_id)
        for number, name in enumerate(PLAYERS):
            await stage.call("open", name, air.url(job_id, number))
        found = await stage.until(lambda each: each["began"] is not None, "all play")
        assert {name: each["began"] for name, each in found.items() if each["began"] > 1} == {}
        for name in PLAYERS:
            await stage.call("seek", name, SCENE_S - 2)
        gates.open(1)
        await stage.until(lambda each: each["time"] > SCENE_S + 0.5, "all play the scene that came later")
        await air.ended(job_id)
        await stage.until(lambda each: each["end"] > 2 * SCENE_S - 1, "all know the whole video")
        for name in PLAYERS:
            await stage.call("seek", name, 2 * SCENE_S - 1)
        found = await stage.until(lambda each: each["ended"], "all come to the end")
        assert [each["time"] for each in found.values()] == pytest.approx([2 * SCENE_S] * len(PLAYERS), abs=0.2)


async def watch_with_captions(studio: StudioOf, stage: Stage) -> None:
    async with studio() as s, on_air(s) as air:
        job_id = await s.space.submit(VideoRequest(script=SPOKEN, quality_levels=("480p", "360p")))
        await air.ended(job_id)
        for number, name in enumerate(PLAYERS):
            await stage.call("open", name, air.url(job_id, number))
        await stage.until(lambda each: each["time"] > 0.5 and each["languages"], "all play, and know the captions")
        for name in PLAYERS:
            await stage.evaluate(f"void shown[{name!r}].caption()")
        found = await stage.until(lambda each: each["cues"], "all have captions")
        assert {tuple(each["languages"]) for each in found.values()} == {("en-US",)}
        firsts = {tuple(min(each["cues"])) for each in found.values()}
        assert {text.split()[0] for _, text in firsts} == {"Streams"}
        assert max(at for at, _ in firsts) == pytest.approx(min(at for at, _ in firsts), abs=0.05)
        for name in PLAYERS:
            await stage.call("seek", name, 2)
        await stage.until(lambda each: each["time"] > 2, "all go on after a seek")


async def test_a_video_that_grows_in_chromium(studio: StudioOf, gates: Gates, in_chromium: Stage) -> None:
    await watch_it_grow(studio, gates, in_chromium)


async def test_a_video_that_grows_in_firefox(studio: StudioOf, gates: Gates, in_firefox: Stage) -> None:
    await watch_it_grow(studio, gates, in_firefox)


async def test_captions_in_chromium(studio: StudioOf, in_chromium: Stage) -> None:
    await watch_with_captions(studio, in_chromium)


async def test_captions_in_firefox(studio: StudioOf, in_firefox: Stage) -> None:
    await watch_with_captions(studio, in_firefox)
