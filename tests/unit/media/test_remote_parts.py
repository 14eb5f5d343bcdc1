"""What is pure about clips: what services say of them, which one suits a scene, and when its pictures are seen."""

from typing import Any

import pytest

from eventflow.settings.services import REMOTE_DIALECTS
from handlers.generation.aspects import aspect_of
from handlers.generation.text_to_video.clip import clip_timeline
from handlers.generation.text_to_video.clip_request import ClipRequest
from handlers.generation.text_to_video.dialects import DIALECTS, resolution_of, shape_of
from handlers.generation.text_to_video.json_pointers import value_at
from handlers.generation.text_to_video.model_limits import ModelLimits, limits_of
from handlers.generation.text_to_video.prompt import seconds_for, size_for
from handlers.generation.text_to_video.status import Cost, State, read_order, read_work
from handlers.generation.time_grid import FRAMES_PER_CELL, TICKS_PER_CELL, cells_for


def read(**value: Any) -> Any:
    return read_work({"id": "v1", "status": "queued", **value}, DIALECTS["openai"], "v1")


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
        *((word, State.WORKING) for word in ("throttled", "in_queue", "IN_QUEUE", "not_start", "dreaming", "Queueing")),
        *((word, State.FAILED) for word in ("content_filtered", "NSFW", "content-moderation", "policy_violation")),
        ("request rejected", State.FAILED),
    ],
)
def test_names_of_states(status: str, state: State) -> None:
    assert read(status=status).state is state


def test_an_unknown_status_with_an_error_has_failed_and_a_known_one_is_what_it_says() -> None:
    assert read(status="upscaling", error={"message": "flagged"}).state is State.FAILED
    assert read(status="in_progress", error={"message": "slow"}).state is State.WORKING
    assert read(status="in_progress", error={}).state is State.WORKING


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
        ({"usage": {"cost": 0.5}}, Cost("0.5", "USD")),
        ({"outputs": {"video_url": "https://h/x.mp4", "cost": 0.8}}, Cost("0.8", "USD")),
        ({"cost": None, "usage": {"cost": "1.25"}}, Cost("1.25", "USD")),
        ({"cost": {"amount": 2}, "currency": "eur"}, Cost("2", "EUR")),
        ({"cost": 1e-7}, Cost("0.0000001", "credits")),
        ({"cost": 1, "currency": "<script>"}, Cost("1", "credits")),
        ({}, None),
        ({"cost": "NaN"}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": "1e999999"}, None),
        *(({"cost": text}, None) for text in ("1e-999999999", "0e999999999", "0e-999999999", "1" * 33, "", "Infinity")),
        ({"cost": "much"}, None),
        ({"cost": {}}, None),
    ],
)
def test_costs(told: dict[str, Any], cost: Cost | None) -> None:
    assert read(**told).cost == cost


