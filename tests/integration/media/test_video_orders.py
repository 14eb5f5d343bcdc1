"""Orders of clips: as they arrive, what the history has of them, how attempts and runs go on with them. Real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import evolve

from eventflow.domain.remote_orders import RemoteOrder
from eventflow.domain.values import OrderOutcome
from handlers.generation.control import Control, Note, RemoteEnded, RemoteOrdered
from handlers.generation.errors import Stopped
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.text_to_video.client import MAX_RECORDED_CHARS
from handlers.generation.text_to_video.errors import OrderUnknown, RemoteLate
from handlers.generation.text_to_video.model_limits import known_limits
from handlers.generation.text_to_video.order import EarlierOrders
from handlers.media.errors import MediaError
from tests.support.video_orders import WANTED, elsewhere, json, orders
from tests.support.video_server import KEY, Odd, VideoService, answer, hangs, make_clip, raw, video_service


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(1, (160, 90), rate=10, sound=False)


@pytest.fixture
def service(clip: bytes) -> Iterator[VideoService]:
    with video_service(clip) as service:
        yield service


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def going_on(service: VideoService, order: RemoteOrder, *, run: int = 1, taken: int = 1, **changes: Any) -> list[Note]:
    """Obtain the clip with the order of an earlier attempt; returns what is noted."""
    notes: list[Note] = []
    making = evolve(orders(service, **{"timeout_s": 4_000.0, **changes}), now=lambda: AT + timedelta(seconds=3_000))
    with TemporaryDirectory() as folder:
        making.obtain(WANTED, EarlierOrders(order, taken, run), Path(folder) / "clip", Control(note=notes.append))
    return notes


def of_earlier(**changes: Any) -> RemoteOrder:
    usual = RemoteOrder(
        run=1,
        scene=0,
        service="remote",
        order="00-ab-0-1-0",
        request=WANTED.summary("tide-1"),
        ordered_at=AT,
        remote_id="video_1",
    )
    return evolve(usual, **changes)


def test_what_was_answered_is_in_the_history_without_the_key(service: VideoService, tmp_path: Path) -> None:
    body = f'{{"status": "queued", "for": "{KEY}", "pad": "{"x" * 10_000}"}}'.encode()
    service.odd["submit"] = [json(body)]
    notes: list[Note] = []
    with pytest.raises(OrderUnknown, match="00-ab-0-1-0"):
        orders(service).obtain(WANTED, EarlierOrders(), tmp_path / "clip", Control(note=notes.append))
    ordered, ended = notes
    assert isinstance(ordered, RemoteOrdered)
    assert ordered.request == "tide-1, 8 s, 1280x720, prompt " + ordered.request.split()[-1]
    assert isinstance(ended, RemoteEnded)
    assert ended.answer == body.decode().replace(KEY, "[key]")[:MAX_RECORDED_CHARS]


BODIES = [
    ("openai", {"seconds": "8", "size": "1280x720"}),
    ("openai-form", {"seconds": "8", "size": "1280x720"}),
    ("openrouter", {"duration": 8, "aspect_ratio": "16:9", "resolution": "720p"}),
    ("together", {"seconds": "8", "width": 1280, "height": 720}),
]


@pytest.mark.parametrize(("dialect", "fields"), BODIES)
def test_orders_as_they_arrive(dialect: str, fields: dict[str, Any], service: VideoService, tmp_path: Path) -> None:
    service.extra = {"video_url": "/elsewhere"}
    orders(service, dialect=dialect).obtain(WANTED, EarlierOrders(), tmp_path / "clip", Control())
    (order,) = service.asked("submit")
    assert order.body == {"model": "tide-1", "prompt": "The sea rises.", **fields}
    form = dialect == "openai-form"
    assert order.headers["Content-Type"].partition(";")[0] == ("multipart/form-data" if form else "application/json")
    assert bool(service.asked("content")) is (dialect != "together")


@pytest.mark.parametrize("dialect", ["openai", "openai-form"])
def test_headers_and_params_go_to_the_service_alone(dialect: str, service: VideoService, tmp_path: Path) -> None:
    service.has_content, service.extra = False, {"video_url": elsewhere(service)}
    making = orders(
        service,
        dialect=dialect,
        content_hosts=("localhost",),
        headers={"X-Org": "one", "Authorization": None},
        params={"seconds": None, "quality": "high"},
    )
    making.obtain(WANTED, EarlierOrders(), tmp_path / "clip", Control())
    (order,) = service.asked("submit")
    assert order.body == {"model": "tide-1", "prompt": "The sea rises.", "size": "1280x720", "quality": "high"}
    assert {asked.headers.get("X-Org") for asked in service.journal if asked.what != "elsewhere"} == {"one"}
    assert not any("Authorization" in asked.headers for asked in service.journal)
    (away,) = service.asked("elsewhere")
    assert "X-Org" not in away.headers


def test_ids_are_quoted_wherever_they_stand(service: VideoService, tmp_path: Path) -> None:
    service.ids = ["a/b=c"]
    orders(service).obtain(WANTED, EarlierOrders(), tmp_path / "clip", Control())
    assert {asked.path for asked in service.asked("status")} == {"/v1/videos/a%2Fb%3Dc"}
    assert [asked.path for asked in service.asked("content")] == ["/v1/videos/a%2Fb%3Dc/content"]


@pytest.mark.parametrize(("dialect", "cancels"), [("openai", True), ("openrouter", False)])
def test_clips_are_cancelled_where_services_can(dialect: str, cancels: bool, service: VideoService) -> None:
    service.released.clear()
    control = Control(should_stop=lambda: bool(service.asked("status")), unwanted=lambda: True)
    with pytest.raises(Stopped):
        orders(service, dialect=dialect).obtain(WANTED, EarlierOrders(), Path("none"), control)
    assert bool(service.asked("cancel")) is cancels


def test_the_time_for_a_clip_counts_from_its_order(service: VideoService) -> None:
    service.order("earlier")
    service.released.clear()
    with pytest.raises(RemoteLate, match=r"reprocess the scene to wait for it again.*nothing is ordered"):
        going_on(service, of_earlier(), timeout_s=2_000.0)
    assert len(service.asked("status")) == 1
    assert not service.asked("submit")


def test_a_later_run_waits_anew_for_a_clip_that_was_late(service: VideoService) -> None:
    service.order("earlier")
    service.polls = 3
    assert going_on(service, of_earlier(), run=2, taken=0, timeout_s=2_000.0) == []
    assert not service.asked("submit")


def test_a_clip_that_was_paid_for_is_fetched_by_a_later_run(service: VideoService) -> None:
    """The host of clips wasn't named, and is by now."""
    service.has_content, service.extra = False, {"video_url": elsewhere(service), "cost": 1, "currency": "USD"}
    with pytest.raises(ServiceRefused, match="EVENTFLOW_REMOTE_CONTENT_HOSTS"):
        going_on(service, of_earlier(remote_id=service.order("earlier")))
    going_on(service, of_earlier(), run=2, taken=0, content_hosts=("localhost",))
    assert not service.asked("submit")
    assert len(service.asked("elsewhere")) == 1


