"""A worker that is killed at any point of an order: no clip is paid for twice. Real processes, log and service."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import define, evolve, field, frozen

from eventflow.domain import events as ev
from eventflow.domain.values import OrderOutcome, VideoRequest
from tests.support.log_server import LogServer, log_server
from tests.support.programs import Program, Programs
from tests.support.runtime import Space, gapless, open_space
from tests.support.video_server import KEY, Odd, VideoService, answer, hangs, make_clip, video_service
from tests.support.waiting import wait_until

GENEROUS_S = 90
GENERATION = ("worker", "--group", "generation", "--concurrency", "2")
REQUEST = VideoRequest(script="# Tides\n\nThe sea rises.", pipeline="remote", quality_levels=("360p",))
LISTING = {"data": [{"id": "tide-1", "supported_durations": [2]}]}


@define
class Stage:
    """A service, its log, and whether the worker is where it is to be killed."""

    service: VideoService
    log: LogServer
    space: Space
    job_id: str = ""
    reached: threading.Event = field(factory=threading.Event)
    left: ExitStack = field(factory=ExitStack)

    async def recorded(self, kind: type[ev.Event]) -> bool:
        return any(isinstance(each.event, kind) for each in await self.space.history(self.job_id))

    def holding(self, before: Callable[[web.Request], None] = lambda request: None) -> Odd:
        """Does `before`, and gives no answer."""

        async def odd(request: web.Request) -> web.StreamResponse | None:
            before(request)
            self.reached.set()
            return await hangs(request)

        return odd

    def half(self, body: bytes, before: Callable[[web.Request], None] = lambda request: None) -> Odd:
        """Does `before`, and gives half an answer."""

        async def odd(request: web.Request) -> web.StreamResponse | None:
            before(request)
            response = web.StreamResponse(headers={"Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            self.reached.set()
            return await hangs(request)

        return odd

    def without_log(self, body: Callable[[], bytes], media_type: str) -> Odd:
        """Answers whole, while the log answers nothing any more."""

        async def odd(request: web.Request) -> web.StreamResponse | None:
            response = web.Response(body=body(), content_type=media_type)
            self.log.pause()
            await response.prepare(request)
            await response.write_eof()
            self.reached.set()
            return response

        return odd

    def make(self, request: web.Request) -> None:
        self.service.order(request.headers["Idempotency-Key"])


#: What arranges a point, and returns settings of the worker that is killed there. None: `reached` tells.
Arrange = Callable[[Stage], dict[str, str]]


@frozen(kw_only=True)
class Point:
    """`made`: how many clips the service makes in all. `known`: the clip is used; False: its order ends as unknown;
    None: one or the other, since what the worker had sent to the log may be carried out after its end."""

    name: str
    arrange: Arrange
    event: type[ev.Event] | None = None
    known: bool | None = True
    made: int = 1
    settings: dict[str, str] = field(factory=dict)


def _before_the_order(stage: Stage) -> dict[str, str]:
    stage.service.listing = LISTING
    stage.service.odd["models"] = [stage.holding()]
    return {}


def _connecting(stage: Stage) -> dict[str, str]:
    """Where nobody accepts, and the queue of connections is full."""
    silent = stage.left.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        waiting = stage.left.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(silent.getsockname())
    return {"EVENTFLOW_REMOTE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1"}


def _odd(what: str, made: Callable[[Stage], Odd]) -> Arrange:
    def arrange(stage: Stage) -> dict[str, str]:
        stage.service.odd[what] = [made(stage)]
        return {}

    return arrange


def _polling(stage: Stage) -> dict[str, str]:
    stage.service.polls = 3
    stage.service.odd["status"] = [_as_usual, _as_usual, stage.holding()]
    return {}


async def _as_usual(_: web.Request) -> web.StreamResponse | None:
    return None


ACCEPTED = b'{"id": "video_1", "status": "queued"}'


def _answered_without_log(stage: Stage) -> Odd:
    def body() -> bytes:
        stage.service.order(f"{stage.job_id}-0-1-0")
        return ACCEPTED

    return stage.without_log(body, "application/json")


KEEPS = {"EVENTFLOW_REMOTE_KEEPS_KEYS": "on"}
UNKNOWN = [
    Point(name="connecting", arrange=_connecting, event=ev.RemoteWorkOrdered, known=False, made=0),
    Point(name="not made yet", arrange=_odd("submit", lambda s: s.holding()), known=False, made=0),
    Point(name="made, no answer", arrange=_odd("submit", lambda s: s.holding(s.make)), known=False),
    Point(name="half an answer", arrange=_odd("submit", lambda s: s.half(ACCEPTED, s.make)), known=False),
    Point(name="answered, not noted", arrange=_odd("submit", _answered_without_log), known=None),
]
POINTS = [
    Point(
        name="before the order",
        arrange=_before_the_order,
        settings={"EVENTFLOW_REMOTE_DIALECT": "openrouter", "EVENTFLOW_REMOTE_MODEL": "tide-1"},
    ),
    Point(name="put off", arrange=_odd("submit", lambda s: answer(429, Retry_After="30")), event=ev.RemoteWorkEnded),
    *UNKNOWN,
    *(evolve(point, name=f"{point.name}, keys kept", known=True, made=1, settings=KEEPS) for point in UNKNOWN),
    Point(name="noted", arrange=_odd("status", lambda s: s.holding()), event=ev.RemoteWorkStarted),
    Point(name="polling", arrange=_polling),
    Point(name="made, not fetched", arrange=_odd("content", lambda s: s.holding())),
    Point(name="half of the clip", arrange=_odd("content", lambda s: s.half(s.service.clip))),
    Point(
        name="fetched, not rendered",
        arrange=_odd("content", lambda s: s.without_log(lambda: s.service.clip, "video/mp4")),
    ),
]


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(2, (160, 90), rate=10, sound=False)


@pytest.fixture
def service(clip: bytes) -> Iterator[VideoService]:
    with video_service(clip) as service:
        yield service


@pytest.fixture
def own_log(tmp_path: Path) -> Iterator[LogServer]:
    """A server that may be stopped."""
    with log_server(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def environment(environment: dict[str, str], service: VideoService, own_log: LogServer) -> dict[str, str]:
    remote = {"URL": service.url, "DIALECT": "openai", "KEY": KEY, "POLL_SECONDS": "0.05", "SECONDS": "2"}
    named = {f"EVENTFLOW_REMOTE_{name}": value for name, value in remote.items()}
    return {**environment, **named, "EVENTFLOW_REDIS_URL": own_log.url}


@pytest.fixture
async def stage(environment: dict[str, str], service: VideoService, own_log: LogServer) -> AsyncIterator[Stage]:
    async with open_space(environment["EVENTFLOW_REDIS_URL"], environment["EVENTFLOW_NAMESPACE"]) as space:
        stage = Stage(service, own_log, space)
        with stage.left:
            yield stage


async def _until(condition: Callable[[], Awaitable[Any]], what: str) -> None:
    await wait_until(condition, GENEROUS_S, what=what)


async def _killed_at(point: Point, stage: Stage, programs: Programs) -> None:
    """Run a worker up to `point` and kill it there with all its children."""
    stage.service.keeps_keys = point.settings is KEEPS
    first = programs.start(*GENERATION, **{**point.settings, **point.arrange(stage)})
    await _ready(first)
    stage.job_id = await stage.space.submit(REQUEST)
    if point.event is not None:
        await _until(lambda: stage.recorded(point.event), f"{point.event.__name__} is recorded")  # type: ignore[arg-type]
    else:
        await wait_until(stage.reached.is_set, GENEROUS_S, what=f"the worker is {point.name}")
    first.signal_group(signal.SIGKILL)
    first.process.wait()
    stage.log.resume()


async def _ready(worker: Program) -> None:
    await wait_until(lambda: "ready" in worker.out, 60, what=f"{worker.name} is ready")


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
async def test_a_worker_that_is_killed_pays_for_no_clip_twice(point: Point, stage: Stage, programs: Programs) -> None:
    await _killed_at(point, stage, programs)
    await _ready(programs.start(*GENERATION, **point.settings))

    async def over() -> bool:
        return await stage.recorded(ev.ScenesCompleted) or await stage.recorded(ev.JobFailed)

    await _until(over, "the scene is made, or the job has failed")
    history = await stage.space.history(stage.job_id)
    assert gapless(history)
    assert len(stage.service.made) == point.made
    assert len({order.headers["Idempotency-Key"] for order in stage.service.asked("submit")}) <= 1
    events = [envelope.event for envelope in history]
    failed = [event for event in events if isinstance(event, ev.JobFailed)]
    ended = [event.outcome for event in events if isinstance(event, ev.RemoteWorkEnded)]
    if point.known or (point.known is None and not failed):
        assert not failed, failed[0].failure
        assert [event.remote_id for event in events if isinstance(event, ev.RemoteWorkStarted)] == ["video_1"]
        return
    assert failed[0].failure.code == "remote_order_unknown"
    assert "may have taken the order" in failed[0].failure.message
    assert ended == [OrderOutcome.UNKNOWN]
    assert len(stage.service.asked("submit")) <= 1


async def test_an_order_whose_worker_was_killed_is_not_sent_again(stage: Stage, programs: Programs) -> None:
    """One of the points, in every run of the tests."""
    (point,) = [each for each in POINTS if each.name == "made, no answer"]
    await test_a_worker_that_is_killed_pays_for_no_clip_twice(point, stage, programs)
