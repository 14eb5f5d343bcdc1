"""Pictures as they are shown: mixed, with what moves in its box and strips on top."""

import numpy as np
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from handlers.generation.encoding.overlays import Rect, Strip, TimedOverlay, Yuv
from handlers.generation.encoding.pictures import PictureStore, blend, planes, strip_mask
from handlers.generation.encoding.timeline import BLANK, FULL_MIX, Shot, plan_timeline

SIZE, SMALL = (64, 32), (32, 16)


def grey(value: int, size: tuple[int, int] = SIZE) -> Yuv:
    return np.full((size[1] * 3 // 2, size[0]), value, np.uint8)


def page(picture: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), {BLANK: 0, 0: 80, 1: 160}[picture], np.uint8)


@given(st.integers(0, FULL_MIX), st.integers(0, 2**32 - 1))
def test_a_mix_is_near_the_exact_one_and_ends_are_exact(mix: int, seed: int) -> None:
    one, other = np.random.default_rng(seed).integers(0, 256, (2, 48, 64), dtype=np.uint8)
    other[5:20] = one[5:20]
    mixed = blend(one, other, mix)
    exact = one + (other.astype(float) - one) * mix / FULL_MIX
    assert np.abs(mixed - exact).max() <= 1.6
    assert (blend(one, other, 0) == one).all()
    assert (blend(one, other, FULL_MIX) == other).all()


@given(
    st.tuples(st.integers(0, 1900), st.integers(0, 1060), st.integers(1, 1920), st.integers(1, 1080)),
    st.sampled_from([(1920, 1080), (1280, 720), (854, 480), (640, 360), (270, 480)]),
)
def test_boxes_are_even_and_inside_whatever_the_size(
    given_box: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    x, y, width, height = given_box
    box = Rect(x=x, y=y, width=width, height=height).scaled((1920, 1080), size)
    assert not any(side % 2 for side in (box.x, box.y, box.width, box.height))
    assert min(box.x, box.y) >= 0
    assert box.width >= 2
    assert box.height >= 2
    assert box.x + box.width <= size[0]
    assert box.y + box.height <= size[1]


@pytest.mark.parametrize("size", [SIZE, SMALL])
def test_an_opaque_strip_covers_its_box_and_nothing_else(size: tuple[int, int]) -> None:
    white = np.full((8, 16, 4), 255, np.uint8)
    shown = strip_mask(Strip(8, 16, white), SIZE, size).over(grey(60, size))
    luma = planes(shown, size)[0]
    by = SIZE[0] // size[0]
    assert np.abs(luma[16 // by : 24 // by, 8 // by : 24 // by].astype(int) - 235).max() <= 1
    assert (luma[: 16 // by] == 60).all()
    assert (luma[:, 24 // by :] == 60).all()


def test_a_clear_strip_changes_nothing_and_half_of_one_half() -> None:
    black = np.zeros((8, 16, 4), np.uint8)
    assert (strip_mask(Strip(0, 0, black), SIZE, SIZE).over(grey(100)) == grey(100)).all()
    black[..., 3] = 128
    luma = planes(strip_mask(Strip(0, 0, black), SIZE, SIZE).over(grey(100)), SIZE)[0]
    assert abs(int(luma[4, 4]) - 58) <= 1  # half of 100 and half of 16


def test_a_strip_that_leaves_the_page_is_cut() -> None:
    white = np.full((40, 100, 4), 255, np.uint8)
    shown = planes(strip_mask(Strip(-10, 20, white), SIZE, SIZE).over(grey(60)), SIZE)[0]
    assert (shown[:20] == 60).all()
    assert (shown[20:] >= 234).all()


@frozen
class Flicker:
    """A box whose luma is its time in tenths of a second."""

    box: Rect = Rect(x=16, y=8, width=16, height=8)
    step: int = 1
    span_s: tuple[float, float] = (1.0, 2.0)

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        return grey(round(at_s * 10), size)


def test_what_moves_is_in_its_box_from_its_reveal_on() -> None:
    store = PictureStore(page, (SIZE, SMALL), (Flicker(),))
    for size, by in ((SIZE, 1), (SMALL, 2)):
        area = (slice(8 // by, 16 // by), slice(16 // by, 32 // by))
        before = planes(store.shown(Shot(start=0, duration=512, picture=0), size), size)[0]
        assert (before == before[0, 0]).all()
        shown = planes(store.shown(Shot(start=15360, duration=512, picture=1), size), size)[0]
        assert (shown[area] == 10).all()
        assert (shown[: 8 // by] == shown[0, 0]).all()
        mixed = planes(store.shown(Shot(start=2 * 15360, duration=512, picture=0, towards=1, mix=128), size), size)[0]
        assert abs(int(mixed[area][0, 0]) - (int(before[0, 0]) + 20) // 2) <= 1


@frozen
class Said:
    start_s: float
    end_s: float
    value: int


def test_an_overlay_is_painted_once_for_each_state_and_cuts_the_timeline() -> None:
    painted = list[int]()

    def paint(state: Said) -> tuple[int, int, np.ndarray]:
        painted.append(state.value)
        return 0, 0, np.full((4, 4, 4), state.value, np.uint8)

    overlay = TimedOverlay([Said(0.5, 1.0, 1), Said(1.0, 1.5, 2)], paint)
    timeline = plan_timeline([], 4, fades=False, cuts_s=overlay.cuts_s)
    strips = [overlay.at(shot.start_s) for shot in timeline.shots]
    assert [round(shot.start_s, 2) for shot in timeline.shots] == [0.0, 0.5, 1.0, 1.5]
    assert [strip and int(strip.rgba[0, 0, 0]) for strip in strips] == [None, 1, 2, None]
    assert painted == [1, 2]
    shown = PictureStore(page, (SIZE,), overlay=overlay).shown(timeline.shots[1], SIZE)
    assert shown.shape == (48, 64)


def test_in_a_moving_span_every_frame_is_one_of_its_own() -> None:
    shots = plan_timeline([], 6, fades=False, moving=[(1.0, 2.0)]).shots
    frames = [(round(shot.start_s * 30), shot.duration // 512) for shot in shots]
    assert frames == [(0, 30), *((n, 1) for n in range(30, 60)), (60, 36)]
    assert sum(shot.duration for shot in shots) == 6 * 8192


def test_text_of_the_page_lies_over_what_fills_it() -> None:
    def layer(picture: int) -> np.ndarray:
        rgba = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
        rgba[2:6, 4:12] = 255 if picture == 1 else 0
        return rgba

    filling = Flicker(Rect(x=0, y=0, width=SIZE[0], height=SIZE[1]))
    for size, by in ((SIZE, 1), (SMALL, 2)):
        store = PictureStore(page, (size,), (filling,), layer=layer)
        for at_s in (1, 2):
            luma = planes(store.shown(Shot(start=at_s * 15360, duration=512, picture=1), size), size)[0]
            assert (luma[2 // by : 6 // by, 4 // by : 12 // by] >= 234).all()
            assert (luma[8 // by :] == at_s * 10).all()
