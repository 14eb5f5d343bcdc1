"""Captions that are drawn in have their place to themselves: nothing of a full page lies under two rows of them."""

from __future__ import annotations

import numpy as np
import pytest

from handlers.generation.aspects import aspect_of
from handlers.generation.model import Brief, Style
from handlers.generation.pages.burned_captions import CaptionPainter, caption_states, columns_of
from handlers.generation.pages.draw import ScenePages
from handlers.generation.pages.themes import theme_names
from handlers.generation.script.content import Scene
from handlers.generation.script.script import plan_brief
from tests.support.narration import narration

FULL = "# Deck\n\nFirst.\n\n## Full\n\n" + "\n".join(f"- Point {n}: this page is filled to its end" for n in range(9))
#: Half of the pixels of 1080p in each direction.
DETAIL = 0.5
TWO_ROWS = "Two rows of captions are as much as a viewer reads at a time of them."


def _full_page(aspect: str, theme: str) -> Scene:
    brief = Brief(script=FULL, qualities=("360p",), style=Style(theme=theme, aspect=aspect))
    return plan_brief(brief, theme_names()).script.scenes[1]


@pytest.mark.parametrize("theme", sorted(theme_names()))
@pytest.mark.parametrize("name", ["16:9", "1:1", "9:16"])
def test_no_text_is_shown_in_the_place_of_captions(name: str, theme: str) -> None:
    aspect, scene = aspect_of(name), _full_page(name, theme)
    states = caption_states(narration(TWO_ROWS, per_word_s=0.3), columns_of(aspect))
    state = max(states, key=lambda state: len(state.rows))
    assert len(state.rows) == 2
    _, top, strip = CaptionPainter(aspect, theme, detail=DETAIL).paint(state)
    pages = ScenePages(scene, captioned=True, detail=DETAIL)
    drawn = np.abs(pages.draw(scene.steps - 1).astype(int) - pages.draw(0)).max(axis=(1, 2))
    assert drawn[:top].max() > 50
    assert drawn[top : top + len(strip)].max() < 12
