"""Captions in the pictures: what is seen when, and what it looks like."""

from itertools import pairwise

import pytest

from handlers.generation.narration.captions import scene_captions
from handlers.generation.pages import burned_captions
from handlers.generation.pages.burned_captions import caption_states
from tests.support.narration import LONG, narration


def luminance(rgb: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_word_is_highlighted_in_its_time() -> None:
    told = narration(LONG, "And that is that.")
    states = caption_states(told)
    cues = scene_captions(told)
    assert (states[0].start_s, states[-1].end_s) == (cues[0].start_s, cues[-1].end_s)
    for state, following in pairwise(states):
        assert state.start_s < state.end_s <= following.start_s
    spoken = [state.words[state.highlighted].strip() for state in states if state.highlighted is not None]
    assert " ".join(spoken) == f"{LONG} And that is that."
    assert max(len(state.rows) for state in states) == 2


def test_nobody_speaks_nothing_is_seen() -> None:
    assert caption_states(narration()) == ()


@pytest.mark.parametrize("text", [burned_captions.TEXT, burned_captions.SPOKEN], ids=["plain", "spoken"])
@pytest.mark.parametrize("under", [0, 255], ids=["black", "white"])
def test_text_stands_out_from_whatever_is_under_the_box(text: tuple[int, ...], under: int) -> None:
    share = burned_captions.BOX[3] / 255
    ground = tuple(share * c + (1 - share) * under for c in burned_captions.BOX[:3])
    assert contrast(text[:3], ground) >= 7
