"""How large the letters of diagrams get."""

from __future__ import annotations

from typing import Final

from handlers.generation.control import Warned
from handlers.generation.pages.diagrams import drawings_of
from handlers.generation.pages.page_data import frame_of
from handlers.generation.script.content import Diagram, Script, cells_of

#: Height of letters on the canvas, in pixels, below which a diagram is hard to read on a phone.
_SMALLEST: Final = 15


def small_diagrams(script: Script) -> list[Warned]:
    """Warn of the diagrams whose letters are small; the room of a diagram is estimated."""
    warnings = []
    for scene in script.scenes:
        frame = frame_of(scene.aspect)
        height = frame.bottom - frame.top - frame.heading_height
        for block in cells_of(scene.blocks):
            drawings = drawings_of(block.source)[1] if isinstance(block, Diagram) else []
            letters = max((min(frame.room / one["w"], height / one["h"]) for one in drawings), default=_SMALLEST)
            if letters < _SMALLEST:
                reason = f"its letters are {letters:.0f} pixels high at 1080p: divide it into several"
                warnings.append(Warned("diagram_small", f"the diagram of scene {scene.index + 1} is small, {reason}"))
    return warnings
