"""Chooses prompt, length and size of a clip for a scene."""

from __future__ import annotations

from typing import Final

from handlers.generation.aspects import Aspect
from handlers.generation.script.content import Scene
from handlers.generation.time_grid import cells_for

MAX_CHARS: Final = 3_000
_MANNER: Final = "No text, captions, subtitles or logos in the picture."


def prompt_of(scene: Scene) -> str:
    """Write the prompt of a scene's clip: the directions of its script, else its heading and its narration."""
    if scene.hint:
        return f"{' '.join(scene.hint.split())[: MAX_CHARS - len(_MANNER) - 1]} {_MANNER}"
    title = "".join(span.text for span in scene.heading).strip()
    said = " ".join(line.text.strip() for line in scene.lines if line.text.strip())
    about = f"A scene of a video about {scene.deck}." if scene.deck else "A scene of a video."
    words = " ".join(f"{about} {title and title + '.'} {said}".split())
    return f"{words[: MAX_CHARS - len(_MANNER) - 1]} {_MANNER}"


def seconds_for(cells: int, lengths: tuple[int, ...]) -> int:
    """Choose the shortest of `lengths` (seconds, ascending) that fills `cells` when rounded up, else the longest."""
    return next((each for each in lengths if cells_for(each) >= cells), lengths[-1])


def size_for(aspect: Aspect, sizes: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Choose the size whose shape is nearest to the aspect's; among equal shapes the largest."""
    wanted = aspect.width / aspect.height

    def distance(size: tuple[int, int]) -> tuple[float, int]:
        shape = size[0] / size[1]
        return max(shape / wanted, wanted / shape), -size[0] * size[1]

    return min(sizes, key=distance)
