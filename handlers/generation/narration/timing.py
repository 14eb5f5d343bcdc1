"""How long a page is shown: for reading where nobody speaks, and at least as long as its clips play."""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve

from handlers.generation.errors import UnknownAsset
from handlers.generation.model import AssetFiles, Cue, Narration
from handlers.generation.script.content import (
    Bullet,
    Cell,
    Chart,
    Clip,
    Code,
    Image,
    Math,
    Quote,
    Scene,
    Sentence,
    Spans,
    Table,
)
from handlers.generation.script.inline import plain
from handlers.generation.script.pagination import cells_of, items_of
from handlers.generation.time_grid import LEAD_IN_S, LEAD_OUT_S, cells_for

#: Slower than in a book: what appears has to be found first.
WORDS_PER_MINUTE: Final = 170
#: Characters without spaces between words, read one by one, in words.
_PER_CHARACTER: Final = 0.5
_CHARACTERS: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
#: So many characters are a word at least, where somebody leaves out the spaces.
_LONGEST_WORD: Final = 12
#: Seconds to look at what isn't read word by word, and the least for anything that appears.
_GLANCE_S: Final = 0.9
_PICTURE_S: Final = 4.0
_FORMULA_S: Final = 4.0
_CODE_LINE_S: Final = 1.1
_LONGEST_LOOK_S: Final = 25.0


def says_something(scene: Scene) -> bool:
    """Whether there is anything to speak."""
    return any(any(map(str.isalnum, line.text)) for line in scene.lines)


def read_scene(scene: Scene, rate: float) -> Narration:
    """When things appear while they are read in silence, `rate` times as fast as usual."""
    times = dict.fromkeys(range(scene.steps), 0.0)
    if scene.heading:
        times[0] += _words(scene.heading) * 60 / WORDS_PER_MINUTE
    for cell in cells_of(scene.blocks):
        for part in items_of(cell) or (cell,):
            step = part.step  # type: ignore[union-attr]
            times[step] = times.get(step, 0.0) + _look_s(part)
    cues: list[Cue] = []
    at = LEAD_IN_S
    for step in range(scene.steps):
        cues.append(Cue(step, at))
        at += max(_GLANCE_S, times[step]) / rate
    return Narration(cells_for(at + LEAD_OUT_S), tuple(cues))


def outlast_clips(narration: Narration, scene: Scene, assets: AssetFiles) -> Narration:
    """The narration, ending no sooner than the scene's clips. Raises UnknownAsset for what is no clip or picture."""
    starts = {cue.step: cue.start_s for cue in narration.cues}
    cells = narration.duration_cells
    for block in cells_of(scene.blocks):
        if isinstance(block, Image | Clip) and (asset := assets.get(block.asset)) is not None:
            if asset.kind != block.kind:
                raise UnknownAsset(f"asset {block.asset} is no {block.kind}: it holds {asset.media_type}")
            if isinstance(block, Clip):
                cells = max(cells, cells_for(starts.get(block.step, LEAD_IN_S) + (asset.duration_s or 0.0)))
    return evolve(narration, duration_cells=cells)


def _look_s(part: Bullet | Sentence | Cell | Clip) -> float:
    """Seconds at the usual rate."""
    match part:
        case Image():
            return _PICTURE_S
        case Clip():
            return _GLANCE_S
        case Math():
            return _FORMULA_S
        case Chart():
            return min(_LONGEST_LOOK_S, _PICTURE_S + 0.5 * len(part.labels) * len(part.series))
        case Code():
            lines = sum(1 for line in part.text.split("\n") if line.strip())
            return min(_LONGEST_LOOK_S, _GLANCE_S + _CODE_LINE_S * lines)
        case Table():
            words = sum(_words(cell) for row in (part.header, *part.rows) for cell in row)
        case Quote():
            words = _words(part.spans) + _words(part.source)
        case Bullet() | Sentence():
            words = _words(part.spans)
        case _:
            words = _words(getattr(part, "spans", ()))
    return words * 60 / WORDS_PER_MINUTE


def _words(spans: Spans) -> float:
    text = plain(spans)
    rest, characters = _CHARACTERS.subn(" ", text)
    return characters * _PER_CHARACTER + max(len(rest.split()), len(rest.strip()) / _LONGEST_WORD)
