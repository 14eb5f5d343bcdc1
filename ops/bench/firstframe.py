"""`eventflow dev bench firstframe`: time from POST to the first playable segment, and to the finished video.

The stack is new: server, web app and a worker of each group, as `eventflow up` starts them, with empty caches. A viewer
requests the playlists as a player does; the first segment counts once all of its bytes have arrived.

Baseline: a script of one scene on the same stack, before the others: planning, and one scene rendered alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import aiohttp
from attrs import frozen
from yarl import URL

from eventflow.settings import Settings
from ops.bench.render_script import script
from ops.local_stack.stack import Stack

#: Pause between two requests of the viewer, in seconds.
POLL_S = 0.05
QUALITY = "720p"
#: Longer than any of these videos takes.
_PATIENCE_S = 1_200.0


@frozen(kw_only=True)
class Watched:
    """One video: its length and scenes, and the seconds from POST to its first segment and to its end."""

    video_seconds: float
    scenes: int
    first_segment_s: float
    finished_s: float

    @property
    def share(self) -> float:
        """The viewer's wait for the first segment as a part of the whole time."""
        return round(self.first_segment_s / self.finished_s, 4)


@frozen(kw_only=True)
class FirstFrameResult:
    """`share` is first_segment_s / finished_s; `ratio_to_alone` the first segment's time by that of the one scene."""

    alone: Watched
    short: Watched
    short_share: float
    short_ratio_to_alone: float
    long: Watched
    long_share: float
    long_ratio_to_alone: float


class FirstFrameFailed(Exception):
    """The benchmark has no result; the message says why."""


def run(settings: Settings, environment: Mapping[str, str], *, short: int, long: int, errors: int) -> FirstFrameResult:
    """Measure scripts of one, `short` and `long` scenes, one after the other.

    `errors` is a descriptor for the processes' logs. Raises FirstFrameFailed, StackError, EmbeddedError.
    """
    return asyncio.run(_run(settings, environment, short, long, errors))


async def _run(
    settings: Settings, environment: Mapping[str, str], short: int, long: int, errors: int
) -> FirstFrameResult:
    stack = Stack(settings, environment, errors=errors)
    try:
        base = URL(await stack.start())
        async with aiohttp.ClientSession() as session:
            viewer = _Viewer(session, base)
            alone, few, many = [await stack.while_running(viewer.watch(script(scenes))) for scenes in (1, short, long)]
    finally:
        await stack.stop()
    return FirstFrameResult(
        alone=alone,
        short=few,
        short_share=few.share,
        short_ratio_to_alone=_ratio(few, alone),
        long=many,
        long_share=many.share,
        long_ratio_to_alone=_ratio(many, alone),
    )


def _ratio(video: Watched, alone: Watched) -> float:
    return round(video.first_segment_s / alone.first_segment_s, 3)


@frozen
class _Viewer:
    session: aiohttp.ClientSession
    base: URL

    async def watch(self, text: str) -> Watched:
        """Request a video of `text`, and wait for its first segment and its end."""
        began = perf_counter()
        async with self.session.post(self.base / "api/v1/videos/generate", json={"script": text}) as answer:
            if answer.status != 202:
                raise FirstFrameFailed(f"the request was refused: {await answer.text()}")
            accepted = await answer.json()
        async with asyncio.timeout(_PATIENCE_S):
            await self._first_segment(accepted)
            first_s = perf_counter() - began
            status = await self._end(accepted)
            finished_s = perf_counter() - began
            async with self.session.get(self.base.join(URL(accepted["status_url"])).parent / "metadata") as answer:
                metadata = await answer.json()
        return Watched(
            video_seconds=round(metadata["duration"], 2),
            scenes=status["scenes"]["total"],
            first_segment_s=round(first_s, 3),
            finished_s=round(finished_s, 3),
        )

    async def _first_segment(self, accepted: Mapping[str, Any]) -> None:
        """Wait for the first segment in the playlist, and read it and its initialization section."""
        url = self.base.join(URL(accepted["stream_url"])).update_query(quality=QUALITY)
        while True:
            async with self.session.get(url) as answer:
                playlist = await answer.text() if answer.status == 200 else ""
            lines = playlist.splitlines()
            segments = [line for line in lines if line and not line.startswith("#")]
            if segments:
                break
            await asyncio.sleep(POLL_S)
        start = next(line for line in lines if line.startswith("#EXT-X-MAP:"))
        for link in (start.split('URI="', 1)[1].split('"', 1)[0], segments[0]):
            async with self.session.get(url.join(URL(link))) as answer:
                if answer.status != 200 or not await answer.read():
                    raise FirstFrameFailed(f"a segment of the playlist is answered with {answer.status}")

    async def _end(self, accepted: Mapping[str, Any]) -> Mapping[str, Any]:
        while True:
            async with self.session.get(self.base.join(URL(accepted["status_url"]))) as answer:
                status: dict[str, Any] = await answer.json()
            if status["status"] == "completed":
                return status
            if status["status"] in ("failed", "cancelled"):
                raise FirstFrameFailed(f"the video {status['status']}: {status['error']}")
            await asyncio.sleep(POLL_S)
