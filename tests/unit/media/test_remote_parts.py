"""What is pure about clips: what services say of them, which one suits a scene, and when its pictures are seen."""

from typing import Any

import pytest

from handlers.generation.aspects import aspect_of
from handlers.generation.text_to_video.clip import clip_timeline
from handlers.generation.text_to_video.prompt import seconds_for, size_for
from handlers.generation.text_to_video.status import Cost, State, read_work
from handlers.generation.time_grid import FRAMES_PER_CELL, TICKS_PER_CELL, cells_for


def read(**value: Any) -> Any:
    return read_work({"id": "v1", "status": "queued", **value})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", State.WORKING),
        ("IN-PROGRESS", State.WORKING),
        ("In Progress", State.WORKING),
        ("completed", State.DONE),
        ("Succeeded", State.DONE),
        ("failed", State.FAILED),
        ("CANCELLED", State.FAILED),
        ("upscaling", State.UNKNOWN),
    ],
)
def test_names_of_states(status: str, state: State) -> None:
    assert read(status=status).state is state


@pytest.mark.parametrize(("told", "progress"), [(0, 0), (50, 0.5), (0.5, 0.5), (100, 1), (1.0, 1), (1, 0.01)])
def test_progress_is_percent_or_a_fraction(told: float, progress: float) -> None:
    assert read(progress=told).progress == progress


@pytest.mark.parametrize("told", [None, "50", -1, 101, True, float("nan")])
def test_progress_that_is_none(told: object) -> None:
    assert read(progress=told).progress is None


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ({"cost": 0.4, "currency": "usd"}, Cost("0.4", "USD")),
        ({"cost": {"amount": "1.50", "currency": "EUR"}}, Cost("1.50", "EUR")),
        ({"cost": 3}, Cost("3", "credits")),
        ({"credits": 12}, Cost("12", "credits")),
        ({"cost": 1e-7}, Cost("0.0000001", "credits")),
        ({"cost": 1, "currency": "<script>"}, Cost("1", "credits")),
        ({}, None),
        ({"cost": "NaN"}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": "1e999999"}, None),
        ({"cost": "much"}, None),
        ({"cost": {}}, None),
    ],
)
def test_costs(told: dict[str, Any], cost: Cost | None) -> None:
    assert read(**told).cost == cost


@pytest.mark.parametrize("value", [{"status": "queued"}, {"id": "v1"}, {"id": "v1", "status": 3}])
def test_answers_that_say_nothing(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has no"):
        read_work(value)


def test_errors_are_short_whatever_they_are() -> None:
    assert read(error={"message": " a\n b "}).error == "a b"
    assert read(error=["x"]).error == ""
    assert len(read(error="x" * 10_000).error) == 300


@pytest.mark.parametrize(("cells", "seconds"), [(1, 4), (8, 4), (9, 8), (15, 8), (16, 12), (23, 12), (100, 12)])
def test_the_shortest_clip_that_fills_the_scene(cells: int, seconds: int) -> None:
    assert seconds_for(cells, (4, 8, 12)) == seconds
    lengthened = max(cells, cells_for(seconds))
    assert seconds_for(lengthened, (4, 8, 12)) == seconds  # what is narrated is what is ordered


@pytest.mark.parametrize(("aspect", "size"), [("16:9", (1920, 1080)), ("9:16", (720, 1280)), ("1:1", (1024, 1024))])
def test_the_size_of_the_nearest_shape(aspect: str, size: tuple[int, int]) -> None:
    assert size_for(aspect_of(aspect), ((1280, 720), (1920, 1080), (720, 1280), (1024, 1024))) == size


@pytest.mark.parametrize(("duration_s", "cells"), [(4.0, 8), (4.0, 30), (12.0, 8), (0.01, 3)])
def test_pictures_follow_each_other_and_the_last_one_stays(duration_s: float, cells: int) -> None:
    timeline = clip_timeline(duration_s, cells)
    ends = [shot.start + shot.duration for shot in timeline.shots]
    assert [shot.start for shot in timeline.shots] == [0, *ends[:-1]]
    assert ends[-1] == cells * TICKS_PER_CELL
    assert sum(timeline.segments) == cells
    numbers = [shot.picture for shot in timeline.shots]
    assert numbers == sorted(numbers)
    assert numbers[-1] == min(cells * FRAMES_PER_CELL, max(1, round(duration_s * 30))) - 1
    keys = [shot.start for shot in timeline.shots if shot.keyframe]
    assert keys == [sum(timeline.segments[:n]) * TICKS_PER_CELL for n in range(len(timeline.segments))]
