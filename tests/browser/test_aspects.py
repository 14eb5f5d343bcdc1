"""Every aspect in a real browser: it plays, goes where it is told, and shows the captions of its track."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest

from handlers.generation.aspects import ASPECTS
from handlers.generation.control import Control
from handlers.generation.encoding.assemble import assemble
from handlers.generation.model import Brief, NarrateTask, Style
from handlers.generation.narration.captions import as_vtt, video_captions
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderTask
from tests.browser.conftest import Open, Serve, ShortFilm
from tests.browser.player import frame_at
from tests.support.film import parts_of

pytestmark = pytest.mark.timeout(240)

SCRIPT = """# Tides

The sea comes and goes.

## Twice a day

- The moon pulls
- The water <follows> & falls
"""
#: A theme for each aspect, so that more than one is seen.
THEMES = {"16:9": "paper", "9:16": "playful", "1:1": "editorial"}
#: Upright pictures are squeezed to be compared, by two scalers: the mean over the picture, 0 to 255, is compared.
SAME = 6.0


def make_film(folder: Path, aspect: str) -> ShortFilm:
    pipeline = ExplainerPipeline()
    style = Style(theme=THEMES[aspect], aspect=aspect)
    plan = pipeline.plan(Brief(script=SCRIPT, qualities=("360p",), style=style), Control())
    start, starts, told, rendered = 0, list[int](), [], []
    for draft in plan.scenes:
        scratch = folder / str(draft.index)
        scratch.mkdir()
        told.append(pipeline.narrate(NarrateTask(draft=draft, voice=plan.voice, style=plan.style), scratch, Control()))
        task = RenderTask(
            scene=told[-1],
            start_cells=start,
            qualities=("360p",),
            threads=1,
            style=plan.style,
            scene_count=len(plan.scenes),
        )
        rendered.append(pipeline.render(task, scratch, Control()))
        starts.append(start)
        start += rendered[-1].duration_cells
    path = folder / "film.mp4"
    assemble(parts_of(tuple(rendered), "360p"), path)
    path.with_suffix(".vtt").write_text(as_vtt(video_captions([scene.narration for scene in told])))
    return ShortFilm({"360p": path}, start * 8 / 15, tuple(cells * 8 / 15 for cells in starts))


@pytest.mark.parametrize("aspect", list(ASPECTS))
async def test_every_aspect_plays_seeks_and_shows_its_captions(
    aspect: str, serve: Serve, watch: Open, tmp_path: Path
) -> None:
    film = make_film(tmp_path, aspect)
    url = await serve(film.files["360p"])
    player = await watch(url)
    size = ASPECTS[aspect].size(360)
    state = await player.state()
    assert (state["width"], state["height"]) == size
    assert state["duration"] == pytest.approx(film.duration_s, abs=0.05)

    cues = await player.captions(urljoin(url, "/captions.vtt"))
    assert cues >= 3
    for at, words in (
        (film.starts_s[1] + 1.0, "Twice a day"),
        (0.8, "Tides"),
        (film.duration_s - 1.6, "<follows> & falls"),
    ):
        await player.seek(at)
        await player.until("v.textTracks[0].activeCues.length > 0")
        assert words in (await player.caption()).replace("\n", " ")
        assert np.abs(await player.picture() - frame_at(film.files["360p"], at)).mean() < SAME
    await player.screenshot(tmp_path / f"aspect-{aspect.replace(':', 'x')}.png")
    await player.play(rate=4)
    await player.until("v.ended")
    end_s = (await player.state())["time"]
    assert end_s == pytest.approx(film.duration_s, abs=0.1)
