"""The example of a plug-in is a pipeline: it plans one page more than the explainer, and makes what it has planned."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from handlers.generation.control import Control
from handlers.generation.model import Brief, NarrateTask, Voice
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderTask
from tests.support.docs import DOCS

SCRIPT = "# Hello\n\nOne line.\n"


@pytest.fixture
def branded() -> Any:
    spec = importlib.util.spec_from_file_location("pipeline_plugin", DOCS / "examples" / "pipeline_plugin.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.BrandedPipeline()


def test_it_adds_a_closing_page(branded: Any) -> None:
    branded.check()
    usual = ExplainerPipeline().plan(Brief(script=SCRIPT), Control()).scenes
    scenes = branded.plan(Brief(script=SCRIPT), Control()).scenes
    assert len(scenes) == len(usual) + 1
    assert scenes[-1].title == "Made with eventflow"


def test_it_makes_a_scene(branded: Any, tmp_path: Path) -> None:
    draft = branded.plan(Brief(script=SCRIPT, qualities=("360p",)), Control()).scenes[-1]
    narrated = branded.narrate(NarrateTask(draft=draft, voice=Voice()), tmp_path, Control())
    rendered = branded.render(
        RenderTask(scene=narrated, start_cells=0, qualities=("360p",), threads=1), tmp_path, Control()
    )
    assert rendered.renditions
