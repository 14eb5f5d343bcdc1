"""The finished MP4 in a real browser: it plays with sound to its end, and goes where it is told."""

import secrets
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from eventflow.domain.job_ids import new_job_id
from tests.browser.conftest import QUALITIES, Open, Serve, ShortFilm
from tests.browser.player import difference, frame_at
from tests.support.driving import Driver
from web.app import create_app
from web.deps import WebDeps

pytestmark = pytest.mark.timeout(240)

#: Two decoders and two scalers differ a little at the edges of letters; other pictures differ by over 100.
SAME, OTHER = 45.0, 70.0


@pytest.mark.parametrize("quality", QUALITIES)
async def test_it_plays_with_sound(film: ShortFilm, serve: Serve, watch: Open, quality: str, tmp_path: Path) -> None:
    player = await watch(await serve(film.files[quality]))
    before = await player.state()
    assert before["duration"] == pytest.approx(film.duration_s, abs=0.05)
    assert before["height"] == int(quality.removesuffix("p"))
    assert before["time"] == 0
    await player.play()
    await player.until("v.currentTime > 1.5 && v.webkitAudioDecodedByteCount > 0")
    after = await player.state()
    assert after["videoBytes"] > 0
    assert after["played"][0][0] == pytest.approx(0, abs=0.1)
    await player.screenshot(tmp_path / f"playing-{quality}.png")


async def test_it_plays_to_the_end(film: ShortFilm, serve: Serve, watch: Open) -> None:
    player = await watch(await serve(film.files["360p"]))
    await player.play(rate=4)
    await player.until("v.ended")
    end = await player.state()
    assert end["time"] == pytest.approx(end["duration"], abs=0.05)
    ((first, last),) = end["played"]  # one stretch: it never jumped
    assert (first, last) == (pytest.approx(0, abs=0.1), pytest.approx(film.duration_s, abs=0.1))
    assert difference(await player.picture(), frame_at(film.files["360p"], film.duration_s)) < SAME


def places(film: ShortFilm) -> list[float]:
    """Forwards and backwards, over scenes and segments, into long frames, next to both ends."""
    second = film.starts_s[1]
    return [second + 3.0, 1.5, film.duration_s - 0.7, second - 0.8, second + 0.9, 0.4, film.duration_s - 0.1]


@pytest.mark.parametrize("quality", QUALITIES)
async def test_seeking_shows_the_frame_of_that_time(
    film: ShortFilm, serve: Serve, watch: Open, quality: str, tmp_path: Path
) -> None:
    path = film.files[quality]
    player = await watch(await serve(path))
    for number, at in enumerate(places(film)):
        assert await player.seek(at) == pytest.approx(at, abs=0.05)
        await player.screenshot(tmp_path / f"seek-{quality}-{number}.png")
        assert difference(await player.picture(), frame_at(path, at)) < SAME, at


async def test_the_places_look_different(film: ShortFilm) -> None:
    """Without this the test above could pass on a still."""
    shown = [frame_at(film.files["720p"], at) for at in places(film)]
    assert sum(difference(one, other) > OTHER for one, other in pairwise(shown)) >= 4


async def test_it_goes_on_playing_after_a_seek(film: ShortFilm, serve: Serve, watch: Open) -> None:
    player = await watch(await serve(film.files["720p"]))
    await player.play()
    for at in (film.starts_s[1] + 0.5, 0.3):
        await player.seek(at)
        await player.until(f"v.currentTime > {at} + 1")


async def test_the_web_app_sends_it_by_a_signed_url(
    film: ShortFilm, deps: WebDeps, driver: Driver, watch: Open, tmp_path: Path
) -> None:
    job_id = new_job_id(0, secrets.token_hex(16))
    await driver.create(job_id)
    await driver.publish(job_id, {"720p": film.files["720p"].read_bytes()})
    job = f"/api/v1/videos/jobs/{job_id}"
    async with TestServer(create_app(deps)) as server:
        for what in ("download", "stream?format=mp4&quality=720p", "download?proxy=true"):
            player = await watch(str(server.make_url(f"{job}/{what}")))
            await player.play()
            await player.until("v.currentTime > 0.5 && v.webkitAudioDecodedByteCount > 0")
            await player.pause()
            at = film.starts_s[1] + 0.9
            await player.seek(at)
            assert difference(await player.picture(), frame_at(film.files["720p"], at)) < SAME
            statuses = [status for status, _ in player.answers]
            if "proxy" in what:
                assert set(statuses) == {206}
            else:
                assert 307 in statuses
                media = [(status, path) for status, path in player.answers if "/media/delivery/" in path]
                assert media
                assert {status for status, _ in media} == {206}
            await player.screenshot(tmp_path / "web.png")
            await player.page.close()