@pytest.mark.parametrize(
    ("name", "changes", "tells"),
    [
        ("something else is wanted", {"request": "tide-1, 4 s, 1280x720, prompt 0"}, {}),
        ("version 0.1 didn't say what it ordered", {"request": ""}, {}),
        ("it failed at the service", {}, {"status": [json(b'{"status": "failed"}')]}),
        ("nobody knows it any more", {"remote_id": "video_9"}, {}),
        ("it is nowhere", {}, {"content": [answer(404)] * 5}),
        ("it can't be read", {}, {"content": [raw(b"no clip")] * 5}),
    ],
)
def test_a_later_run_orders_another_clip_where(
    name: str, changes: dict[str, Any], tells: dict[str, list[Odd]], service: VideoService
) -> None:
    service.order("earlier")
    service.odd = {what: list(answers) for what, answers in tells.items()}
    notes = going_on(service, of_earlier(**changes), run=2, taken=0)
    assert len(service.asked("submit")) == 1, name
    looked = bool(changes.get("request") is None)
    assert [note.outcome for note in notes if isinstance(note, RemoteEnded)] == [OrderOutcome.FAILED] * looked


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"remote_id": None}, "remote_order_unknown"),
        ({"remote_id": None, "outcome": OrderOutcome.UNKNOWN, "answer": "{}"}, "remote_order_unknown"),
        ({"outcome": OrderOutcome.FAILED, "answer": "(failed)"}, "remote_failed"),
    ],
)
def test_an_attempt_after_the_last_word_says_it_again(
    changes: dict[str, Any], code: str, service: VideoService
) -> None:
    with pytest.raises(MediaError) as caught:
        going_on(service, of_earlier(**changes))
    assert caught.value.code == code
    assert not caught.value.retryable
    assert not service.journal


