"""Other people's players get the whole of a stream, with a token in its address, and without a warning."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from eventflow.domain.values import VideoRequest
from tests.support import players as other
from tests.support.gates import Gates, gated
from tests.support.onair import OnAir, on_air
from tests.support.players import OF_WHEELS, Play, Played, cues_by_ffmpeg
from tests.support.studio import SPOKEN, StudioOf, simulation
from tests.support.waiting import wait_until

#: Whole deployments with players: `make chaos` has them.
pytestmark = pytest.mark.chaos

SCENES, CELLS = 3, 15
LENGTH_S = SCENES * CELLS * 8 / 15
#: The last picture is shown for a while, of which not every player tells.
CLOSE_S = 1.0


class Audience:
    """Players that play at the same time, each by a URL and in a folder of its own."""

    def __init__(self, group: asyncio.TaskGroup, players: dict[str, Play], urls: list[str], folder: Path) -> None:
        folder.chmod(0o755)  # one of them may have to run as another user
        self.urls = urls
        self.tasks = [
            group.create_task(self._play(play, url, folder / name), name=name)
            for (name, play), url in zip(players.items(), urls, strict=True)
        ]

    @staticmethod
    async def _play(play: Play, url: str, folder: Path) -> Played:
        folder.mkdir()
        return await play(url, folder)

    async def has_begun(self, air: OnAir) -> None:
        def all_have() -> bool:
            return all(task.done() or air.has_begun(url) for task, url in zip(self.tasks, self.urls, strict=True))

        await wait_until(all_have, 60, what="all have begun to play")

    def played(self) -> dict[str, Played]:
        return {task.get_name(): task.result() for task in self.tasks}


@pytest.fixture
def folder() -> Iterator[Path]:
    """pytest's own folders are closed to other users."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def wrong(played: dict[str, Played], length_s: float) -> dict[str, Played]:
    """Those that didn't come to the end of the video, or complained."""
    return {
        name: each
        for name, each in played.items()
        if each.complaints or each.seconds != pytest.approx(length_s, abs=CLOSE_S)
    }


async def finished(studio: StudioOf, players: dict[str, Play], folder: Path) -> dict[str, Played]:
    """What is wrong with how they play a finished video."""
    async with studio() as s, on_air(s) as air:
        job_id = await s.space.submit(VideoRequest(script=SPOKEN, quality_levels=("720p", "360p")))
        await air.ended(job_id)
        async with asyncio.TaskGroup() as group:
            audience = Audience(group, players, [air.url(job_id, number) for number in range(len(players))], folder)
        job = await s.space.job(job_id)
    return wrong(audience.played(), sum(scene.duration_cells for scene in job.scenes) * 8 / 15)


async def growing(studio: StudioOf, gates: Gates, players: dict[str, Play], folder: Path) -> dict[str, Played]:
    """What is wrong with how they play one whose later scenes are rendered when all of them have begun."""
    gates.open(0)
    async with studio() as s, on_air(s) as air:
        job_id = await s.space.submit(simulation())
        await air.started(job_id)
        async with asyncio.TaskGroup() as group:
            audience = Audience(group, players, [air.url(job_id, number) for number in range(len(players))], folder)
            await audience.has_begun(air)
            gates.open(1, 2)
    return wrong(audience.played(), LENGTH_S)


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Gates:
    return gated(monkeypatch, SCENES, CELLS)


@pytest.fixture
def debian_players(ffmpeg: str, mpv: str, cvlc: str, gst_launch_1_0: str) -> dict[str, Play]:
    return {
        "ffmpeg 5.1": partial(other.old_ffmpeg, ffmpeg),
        "mpv": partial(other.mpv, mpv),
        "VLC": partial(other.vlc, cvlc),
        "GStreamer": partial(other.gstreamer, gst_launch_1_0),
    }


async def test_those_of_wheels_play_a_finished_video(studio: StudioOf, folder: Path) -> None:
    assert await finished(studio, OF_WHEELS, folder) == {}


async def test_those_of_wheels_play_a_video_that_grows(studio: StudioOf, gates: Gates, folder: Path) -> None:
    assert await growing(studio, gates, OF_WHEELS, folder) == {}


async def test_those_of_debian_play_a_finished_video(
    studio: StudioOf, debian_players: dict[str, Play], folder: Path
) -> None:
    assert await finished(studio, debian_players, folder) == {}


async def test_those_of_debian_play_a_video_that_grows(
    studio: StudioOf, gates: Gates, debian_players: dict[str, Play], folder: Path
) -> None:
    assert await growing(studio, gates, debian_players, folder) == {}


async def test_captions(studio: StudioOf) -> None:
    """libavformat begins to read them where its look at the beginnings of the other streams has ended."""
    async with studio() as s, on_air(s) as air:
        job_id = await s.space.submit(VideoRequest(script=SPOKEN, quality_levels=("360p",)))
        await air.ended(job_id)
        alone = await cues_by_ffmpeg(air.url(job_id, 0, "stream.m3u8?captions=en-US"))
        beside = await cues_by_ffmpeg(air.url(job_id, 0))
    assert alone[0].startswith("Streams")
    assert beside
    assert beside == alone[-len(beside) :]
