"""HLS in a real browser: watched while its later scenes are still being rendered, and when it is finished."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from eventflow.domain import events as ev
from eventflow.domain.values import OnSceneFailure
from ops.compose import web_app
from tests.browser.hls_page import hls_page
from tests.browser.player import difference, frame_at
from tests.support.gates import Gates, gated
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until
from web.http.tokens import make_token

pytestmark = pytest.mark.timeout(240)

SCENES, CELLS = 3, 13
SCENE_S = CELLS * 8 / 15
LENGTH_S = SCENES * SCENE_S
#: As in `test_playback`: two decoders and two scalers differ a little at edges, other pictures differ by far more.
SAME = 45.0


@pytest.fixture
def renderers(monkeypatch: pytest.MonkeyPatch) -> Gates:
    return gated(monkeypatch, SCENES, CELLS)


@asynccontextmanager
async def on_air(studio: Studio, **request: Any) -> AsyncIterator[tuple[str, str]]:
    """A job that has just been asked for: (its id, the URL that a player is given)."""
    job_id = await studio.space.submit(simulation(**request))
    token = make_token(studio.parts.signing, job_id, datetime.now(UTC) + timedelta(minutes=10))
    async with TestServer(web_app(studio.parts)) as server:
        yield job_id, str(server.make_url(f"/api/v1/videos/jobs/{job_id}/stream?token={token}"))


async def types(studio: Studio, job_id: str) -> list[str]:
    return [envelope.type for envelope in await studio.space.history(job_id)]


async def whole_video(studio: Studio, job_id: str, folder: Path) -> Path:
    """The finished video in 720p, to compare pictures with."""
    job = await studio.space.job(job_id)
    assert job.published is not None, job.failure
    file = next(video.file for video in job.published.videos if video.quality == "720p")
    path = folder / "whole.mp4"
    await studio.parts.stores[file.store].fetch(file.key, path)
    return path


async def test_it_is_watched_while_it_is_being_made(
    studio: StudioOf,
    renderers: Gates,
    browser: Browser,
    tmp_path: Path,
) -> None:
    renderers.open(0)
    async with studio() as s, on_air(s) as (job_id, url), hls_page(browser) as player:

        async def started() -> bool:
            return "StreamStarted" in await types(s, job_id)

        await wait_until(started, 30, what="the first scene can be watched")
        levels = await player.open(url)
        assert [level["height"] for level in levels] == [360, 720]
        await player.play()
        await player.until("v.currentTime > 1")
        assert (await types(s, job_id)).count("SceneRendered") == 1  # the others wait at their gates
        assert await player.playlists() == [(True, 2)] * len(await player.playlists())
        await player.screenshot(tmp_path / "growing.png")

        renderers.open(1)
        await player.until(f"v.currentTime > {SCENE_S + 0.5}")
        assert (await types(s, job_id)).count("SceneRendered") == 2
        renderers.open(2)
        await player.until("v.ended")
        state = await player.state()
        assert state["time"] == pytest.approx(LENGTH_S, abs=0.1)
        assert [(0, pytest.approx(LENGTH_S, abs=0.1))] == [(round(a, 1), b) for a, b in state["played"]]
        counts = [count for _, count in await player.playlists()]
        assert (counts, counts[-1]) == (sorted(counts), 2 * SCENES)
        assert (await player.playlists())[-1][0] is False

        await wait_until(lambda: s.space.ended(job_id), 60, what="the job has ended")
        whole = await whole_video(s, job_id, tmp_path)
        for at in (SCENE_S + 1.2, 0.4, LENGTH_S - 0.8, SCENE_S - 0.5):
            await player.seek(at)
            assert difference(await player.picture(), frame_at(whole, at)) < SAME, at
        for height in (360, 720):
            await player.seek(1.0)
            await player.play(rate=2)
            await player.quality(height)
            at = (await player.state())["time"]
            await player.until(f"v.currentTime > {at} + 0.2")
            await player.pause()
            await player.seek(SCENE_S + 1.2)
            assert difference(await player.picture(), frame_at(whole, SCENE_S + 1.2)) < SAME
            assert (await player.state())["height"] == height
        assert {status for status, path in player.answers if "/stream/" in path} == {307}
        await player.screenshot(tmp_path / "finished.png")


async def test_the_browser_itself_plays_the_finished_one(
    studio: StudioOf,
    renderers: Gates,
    browser: Browser,
    tmp_path: Path,
) -> None:
    renderers.open(0, 1, 2)
    async with studio() as s, on_air(s) as (job_id, url), hls_page(browser) as player:
        await wait_until(lambda: s.space.ended(job_id), 60, what="the job has ended")
        assert any(isinstance(each.event, ev.VideoPublished) for each in await s.space.history(job_id))
        await player.page.evaluate("url => load(url)", url)
        assert (await player.state())["duration"] == pytest.approx(LENGTH_S, abs=0.1)
        await player.play()
        await player.until("v.currentTime > 1 && v.webkitAudioDecodedByteCount > 0")
        for at in (SCENE_S + 1.2, 0.4, LENGTH_S - 3):
            await player.seek(at)
            await player.until(f"v.currentTime > {at} + 0.3")
        await player.until("v.ended")
        await player.screenshot(tmp_path / "native.png")


@pytest.mark.parametrize("player_of", ["hls.js", "the browser"])
async def test_a_skipped_scene_leaves_no_hole(
    studio: StudioOf, renderers: Gates, browser: Browser, player_of: str
) -> None:
    renderers.broken.add(1)
    renderers.open(0, 1, 2)
    request = {"on_scene_failure": OnSceneFailure.SKIP, "retry_attempts": 0}
    async with studio() as s, on_air(s, **request) as (job_id, url), hls_page(browser) as player:
        await wait_until(lambda: s.space.ended(job_id), 60, what="the job has ended")
        assert "SceneSkipped" in await types(s, job_id)
        if player_of == "hls.js":
            await player.open(url)
            await player.until("v.readyState > 2")
        else:
            await player.page.evaluate("url => load(url)", url)
        await player.play(rate=2)
        await player.until("v.ended")
        state = await player.state()
        assert state["time"] == pytest.approx(2 * SCENE_S, abs=0.2)
        assert [(0, pytest.approx(2 * SCENE_S, abs=0.2))] == [(round(a, 1), b) for a, b in state["played"]]