def test_an_order_that_was_refused_is_sent_by_the_next_attempt(service: VideoService) -> None:
    going_on(service, of_earlier(remote_id=None, outcome=OrderOutcome.REFUSED), taken=0)
    assert len(service.asked("submit")) == 1


def test_a_service_that_is_not_there_took_no_order(service: VideoService, unused_tcp_port: int) -> None:
    notes: list[Note] = []
    making = orders(service, url=f"http://127.0.0.1:{unused_tcp_port}/v1", busy_s=0.1)
    with pytest.raises(ServiceFailed, match="can't be reached"):
        making.obtain(WANTED, EarlierOrders(), Path("none"), Control(note=notes.append))
    assert len(notes) > 2  # it was tried again
    assert {note.outcome for note in notes if isinstance(note, RemoteEnded)} == {OrderOutcome.REFUSED}


def test_a_service_that_asks_for_no_pause_does_not_fill_the_history(service: VideoService) -> None:
    service.odd["submit"] = [answer(429, Retry_After="0")] * 1_000
    notes: list[Note] = []
    with pytest.raises(ServiceFailed, match="429"):
        orders(service, busy_s=0.3).obtain(WANTED, EarlierOrders(), Path("none"), Control(note=notes.append))
    assert 2 < len(notes) <= 12  # after 20, 40, 80 and 160 ms


LISTING = {
    "data": [{"id": "tide-1", "supported_durations": [5, 10], "supported_sizes": ["1920x1080", "1080x1920"]}],
}


def test_what_the_model_allows_is_asked_once(service: VideoService) -> None:
    service.listing = LISTING
    known = known_limits(orders(service, dialect="openrouter").client)
    for _ in range(2):
        assert known.get().seconds_for((4, 8, 12)) == (5, 10)
        assert known.get().sizes_for(((1280, 720), (720, 1280))) == ((1920, 1080), (1080, 1920))
    assert len(service.asked("models")) == 1


@pytest.mark.parametrize("odd", [answer(404), answer(500), raw(b"no JSON"), hangs, json(b"[7]")])
def test_where_the_service_does_not_tell_the_settings_count(odd: Odd, service: VideoService) -> None:
    service.odd["models"] = [odd]
    known = known_limits(orders(service, dialect="openrouter").client)
    assert known.get().seconds_for((4, 8)) == (4, 8)
    assert known.get().sizes_for(((1280, 720),)) == ((1280, 720),)
    assert len(service.asked("models")) == 1


def test_other_dialects_ask_nobody(service: VideoService) -> None:
    assert known_limits(orders(service).client).get().seconds_for((4,)) == (4,)
    assert not service.journal