@pytest.mark.parametrize("value", [{"id": "v1"}, {"id": "v1", "status": 3}, {}])
def test_answers_that_say_nothing(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has no status"):
        read_work(value, DIALECTS["openai"], "v1")


def test_an_answer_about_another_clip() -> None:
    with pytest.raises(ValueError, match="is about 'v2', not about 'v1'"):
        read_work({"id": "v2", "status": "completed"}, DIALECTS["openai"], "v1")
    assert read_work({"request_id": "r-77", "status": "completed"}, DIALECTS["openai"], "v1").state is State.DONE


IDS: list[tuple[Any, str | None]] = [
    ({"id": "video_bGl0ZWxsbTpjdXN0b20="}, "video_bGl0ZWxsbTpjdXN0b20="),
    ({"id": "x" * 1_000}, "x" * 1_000),
    ({"id": 4711}, "4711"),
    ({"name": "models/veo-3.1/operations/abc"}, "models/veo-3.1/operations/abc"),
    ({"id": "../admin"}, "../admin"),
    ({"request_id": "764cabcf-b745"}, "764cabcf-b745"),
    ({"code": 0, "request_id": "r", "data": {"task_id": "t-1", "task_status": "submitted"}}, "t-1"),
    ({"task": {"id": "t-2"}}, "t-2"),
    ({"id": None, "task_id": "t-3"}, "t-3"),
    ({"status": "completed", "data": [{"url": "https://h/x.mp4"}]}, None),
    ([{"id": "v"}], None),
    ("video_1", None),
]


BAD_IDS: list[Any] = ["", ".", "..", " ", "x" * 1_001, True, 1.5, ["a"], {}]


@pytest.mark.parametrize(("value", "remote_id"), [*IDS, *(({"id": bad}, None) for bad in BAD_IDS)])
def test_ids_of_orders(value: Any, remote_id: str | None) -> None:
    assert read_order(value, DIALECTS["openai"]) == remote_id


def test_ids_are_one_segment_of_a_path() -> None:
    path = DIALECTS["openai"].path_of("/videos/{id}/content", "../a b=é?{id}")
    assert path == "/videos/..%2Fa%20b%3D%C3%A9%3F%7Bid%7D/content"


REASONS = [
    {"error": "too wet"},
    {"error": {"message": "too wet"}},
    {"error": {"message": "Provider returned error", "metadata": {"raw": "too wet"}}},
    {"error": {"code": "too wet"}},
    {"error_message": "too wet"},
    {"failure": "too wet", "failureCode": "SAFETY.1"},
    {"failureCode": "too wet"},
    {"detail": [{"msg": "too wet"}]},
    {"detail": "too wet"},
    {"data": {"task_status_msg": "too wet"}},
    {"info": {"errors": ["too wet"]}},
]


@pytest.mark.parametrize("told", REASONS)
def test_where_services_say_why(told: dict[str, Any]) -> None:
    assert read(status="failed", **told).error == "too wet"


ADDRESSES = [
    ("openrouter", {"unsigned_urls": ["https://h/x.mp4"]}),
    ("together", {"outputs": {"video_url": "https://h/x.mp4", "cost": 0.8}}),
    ("openai", {"output": {"videos": [{"url": "https://h/x.mp4"}]}}),
    ("openai", {"output": "https://h/x.mp4"}),
    ("openai", {"output": ["https://h/x.mp4"]}),
    ("openai", {"result": {"video_url": "https://h/x.mp4"}}),
    ("openai", {"data": [{"url": "https://h/x.mp4"}]}),
    ("openai", {"url": "https://h/x.mp4"}),
]


@pytest.mark.parametrize(("dialect", "told"), ADDRESSES)
def test_where_clips_are(dialect: str, told: dict[str, Any]) -> None:
    work = read_work({"status": "completed", **told}, DIALECTS[dialect], "v1")
    assert work.addresses == ("https://h/x.mp4",)


WANTED = ClipRequest(prompt="The sea.", seconds=8, size=(1280, 720), idempotency_key="k")


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        ("openai", {"seconds": "8", "size": "1280x720"}),
        ("openai-form", {"seconds": "8", "size": "1280x720"}),
        ("openrouter", {"duration": 8, "aspect_ratio": "16:9", "resolution": "720p"}),
        ("together", {"seconds": "8", "width": 1280, "height": 720}),
    ],
)
def test_bodies_of_orders(dialect: str, fields: dict[str, Any]) -> None:
    assert DIALECTS[dialect].body(WANTED) == {"prompt": "The sea.", **fields}


def test_the_settings_name_these_dialects() -> None:
    assert tuple(DIALECTS) == REMOTE_DIALECTS


@pytest.mark.parametrize(
    ("size", "shape", "resolution"),
    [
        ((1280, 720), "16:9", "720p"),
        ((720, 1280), "9:16", "720p"),
        ((854, 480), "16:9", "480p"),
        ((1024, 1024), "1:1", "1024p"),
        ((3840, 2160), "16:9", "4K"),
        ((1792, 768), "21:9", "768p"),
    ],
)
def test_shapes_and_resolutions(size: tuple[int, int], shape: str, resolution: str) -> None:
    assert (shape_of(size), resolution_of(size)) == (shape, resolution)


LISTING = {
    "data": [
        {"id": "other/model", "supported_durations": [3]},
        {
            "id": "google/veo-3.1",
            "supported_durations": [5, 10, "x", True, -1],
            "supported_resolutions": ["480p", "720p", "4K", 7],
            "supported_aspect_ratios": ["16:9", "9:16", "wide"],
            "supported_sizes": None,
            "pricing_skus": {"per-video-second": "0.50"},
        },
    ]
}


def test_what_a_model_allows() -> None:
    limits = limits_of(LISTING, "google/veo-3.1")
    assert limits is not None
    assert limits.seconds == (5, 10)
    assert limits.sizes == ((480, 854), (720, 1280), (854, 480), (1280, 720), (2160, 3840), (3840, 2160))
    assert limits.prices == {"per-video-second": "0.50"}
    assert limits.seconds_for((4, 8, 12)) == (5, 10)
    assert limits.sizes_for(((1920, 1080), (720, 1280))) == ((1280, 720), (720, 1280))
    assert limits_of(LISTING, "none") is None
    assert limits_of({"data": "x"}, "m") is limits_of("x", "m") is limits_of([7], "m") is None
    assert ModelLimits().seconds_for((4, 8)) == (4, 8)


def test_pointers() -> None:
    document = {"a": [{"b/c": 1}, None], "~": 2}
    assert value_at(document, "/a/0/b~1c") == 1
    assert value_at(document, "/~0") == 2
    for missing in ("/a/1", "/a/2", "/a/-1", "/a/x", "/b", "/a/0/b/c", "/a/99999999999999999999"):
        assert value_at(document, missing) is None, missing


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
