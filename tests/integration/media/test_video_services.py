"""What text-to-video services answer, and what comes of it: the clip, or a message that says what to do. Real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import field, frozen

from eventflow.domain.values import OrderOutcome
from handlers.generation.control import Charged, Control, Note, RemoteEnded, RemoteOrdered, Warned
from handlers.generation.text_to_video.clip import inspect_clip
from handlers.generation.text_to_video.order import EarlierOrders
from handlers.media.errors import MediaError
from tests.support.video_orders import WANTED, elsewhere, json, orders
from tests.support.video_server import KEY, Odd, VideoService, answer, cut_after, hangs, make_clip, raw, video_service


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(1, (160, 90), rate=10, sound=False)


@pytest.fixture
def service(clip: bytes) -> Iterator[VideoService]:
    with video_service(clip) as service:
        yield service


@frozen(kw_only=True)
class Behaviour:
    """`tells` are answers by what is asked. Without `error`, the clip comes, for `posts` orders and `cost`.

    `extra` is in the state of a finished clip, where `{elsewhere}` stands for an address at another host. `knows` are
    ids that the service has told before, and knows.
    """

    name: str
    dialect: str = "openai"
    tells: dict[str, list[Odd]] = field(factory=dict)
    extra: dict[str, Any] = field(factory=dict)
    ids: tuple[str | int, ...] = ()
    done: str = "completed"
    has_content: bool = True
    hosts: tuple[str, ...] = ("localhost",)
    settings: dict[str, Any] = field(factory=dict)
    error: str = ""
    says: tuple[str, ...] = ()
    outcome: OrderOutcome | None = None
    posts: int = 1
    knows: tuple[str, ...] = ()
    cost: tuple[str, str] | None = None
    warned: str = ""


def submit(*answers: Odd) -> dict[str, list[Odd]]:
    return {"submit": list(answers)}


def part(*, whole: bool) -> Odd:
    """The clip as partial content, of itself or of something twice as long."""
    clip = make_clip(1, (160, 90), rate=10, sound=False)
    total = len(clip) if whole else 2 * len(clip)

    async def odd(_: web.Request) -> web.StreamResponse:
        told = {"Content-Range": f"bytes 0-{len(clip) - 1}/{total}"}
        return web.Response(body=clip, status=206, headers=told, content_type="video/mp4")

    return odd


def content(*answers: Odd) -> dict[str, list[Odd]]:
    return {"content": list(answers)}


#: The id in answers that the table gives itself.
TOLD = ("video_0",)
UNKNOWN = OrderOutcome.UNKNOWN
REFUSED = OrderOutcome.REFUSED
LOST: dict[str, Any] = {"error": "remote_order_unknown", "outcome": UNKNOWN}
REPROCESS = "reprocess the scene"
ORDERS = [
    # Ids: any text, or a number, quoted.
    Behaviour(name="LiteLLM's id with =", ids=("video_bGl0ZWxsbTpjdXN0b20=",)),
    Behaviour(name="an id with /", ids=("models/veo-3.1/operations/4711",)),
    Behaviour(name="an id that climbs", ids=("../../admin?x=1#y",)),
    Behaviour(name="an id of 1,000 characters", ids=("x" * 1_000,)),
    Behaviour(name="an id with spaces and other letters", ids=("clip 7 ünï",)),
    Behaviour(name="a number as id", ids=(4711,)),
    Behaviour(name="request_id (xAI, fal)", tells=submit(json(b'{"request_id": "video_0"}')), knows=TOLD),
    Behaviour(
        name="data.task_id (Kling)", tells=submit(json(b'{"code": 0, "data": {"task_id": "video_0"}}')), knows=TOLD
    ),
    Behaviour(name="202 without a status", tells=submit(json(b'{"id": "video_0"}', 202)), knows=TOLD),
    # What can't be read may have been ordered: once, and never again.
    Behaviour(name="no id", tells=submit(json(b'{"status": "queued"}')), says=("has no id", REPROCESS), **LOST),
    Behaviour(name="an id of 1,001 characters", tells=submit(json(b'{"id": "%s"}' % (b"x" * 1_001))), **LOST),
    Behaviour(name="an id that is a dot", tells=submit(json(b'{"id": ".."}')), **LOST),
    Behaviour(name="a finished clip", tells=submit(json(b'{"data": [{"url": "https://h/x.mp4"}]}')), **LOST),
    Behaviour(name="no JSON", tells=submit(json(b"ok")), says=("not JSON: ok",), **LOST),
    Behaviour(name="an empty 202", tells=submit(json(b"", 202)), says=("not JSON",), **LOST),
    Behaviour(name="HTML with 200", tells=submit(raw(b"<html>", 200, "text/html")), says=("not JSON",), **LOST),
    Behaviour(name="more than 4 MB", tells=submit(json(b" " * 4_100_000)), says=("more than 4 MB",), **LOST),
    Behaviour(name="silence", tells=submit(hangs), says=("did not answer within 0.5 s",), **LOST),
    Behaviour(name="half an answer", tells=submit(cut_after(b'{"id": "video_0"}', 5)), **LOST),
    Behaviour(name="500", tells=submit(answer(500)), says=("answers 500", "because"), **LOST),
    Behaviour(name="502 of a proxy", tells=submit(raw(b"<html>", 502, "text/html")), says=("answers 502",), **LOST),
    Behaviour(name="504 of a proxy", tells=submit(answer(504)), says=("answers 504",), **LOST),
    Behaviour(name="524 of a proxy", tells=submit(answer(524)), says=("answers 524",), **LOST),
    Behaviour(name="408", tells=submit(answer(408)), says=("answers 408",), **LOST),
    Behaviour(
        name="no id where keys are kept: the same order again",
        tells=submit(json(b"{}"), answer(502), hangs),
        settings={"keeps_keys": True},
        posts=4,
    ),
    # What was put off is ordered later.
    Behaviour(name="429 with a pause", tells=submit(answer(429, Retry_After="0.02")), posts=2),
    Behaviour(name="429 twice", tells=submit(answer(429), answer(429)), posts=3),
    Behaviour(name="503 Loading model", tells=submit(json(b'{"error": {"message": "Loading model"}}', 503)), posts=2),
    Behaviour(name="529 overloaded", tells=submit(answer(529)), posts=2),
    Behaviour(name="429 in a 200", tells=submit(json(b'{"error": {"code": 429, "message": "slow"}}')), posts=2),
    Behaviour(
        name="429 for ten minutes",
        tells=submit(answer(429, Retry_After="600")),
        error="service_failed",
        outcome=REFUSED,
    ),
    # What is refused is refused, once, and says why.
    Behaviour(
        name="OpenAI after its end",
        tells=submit(json(b'{"error": {"message": "model_not_found"}}', 404)),
        error="service_refused",
        says=("model_not_found", "ops/docs/models.md"),
        outcome=REFUSED,
    ),
    Behaviour(
        name="form data is wanted (vLLM-Omni)",
        tells=submit(json(b'{"error": "form data expected"}', 400)),
        error="service_refused",
        says=("form data expected", "dialect openai (EVENTFLOW_REMOTE_DIALECT)"),
        outcome=REFUSED,
    ),
    Behaviour(
        name="an unknown key (OpenRouter's shape)",
        tells=submit(json(b'{"error": {"message": "Unrecognized key(s): [\'seconds\']"}}', 400)),
        error="service_refused",
        says=("Unrecognized key", "EVENTFLOW_REMOTE_DIALECT"),
        outcome=REFUSED,
    ),
    Behaviour(
        name="seconds as a number (Merge)", tells=submit(answer(422)), error="service_refused", says=("because",)
    ),
    Behaviour(
        name="an error with 200",
        tells=submit(json(b'{"error": {"message": "prompt flagged"}}')),
        error="service_refused",
        says=("refuses the order: prompt flagged",),
        outcome=REFUSED,
    ),
    Behaviour(
        name="LM Studio's 200",
        tells=submit(json(b'{"error": "Unexpected endpoint or method. (POST /videos)"}')),
        error="service_refused",
        says=("Unexpected endpoint",),
        outcome=REFUSED,
    ),
    Behaviour(name="no endpoint", tells=submit(answer(405)), error="service_refused", says=("ops/docs/models.md",)),
    Behaviour(name="not implemented", tells=submit(answer(501)), error="service_refused", says=("can't take orders",)),
    Behaviour(name="a wrong key", tells=submit(answer(401)), error="service_refused", says=("EVENTFLOW_REMOTE_KEY",)),
    Behaviour(name="a redirect", tells=submit(answer(307, Location="/x")), error="service_refused", outcome=REFUSED),
]
CLIPS = [
    # Dialects.
    Behaviour(
        name="OpenRouter",
        dialect="openrouter",
        extra={"usage": {"cost": 0.5, "is_byok": False}, "unsigned_urls": ["{elsewhere}"]},
        cost=("0.5", "USD"),
    ),
    Behaviour(
        name="Together",
        dialect="together",
        has_content=False,
        extra={"outputs": {"video_url": "{elsewhere}", "cost": 0.8}},
        cost=("0.8", "USD"),
    ),
    Behaviour(name="vLLM-Omni", dialect="openai-form"),
    Behaviour(
        name="Inworld: an address for an hour",
        has_content=False,
        extra={"output": {"videos": [{"url": "{elsewhere}"}]}},
    ),
    Behaviour(name="Replicate: output is a URL", has_content=False, extra={"output": "{elsewhere}"}),
    Behaviour(name="LTX: result", has_content=False, extra={"result": {"video_url": "{elsewhere}"}}),
    Behaviour(name="a path at home", has_content=False, extra={"video_url": "/elsewhere"}),
    # Where clips are.
    Behaviour(name="/content with JSON", tells=content(json(b'{"url": "/elsewhere"}'))),
    Behaviour(name="/content with 400 not ready yet", tells=content(answer(400), answer(400))),
    Behaviour(name="/content with 404, then there", tells=content(answer(404), answer(409))),
    Behaviour(name="/content with an empty 202", tells=content(json(b"", 202))),
    Behaviour(name="/content with 503", tells=content(answer(503))),
    Behaviour(
        name="an expired address is asked for anew",
        has_content=False,
        extra={"video_url": "{elsewhere}"},
        tells={"elsewhere": [answer(403, {"error": "expired"}), answer(410)]},
    ),
    Behaviour(
        name="a redirect that has expired",
        tells={"content": [answer(302, Location="/elsewhere")], "elsewhere": [answer(403)]},
    ),
    Behaviour(
        name="403 for a clip isn't the key",
        tells=content(*[answer(403, {"error": "expired"})] * 5),
        error="remote_clip_missing",
        says=("expired",),
    ),
    Behaviour(
        name="a host that isn't named",
        has_content=False,
        hosts=(),
        extra={"video_url": "https://cdn.example.org/x.mp4", "usage": {"cost": 0.5}},
        error="service_refused",
        says=("cdn.example.org", "EVENTFLOW_REMOTE_CONTENT_HOSTS", "not ordered again"),
        cost=("0.5", "USD"),
    ),
    Behaviour(
        name="an address inside",
        has_content=False,
        extra={"video_url": "file:///etc/passwd"},
        error="service_refused",
        says=("EVENTFLOW_REMOTE_CONTENT_HOSTS",),
    ),
    Behaviour(
        name="no address at all",
        dialect="together",
        error="remote_clip_missing",
        says=("does not say where the clip video_1 is",),
    ),
    Behaviour(name="a GIF", tells=content(*[raw(b"GIF89a" + bytes(60))] * 5), error="remote_clip", says=("MP4",)),
    Behaviour(name="206 with the whole clip", tells=content(part(whole=True))),
    Behaviour(name="206 with a part, then the whole", tells=content(part(whole=False))),
    # States.
    Behaviour(
        name="filtered",
        tells={"status": [json(b'{"id": "video_1", "status": "content_filtered"}')]},
        error="remote_failed",
        says=("(content_filtered)", REPROCESS),
        outcome=OrderOutcome.FAILED,
    ),
    Behaviour(
        name="an unknown status with an error",
        tells={"status": [json(b'{"id": "video_1", "status": "halted", "error": {"message": "flagged"}}')]},
        error="remote_failed",
        says=("(halted): flagged",),
        outcome=OrderOutcome.FAILED,
    ),
    Behaviour(
        name="failed with failureCode (Runway)",
        tells={"status": [json(b'{"id": "video_1", "status": "FAILED", "failure": "unsafe", "failureCode": "S.1"}')]},
        error="remote_failed",
        says=("unsafe",),
        outcome=OrderOutcome.FAILED,
    ),
    Behaviour(
        name="failed, and charged",
        done="failed",
        extra={"error_message": "too wet", "usage": {"cost": 0.1}},
        error="remote_failed",
        says=("too wet",),
        cost=("0.1", "USD"),
    ),
    Behaviour(
        name="completed with an error and no clip",
        extra={"error": {"message": "nothing was made"}},
        has_content=False,
        error="remote_failed",
        says=("(completed): nothing was made",),
        outcome=OrderOutcome.FAILED,
    ),
    Behaviour(name="Kling's succeed", done="succeed"),
    Behaviour(
        name="words for work",
        tells={
            "status": [
                json(b'{"id": "video_1", "status": "%s"}' % word)
                for word in (b"throttled", b"IN_QUEUE", b"not_start", b"dreaming", b"Queueing")
            ]
        },
    ),
    Behaviour(
        name="a word that nobody knows",
        tells={"status": [json(b'{"id": "video_1", "status": "upscaling"}')]},
        warned="remote_status",
    ),
]


@pytest.mark.parametrize("behaviour", [*ORDERS, *CLIPS], ids=lambda behaviour: behaviour.name)
def test_behaviours_of_video_services(behaviour: Behaviour, service: VideoService, tmp_path: Path) -> None:
    service.ids, service.done, service.has_content = list(behaviour.ids), behaviour.done, behaviour.has_content
    service.made, service.polls = list(behaviour.knows), 0
    service.odd = {what: list(answers) for what, answers in behaviour.tells.items()}
    service.extra = _with(behaviour.extra, elsewhere(service))
    notes: list[Note] = []
    making = orders(service, dialect=behaviour.dialect, content_hosts=behaviour.hosts, **behaviour.settings)
    target = tmp_path / "clip"
    if behaviour.error:
        with pytest.raises(MediaError) as caught:
            making.obtain(WANTED, EarlierOrders(), target, Control(note=notes.append))
        assert caught.value.code == behaviour.error
        for words in behaviour.says:
            assert words in str(caught.value)
        assert KEY not in str(caught.value)
    else:
        making.obtain(WANTED, EarlierOrders(), target, Control(note=notes.append))
        assert inspect_clip(target).width == 160
        assert service.asked("status")
    assert len(service.asked("submit")) == behaviour.posts
    assert len({order.headers["Idempotency-Key"] for order in service.asked("submit")}) == 1
    assert isinstance(notes[0], RemoteOrdered)
    outcomes = [note.outcome for note in notes if isinstance(note, RemoteEnded)]
    assert behaviour.outcome is None or outcomes[-1] is behaviour.outcome
    assert [(note.amount, note.currency) for note in notes if isinstance(note, Charged)] == (
        [behaviour.cost] if behaviour.cost else []
    )
    assert [note.code for note in notes if isinstance(note, Warned)] == ([behaviour.warned] if behaviour.warned else [])
    for there in service.asked("elsewhere"):
        home = there.headers["Host"].startswith("127.0.0.1")
        assert ("Authorization" in there.headers) is home


def _with(value: Any, address: str) -> Any:
    if isinstance(value, dict):
        return {name: _with(each, address) for name, each in value.items()}
    if isinstance(value, list):
        return [_with(each, address) for each in value]
    return value.replace("{elsewhere}", address) if isinstance(value, str) else value
