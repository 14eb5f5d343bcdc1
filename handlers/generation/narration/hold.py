"""A scene that lasts longer than what is said in it: its last picture stays, in silence."""

import wave

from attrs import evolve

from handlers.generation.model import NarratedScene
from handlers.generation.time_grid import SAMPLES_PER_CELL


def held(scene: NarratedScene, cells: int) -> NarratedScene:
    """The scene, at least `cells` long. Its sound file is written anew where that is longer. Blocking."""
    more = cells - scene.duration_cells
    if more <= 0:
        return scene
    if scene.audio is not None:
        with wave.open(str(scene.audio), "rb") as said:
            format_of, samples = said.getparams(), said.readframes(said.getnframes())
        with wave.open(str(scene.audio), "wb") as file:
            file.setparams(format_of)
            file.writeframes(samples + bytes(more * SAMPLES_PER_CELL * format_of.nchannels * format_of.sampwidth))
    return evolve(scene, narration=evolve(scene.narration, duration_cells=cells))
