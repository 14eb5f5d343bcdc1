"""A scene that lasts longer than what is said in it: its last picture stays, in silence.

How long a page is shown: for reading where nobody speaks, and at least as long as its clips play.
"""

from __future__ import annotations

import re
import wave
from typing import Final

from attrs import evolve

from handlers.generation.errors import UnknownAsset
from handlers.generation.model import AssetFiles, Cue, NarratedScene, Narration
from handlers.generation.script.content import (
    Bullet,
    Cell,
    Chart,
    Clip,
    Code,
    Diagram,
    Footnotes,
    Image,
    Math,
    Quote,
    Scene,
    Sentence,
    Spans,
    Table,
    cells_of,
    items_of,
)
from handlers.generation.script.graphemes import clusters
from handlers.generation.script.inline import plain
from handlers.generation.script.mermaid.read import names_of
from handlers.generation.time_grid import LEAD_IN_S, LEAD_OUT_S, SAMPLES_PER_CELL, cells_for

#: Reading speed. Silent reading of English averages 238 words a minute (Brysbaert 2019); 170 leaves time to find each
#: new item on the page.
WORDS_PER_MINUTE: Final = 170
#: Words that a character of a script without spaces counts for.
_PER_CHARACTER: Final = 0.5
_CHARACTERS: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
#: Words that a cluster counts for in the scripts of South-East Asia without spaces, where a word has three on average.
_PER_CLUSTER: Final = 1 / 3
_RUNS: Final = re.compile(r"[\u0e00-\u109f\u1780-\u17ff]++")
#: Every so many characters count as a word, in texts without spaces.
_LONGEST_WORD: Final = 12
#: Seconds: the least for any reveal, a picture, a formula, a line of code, a name in a diagram; the most for one item.
_GLANCE_S: Final = 0.9
_PICTURE_S: Final = 4.0
_FORMULA_S: Final = 4.0
_CODE_LINE_S: Final = 1.1
_NAME_S: Final = 0.7
_LONGEST_LOOK_S: Final = 25.0


def has_speech(scene: Scene) -> bool:
    """Tell whether any line of the scene has something to speak."""
    return any(any(map(str.isalnum, line.text)) for line in scene.lines)


def reading_narration(scene: Scene, rate: float) -> Narration:
    """Time the reveals of a scene for silent reading, `rate` times as fast as usual."""
    times = dict.fromkeys(range(scene.steps), 0.0)
    if scene.heading:
        times[0] += _words(scene.heading) * 60 / WORDS_PER_MINUTE
    for cell in cells_of(scene.blocks):
        for part in items_of(cell) or (cell,):
            step = part.step  # type: ignore[union-attr]
            times[step] = times.get(step, 0.0) + _reading_s(part)
    cues: list[Cue] = []
    at = LEAD_IN_S
    pauses = dict.fromkeys(range(scene.steps), 0.0)
    for line in scene.lines:
        pauses[line.step] += line.pause_s
    for step in range(scene.steps):
        cues.append(Cue(step, at))
        at += max(_GLANCE_S, times[step]) / rate + pauses[step]
    return Narration(duration_cells=cells_for(at + LEAD_OUT_S), cues=tuple(cues))


def outlast_clips(narration: Narration, scene: Scene, assets: AssetFiles) -> Narration:
    """Extend a narration to the end of the scene's clips. Raises UnknownAsset for an asset of the wrong kind."""
    starts = {cue.step: cue.start_s for cue in narration.cues}
    cells = narration.duration_cells
    for block in cells_of(scene.blocks):
        if isinstance(block, Image | Clip) and (asset := assets.get(block.asset)) is not None:
            if asset.kind != block.kind:
                raise UnknownAsset(f"asset {block.asset} must be of kind {block.kind}; it is {asset.media_type}")
            if isinstance(block, Clip):
                cells = max(cells, cells_for(starts.get(block.step, LEAD_IN_S) + (asset.duration_s or 0.0)))
    return evolve(narration, duration_cells=cells)


def fill_wish(narration: Narration, scene: Scene) -> Narration:
    """Extend a narration to the length that the script wishes for its scene."""
    if scene.wished_s is None:
        return narration
    return evolve(narration, duration_cells=max(narration.duration_cells, cells_for(scene.wished_s)))


#: A scene may be longer than its script wishes by so many seconds without a warning.
LENIENT_S: Final = 0.5


def over_wish(narration: Narration, scene: Scene) -> str | None:
    """Say by how much a scene is longer than its script wishes; None where it isn't."""
    if scene.wished_s is None or narration.duration_s <= scene.wished_s + LENIENT_S:
        return None
    return f"the script gives this scene {scene.wished_s:.1f} s; what is said takes {narration.duration_s:.1f} s"


def _reading_s(part: Bullet | Sentence | Cell | Clip) -> float:
    """Return the reading time of an item in seconds at rate 1."""
    match part:
        case Image():
            return _PICTURE_S
        case Clip():
            return _GLANCE_S
        case Math():
            return _FORMULA_S
        case Chart():
            return min(_LONGEST_LOOK_S, _PICTURE_S + 0.5 * len(part.labels) * len(part.series))
        case Diagram():
            return min(_LONGEST_LOOK_S, _PICTURE_S + _NAME_S * len(names_of(part)[1]))
        case Code():
            lines = sum(1 for line in part.text.split("\n") if line.strip())
            return min(_LONGEST_LOOK_S, _GLANCE_S + _CODE_LINE_S * lines)
        case Table():
            words = sum(_words(cell) for row in (part.header, *part.rows) for cell in row)
        case Quote():
            words = _words(part.spans) + _words(part.source)
        case Bullet() | Sentence():
            words = _words(part.spans)
        case Footnotes():
            words = sum(_words(note.spans) for note in part.notes)
        case _:
            words = _words(getattr(part, "spans", ()))
    return words * 60 / WORDS_PER_MINUTE


def _words(spans: Spans) -> float:
    text = plain(spans)
    rest, characters = _CHARACTERS.subn(" ", text)
    letters = sum(len(clusters(run)) for run in _RUNS.findall(rest))
    rest = _RUNS.sub(" ", rest)
    return (
        characters * _PER_CHARACTER + letters * _PER_CLUSTER + max(len(rest.split()), len(rest.strip()) / _LONGEST_WORD)
    )


def hold_scene(scene: NarratedScene, cells: int) -> NarratedScene:
    """Extend a scene to at least `cells`: its last picture stays, in silence. Rewrites its sound file. Blocking."""
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
