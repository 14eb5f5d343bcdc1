"""A pipeline as a plug-in: the explainer, with a closing page after every script.

A package with this module installs it by an entry point in its pyproject.toml:

    [project.entry-points."eventflow.pipelines"]
    branded = "pipeline_plugin:BrandedPipeline"

Requests then say "pipeline": "branded". Web processes and workers both need the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attrs import evolve

from eventflow.settings import Settings
from handlers.generation.control import Control
from handlers.generation.model import Brief, NarratedScene, NarrateTask, Plan
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderedScene, RenderTask

CLOSING = "\n\n:::outro\n# Made with eventflow\n\nhttps://example.org\n:::\n"


class BrandedPipeline:
    """Plans one page more than the explainer, and leaves the rest to it."""

    name: ClassVar[str] = "branded"
    #: The explainer's version is part of it: cached scenes are made again when either changes.
    version: ClassVar[str] = f"1.{ExplainerPipeline.version}"

    def __init__(self, explainer: ExplainerPipeline | None = None) -> None:
        self._explainer = explainer or ExplainerPipeline()

    @classmethod
    def from_settings(cls, settings: Settings) -> BrandedPipeline:
        """Made by this where there are settings: with the narrators and the planner that they name."""
        return cls(ExplainerPipeline.from_settings(settings))

    def check(self) -> None:
        """Raises PipelineUnavailable."""
        self._explainer.check()

    def plan(self, brief: Brief, control: Control) -> Plan:
        """The scenes of the video; a script gets the closing page."""
        if brief.script is not None:
            brief = evolve(brief, script=brief.script + CLOSING)
        return self._explainer.plan(brief, control)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Speak a scene into `scratch`."""
        return self._explainer.narrate(task, scratch, control)

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Encode a scene into `scratch`."""
        return self._explainer.render(task, scratch, control)
