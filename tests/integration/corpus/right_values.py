"""Compares a planned text with the right values that stand beside it.

Texts are compared without blanks, marks of emphasis and case: where a line breaks is no question of content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import fields, frozen, has

from eventflow.domain.values import PictureAsset
from handlers.generation.model import Brief, Voice
from handlers.generation.pages.themes import THEMES
from handlers.generation.script.content import Diagram, Math, Script, Span
from handlers.generation.script.inline import plain
from handlers.generation.script.script import PlannedScript, open_script, pictures_of, plan_brief

_ASSET = "as_0123456789abcdef0123456789abcdef"
TEXTS = Path(__file__).parent / "texts"
#: Fields of blocks that are not drawn as text.
_UNSEEN = {"kind", "asset", "fit", "motion", "step", "style", "language", "theme", "aspect", "layout", "deck", "lines"}


@frozen
class Text:
    """A text with its right values, as the package's docstring describes them."""

    path: Path
    want: dict[str, Any]

    def __str__(self) -> str:
        return str(self.path.relative_to(TEXTS))

    def speaks(self, tag: str) -> bool:
        """Tell whether the language of the voice that reads the text is that of a tag."""
        language = self.want.get("voice", "en-us").split("-")[0]
        return {"cmn": "zh"}.get(language, language) == tag.split("-")[0]

    def plan(self) -> PlannedScript:
        """Plan the text; its pictures are there."""
        voice = Voice(self.want.get("voice", "en-us"), 1.0)
        script = self.path.read_bytes().decode("utf-8")
        known = {each.address: PictureAsset(each.address, _ASSET) for each in pictures_of(open_script(script))}
        return plan_brief(Brief(script=script, voice=voice, qualities=("720p",), pictures=known), THEMES)


def texts() -> list[Text]:
    """Return all texts of the corpus."""
    values = sorted(TEXTS.glob("*/*/*.json"))
    return [
        Text(next(path for path in each.parent.glob(f"{each.stem}.*") if path != each), json.loads(each.read_text()))
        for each in values
    ]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"[*_`~\\]+", "", text)).casefold()


def folded(text: str) -> str:
    return re.sub(r"\s+", "", text).casefold()


def shown(script: Script) -> Iterator[str]:
    """Yield what the pages of a script show."""
    for scene in script.scenes:
        yield from _texts(scene.heading)
        yield from _texts(scene.blocks)


def said(script: Script) -> str:
    return " ".join(line.text for scene in script.scenes for line in scene.lines)


def faults(text: Text, planned: PlannedScript) -> list[str]:
    """Return how a planned text differs from its right values."""
    want, script, reading = text.want, planned.script, planned.reading
    assert reading is not None
    spoken, drawn = folded(said(script)), folded(f"{' '.join(shown(script))} {script.title}")
    never = want.get("never", ())
    heard, seen = squeezed(said(script)), squeezed(f"{' '.join(shown(script))} {script.title}")
    found = [f"not said: {each!r}" for each in want.get("said", ()) if squeezed(each) not in heard]
    found += [f"not shown: {each!r}" for each in want.get("shown", ()) if squeezed(each) not in seen]
    found += [f"said: {each!r}" for each in never if folded(each) in spoken]
    found += [f"shown: {each!r}" for each in never if folded(each) in drawn]
    if want.get("said_only") and (more := _beyond(heard, want["said"])):
        found.append(f"said, too: {more!r}")
    scenes = sum(1 for scene in script.scenes if scene.part == 1)
    if scenes != want.get("scenes", scenes):
        found.append(f"{scenes} scenes, not {want['scenes']}")
    if squeezed(want.get("title", script.title)) != squeezed(script.title):
        found.append(f"the title is {script.title!r}")
    if reading.shape != want["shape"]:
        found.append(f"read as {reading.shape}, not {want['shape']}: {reading.because}")
    left_out = squeezed(" ".join(each.text for each in reading.left_out))
    return [
        *found,
        *(f"not in left_out: {each!r}" for each in want.get("left_out", ()) if squeezed(each) not in left_out),
    ]


def _beyond(heard: str, wanted: list[str]) -> str:
    for each in wanted:
        heard = heard.replace(squeezed(each), "", 1)
    return re.sub(r"[\W_]+", "", heard)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Math | Diagram):  # drawn, not written
        return
    elif isinstance(value, tuple):
        if value and all(isinstance(each, Span) for each in value):
            yield plain(tuple(each for each in value if each.kind != "math"))
        else:
            for each in value:
                yield from _texts(each)
    elif has(type(value)):
        for field in fields(type(value)):
            if field.name not in _UNSEEN:
                yield from _texts(getattr(value, field.name))
