"""The timeline covers its scene exactly, on the grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.generation import time_grid
from handlers.generation.encoding.timeline import BLANK, FULL_MIX, plan_timeline
from handlers.generation.model import Cue


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Cue], int]:
    cells = draw(st.integers(1, 60))
    length = time_grid.seconds_of(cells)
    times = sorted(draw(st.lists(st.floats(0, length + 1), max_size=12)))
    return [Cue(step, at) for step, at in enumerate(times)], cells


@given(scenes(), st.booleans())
def test_shots_cover_the_scene_without_gap_or_overlap(scene: tuple[list[Cue], int], fades: bool) -> None:
    cues, cells = scene
    shots = plan_timeline(cues, cells, fades=fades).shots
    at = 0
    for shot in shots:
        assert shot.start == at
        assert shot.duration > 0
        assert shot.duration % time_grid.TICKS_PER_FRAME == 0
        at += shot.duration
    assert at == cells * time_grid.TICKS_PER_CELL


@given(scenes(), st.booleans())
def test_each_segment_starts_with_the_only_keyframe_in_it(scene: tuple[list[Cue], int], fades: bool) -> None:
    cues, cells = scene
    timeline = plan_timeline(cues, cells, fades=fades)
    assert sum(timeline.segments) == cells
    assert max(timeline.segments) <= time_grid.MAX_SEGMENT_CELLS
    starts = [sum(timeline.segments[:n]) * time_grid.TICKS_PER_CELL for n in range(len(timeline.segments))]
    assert [shot.start for shot in timeline.shots if shot.keyframe] == starts


@given(scenes(), st.booleans())
def test_crossfades_are_single_frames_between_neighbours(scene: tuple[list[Cue], int], fades: bool) -> None:
    cues, cells = scene
    for shot in plan_timeline(cues, cells, fades=fades).shots:
        if shot.towards is not None:
            assert fades
            assert shot.duration == time_grid.TICKS_PER_FRAME
            assert 0 < shot.mix < FULL_MIX
            assert shot.towards != shot.picture


def test_a_scene_fades_in_reveals_and_fades_out() -> None:
    shots = plan_timeline([Cue(0, 0.4), Cue(1, 2.0)], 10).shots
    held = [(shot.picture, shot.start // time_grid.TICKS_PER_FRAME) for shot in shots if shot.towards is None]
    assert held == [(0, 8), (1, 66), (1, 80), (BLANK, 157)]


def test_cuts_without_fades() -> None:
    shots = plan_timeline([Cue(0, 0.0), Cue(1, 1.0)], 3, fades=False).shots
    assert [(s.picture, s.start // time_grid.TICKS_PER_FRAME) for s in shots] == [(0, 0), (1, 30)]


def test_cues_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        plan_timeline([Cue(1, 2.0), Cue(2, 1.0)], 10)


@given(st.integers(1, 500))
def test_segments_are_few_and_even(cells: int) -> None:
    segments = time_grid.segment_cells(cells)
    assert sum(segments) == cells
    assert len(segments) == -(-cells // time_grid.MAX_SEGMENT_CELLS)
    assert max(segments) - min(segments) <= 1


@given(st.integers(1, 2000))
def test_whole_cells_are_not_rounded_up(cells: int) -> None:
    assert time_grid.cells_for(time_grid.seconds_of(cells)) == cells
    assert time_grid.cells_for(time_grid.seconds_of(cells) + 0.001) == cells + 1
