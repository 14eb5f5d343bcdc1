"""The length of scenes without a voice."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from handlers.generation.control import Control
from handlers.generation.model import AssetFile, Brief, NarrateTask, Style
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.time_grid import SAMPLES_PER_CELL

ASSET = "as_" + "0123456789abcdef" * 2


CLIP = AssetFile(path=Path("clip.mp4"), kind="clip", media_type="video/mp4", width=640, height=360, duration_s=12.5)


BLOCK = f'{{"kind": "clip", "asset": "{ASSET}", "sound": false}}'


SCENES = f'{{"version": 1, "scenes": [{{"title": "Look", "blocks": [{BLOCK}]}}]}}'


@pytest.mark.parametrize("narrated", [True, False])
def test_a_scene_lasts_as_long_as_its_clip(narrated: bool, tmp_path: Path) -> None:
    pipeline = ExplainerPipeline()
    plan = pipeline.plan(Brief(scenes=SCENES, style=Style(narrated=narrated)), Control())
    assert plan.scenes[0].assets == (ASSET,)
    task = NarrateTask(draft=plan.scenes[0], voice=plan.voice, style=plan.style, assets={ASSET: CLIP})
    told = pipeline.narrate(task, tmp_path, Control())
    start = next(cue.start_s for cue in told.narration.cues if cue.step == 1)
    assert told.narration.duration_s >= start + 12.5
    if narrated:
        assert told.audio is not None
        with wave.open(str(told.audio)) as sound:
            assert sound.getnframes() == told.duration_cells * SAMPLES_PER_CELL
    else:
        assert told.audio is None
