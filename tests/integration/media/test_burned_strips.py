"""Strips of burned captions, as drawn."""

import numpy as np
import pytest

from handlers.generation.aspects import ASPECTS, Aspect
from handlers.generation.pages import burned_captions
from handlers.generation.pages.burned_captions import CaptionPainter, CaptionState, caption_states
from tests.support.narration import LONG, narration


@pytest.mark.parametrize("aspect", ASPECTS.values(), ids=list(ASPECTS))
def test_strips_stay_inside_the_margins_whatever_is_said(aspect: Aspect) -> None:
    painter = CaptionPainter(aspect)
    columns = burned_captions.columns_of(aspect)
    for text in (LONG, "W" * 100, "Привет, мир", '#read("/etc/passwd") *a* $x$'):
        for state in caption_states(narration(text), columns)[::5]:
            x, y, strip = painter.paint(state)
            high, wide, channels = strip.shape
            assert channels == 4
            assert x >= 0.05 * aspect.width
            assert x + wide <= 0.95 * aspect.width
            assert 0.6 * aspect.height <= y
            assert y + high <= 0.96 * aspect.height


def test_the_highlight_moves_and_nothing_else_does() -> None:
    painter = CaptionPainter(ASPECTS["16:9"])
    rows = (("Nothing ", "is "), ("ever ", "lost."))
    places, strips = set(), []
    for highlighted in (0, 1, 3, None):
        x, y, strip = painter.paint(CaptionState(start_s=0, end_s=1, rows=rows, highlighted=highlighted))
        places.add((x, y, strip.shape))
        strips.append(strip.astype(int))
    assert len(places) == 1
    yellow = [(strip[..., 0] - strip[..., 2] > 100) & (strip[..., 3] > 200) for strip in strips]
    assert not yellow[3].any()
    ranks = [float(np.argwhere(marked).mean(axis=0)[1]) for marked in yellow[:3]]
    assert ranks[0] < ranks[1]
    assert np.argwhere(yellow[0])[:, 0].max() < np.argwhere(yellow[2])[:, 0].min()
    again = painter.paint(CaptionState(start_s=5, end_s=6, rows=rows, highlighted=0))[2]
    assert np.array_equal(again, strips[0])
    with pytest.raises(ValueError, match="read-only"):
        again[0, 0] = 0
