"""Scenes that wait to be rendered until a test opens their gates."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from handlers.generation.errors import EncodeError, Stopped
from handlers.generation.pipelines.simulation import SimulationPipeline


@define(eq=False)
class Gates:
    """What renders is the real pipeline; each scene is begun when its gate is opened."""

    gates: list[threading.Event]
    broken: set[int] = field(factory=set)

    def open(self, *scenes: int) -> None:
        for scene in scenes:
            self.gates[scene].set()


def gated(monkeypatch: pytest.MonkeyPatch, scenes: int, cells: int) -> Gates:
    """From now on the simulation makes so many scenes of so many cells, each behind a gate."""
    made = Gates([threading.Event() for _ in range(scenes)])
    render, init = SimulationPipeline.render, SimulationPipeline.__init__

    def wait_and_render(self: SimulationPipeline, task: Any, scratch: Path, control: Any) -> Any:
        while not made.gates[task.scene.index].wait(0.05):
            if control.should_stop():
                raise Stopped("stopped before its gate was opened")
        if task.scene.index in made.broken:
            raise EncodeError("broken by the test")
        return render(self, task, scratch, control)

    monkeypatch.setattr(SimulationPipeline, "__init__", lambda self: init(self, scenes, cells))
    monkeypatch.setattr(SimulationPipeline, "render", wait_and_render)
    return made
