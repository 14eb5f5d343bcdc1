"""Clips of a service that misbehaves on purpose: paid for once, fetched whole, its key never told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from attrs import define, evolve, field

from eventflow.domain.remote_orders import RemoteOrder
from eventflow.settings import RemoteSettings
from eventflow.telemetry.logs import configure_logs
from handlers.generation.audio.clip_audio import REMOTE_UNDER_SPEECH, with_remote_sound
from handlers.generation.audio.pcm import read_wav
from handlers.generation.control import Charged, Control, Note, RemoteEnded, RemoteOrdered, RemoteStarted, Warned
from handlers.generation.errors import PipelineUnavailable, Stopped
from handlers.generation.http_services.client import Service
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.model import Brief, NarratedScene, NarrateTask, Style
from handlers.generation.pipelines.remote import RemotePipeline
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.generation.text_to_video.client import videos_client
from handlers.generation.text_to_video.clip import inspect_clip
from handlers.generation.text_to_video.download import ContentFetcher
from handlers.generation.text_to_video.errors import OrderUnknown, RemoteFailed, RemoteLate
from handlers.generation.text_to_video.order import MAX_FAILURES, ClipOrders
from handlers.generation.time_grid import SAMPLES_PER_CELL, cells_for
from handlers.media.errors import BadClip
from tests.support.film import parts_of
from tests.support.runtime import quiet_logs
from tests.support.video_server import KEY, VideoService, answer, cut_after, hangs, make_clip, raw, video_service

SCRIPT = "# Tides\n\nThe sea rises twice a day."
ORDER = {"id": "video_1", "status": "queued"}


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(4, (320, 180))


@pytest.fixture
def service(clip: bytes) -> Iterator[VideoService]:
    with video_service(clip) as service:
        yield service


@define
class Notes:
    """What a pipeline has told, and what had been asked of the service by then."""

    service: VideoService
    notes: list[Note] = field(factory=list)
    asked: list[int] = field(factory=list)

    def note(self, note: Note) -> None:
        self.notes.append(note)
        self.asked.append(len(self.service.journal))

    @property
    def control(self) -> Control:
        return Control(note=self.note)

    def without_orders(self) -> list[Note]:
        """What was noted besides how orders were sent and ended."""
        return [note for note in self.notes if not isinstance(note, RemoteOrdered | RemoteEnded)]


@pytest.fixture
def notes(service: VideoService) -> Notes:
    return Notes(service)


def settings_of(service: VideoService, **changes: Any) -> RemoteSettings:
    usual = RemoteSettings(
        url=service.url, dialect="openai", model="tide-1", key=KEY, poll_s=0.01, timeout_s=60.0, busy_s=0.0
    )
    return evolve(usual, **changes)


#: Where the service hangs. Elsewhere a busy machine has all the time that it needs.
HANGING_S = 2.0


def quick(settings: RemoteSettings, patience_s: float = 60.0, **changes: Any) -> RemotePipeline:
    """One whose requests may take `patience_s`."""
    service = Service(
        title="the video service", setting="EVENTFLOW_REMOTE", url=settings.url, key=settings.key, timeout_s=patience_s
    )
    content = ContentFetcher(service=service, hosts=settings.content_hosts, silence_s=patience_s, **changes)
    client = evolve(videos_client(settings, content), service=service, order_s=patience_s)
    return RemotePipeline(settings, clips=ClipOrders(client=client, settings=settings, check=inspect_clip))


@pytest.fixture(scope="module")
def narrated(tmp_path_factory: pytest.TempPathFactory) -> NarratedScene:
    pipeline = RemotePipeline(RemoteSettings(url="http://127.0.0.1:9/v1", dialect="openai"))
    plan = pipeline.plan(Brief(script=SCRIPT), Control())
    task = NarrateTask(draft=plan.scenes[0], voice=plan.voice, style=plan.style)
    return pipeline.narrate(task, tmp_path_factory.mktemp("narrated"), Control())


def task_of(scene: NarratedScene, **changes: Any) -> RenderTask:
    return evolve(
        RenderTask(scene=scene, start_cells=0, qualities=("360p",), threads=1, work_id="00-ab-0-1"), **changes
    )


def going_on(scene: NarratedScene, remote_id: str, **changes: Any) -> RenderTask:
    """A task with the order `remote_id` of an earlier attempt."""
    order = RemoteOrder(run=1, scene=0, service="remote", order="00-ab-0-1-0", remote_id=remote_id)
    return task_of(scene, earlier=order, remote_id=remote_id, remote_orders=1, **changes)


def pictures(rendered: RenderedScene, quality: str, folder: Path) -> list[np.ndarray]:
    """All distinct pictures, rgb."""
    (part,) = parts_of((rendered,), quality)
    path = folder / f"{quality}-whole.mp4"
    path.write_bytes(part.init.read_bytes() + b"".join(segment.read_bytes() for segment in part.segments))
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_scene_lasts_as_long_as_its_clip_and_is_narrated(narrated: NarratedScene) -> None:
    assert narrated.duration_cells == cells_for(4)
    assert narrated.audio is not None
    with av.open(str(narrated.audio)) as container:
        assert container.streams.audio[0].duration == narrated.duration_cells * SAMPLES_PER_CELL


def test_a_clip_is_ordered_waited_for_and_encoded(
    service: VideoService, notes: Notes, narrated: NarratedScene, tmp_path: Path
) -> None:
    service.extra = {"cost": {"amount": 0.4, "currency": "usd"}}
    told: list[float] = []
    control = evolve(notes.control, on_progress=told.append)
    task = task_of(narrated, qualities=("480p", "360p"))
    rendered = RemotePipeline(settings_of(service)).render(task, tmp_path, control)
    (order,) = service.asked("submit")
    assert (order.body["seconds"], order.body["size"], order.body["model"]) == ("4", "1280x720", "tide-1")
    assert "sea rises" in order.body["prompt"]
    assert order.headers["Idempotency-Key"] == "00-ab-0-1-0"
    assert {asked.headers["Authorization"] for asked in service.journal} == {f"Bearer {KEY}"}
    (ordered, *later) = notes.notes
    assert isinstance(ordered, RemoteOrdered)
    assert (ordered.order, ordered.request.partition(", prompt ")[0]) == ("00-ab-0-1-0", "tide-1, 4 s, 1280x720")
    assert later == [
        RemoteStarted("remote", "video_1"),
        Charged(service="remote", amount="0.4", currency="USD", reference="video_1"),
    ]
    assert notes.asked[:2] == [0, 1]  # before it is sent, and before anybody asks how far it is
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert [(r.width, r.height) for r in rendered.renditions] == [(854, 480), (640, 360)]
    shown = pictures(rendered, "360p", tmp_path)
    assert len(shown) > 110  # 4 s at 30 frames a second, then one picture that stays
    first, last = shown[0].astype(int), shown[-1].astype(int)
    assert np.abs(first[180, 160] - [255, 0, 0]).max() < 40
    assert np.abs(first[180, 480] - [0, 0, 255]).max() < 40
    assert first[300, 8].max() > last[300, 8].min() - 60
    assert last[300, 8].min() > 180  # the bar has come down here
    assert first[300, 8, 1] < 60


@pytest.mark.parametrize(("crop", "aspect", "size"), [(True, "9:16", (360, 640)), (False, "1:1", (360, 360))])
def test_clips_of_another_shape_are_cut_or_framed(
    service: VideoService, narrated: NarratedScene, tmp_path: Path, crop: bool, aspect: str, size: tuple[int, int]
) -> None:
    task = task_of(narrated, style=Style(aspect=aspect))
    rendered = RemotePipeline(settings_of(service, crop=crop)).render(task, tmp_path, Control())
    assert service.asked("submit")[0].body["size"] == ("720x1280" if aspect == "9:16" else "1280x720")
    assert (rendered.renditions[0].width, rendered.renditions[0].height) == size
    shown = pictures(rendered, "360p", tmp_path)[0].astype(int)
    middle, width = shown[size[1] // 2], size[0]
    assert np.abs(middle[width // 4] - [255, 0, 0]).max() < 40
    assert np.abs(middle[width * 3 // 4] - [0, 0, 255]).max() < 40
    assert bool(shown[4, width // 4].max() < 30) is not crop  # a black edge above


def test_the_clips_own_sound_is_under_the_voice(narrated: NarratedScene, clip: bytes, tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(clip)
    samples = narrated.duration_cells * SAMPLES_PER_CELL
    alone = read_wav(with_remote_sound(tmp_path / "clip", None, samples, tmp_path / "alone.wav")).astype(int)
    both = read_wav(with_remote_sound(tmp_path / "clip", narrated.audio, samples, tmp_path / "both.wav")).astype(int)
    assert len(alone) == len(both) == samples
    assert np.abs(alone).max() > 8_000
    assert np.abs(alone[:1024]).max() == np.abs(alone[-1024:]).max() == 0
    assert narrated.audio is not None
    under = both - read_wav(narrated.audio)
    assert np.abs(under - alone * REMOTE_UNDER_SPEECH).max() <= 2


def test_work_that_was_begun_is_taken_up_again(service: VideoService, notes: Notes, narrated: NarratedScene) -> None:
    service.order("earlier")
    task = going_on(narrated, "video_1")
    _obtain(service, task, notes)
    assert not service.asked("submit")
    assert service.made == ["video_1"]
    assert not [note for note in notes.notes if isinstance(note, RemoteStarted)]


def _obtain(service: VideoService, task: RenderTask, notes: Notes, *, patience_s: float = 60.0, **changes: Any) -> None:
    """The remote part of rendering alone."""
    target = task.scene.audio.parent / "clip" if task.scene.audio else Path("clip")
    obtain(quick(settings_of(service, **changes), patience_s), task, target, notes.control)


def obtain(pipeline: RemotePipeline, task: RenderTask, target: Path, control: Control) -> None:
    pipeline._obtain(task, pipeline._wanted(task), target, control)


def test_a_failed_clip_is_not_ordered_again_by_itself(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    service.done, service.extra = "failed", {"error": {"message": "the prompt was blocked"}}
    with pytest.raises(RemoteFailed, match=r"video_1 \(failed\): the prompt was blocked.*EVENTFLOW_REMOTE_ORDERS"):
        _obtain(service, task_of(narrated), notes)
    with pytest.raises(RemoteFailed, match="blocked"):
        _obtain(service, going_on(narrated, "video_1"), notes)
    assert len(service.asked("submit")) == 1
    assert not RemoteFailed.retryable


def test_more_orders_are_made_where_they_are_allowed(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    service.odd["status"] = [answer(200, {"id": "video_1", "status": "FAILED", "credits": 7})]
    _obtain(service, task_of(narrated), notes, orders=2)
    keys = [order.headers["Idempotency-Key"] for order in service.asked("submit")]
    assert keys == ["00-ab-0-1-0", "00-ab-0-1-1"]
    assert notes.without_orders() == [
        RemoteStarted("remote", "video_1"),
        Charged(service="remote", amount="7", currency="credits", reference="video_1"),
        RemoteStarted("remote", "video_2"),
    ]


def test_what_the_service_does_not_know_has_failed(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    with pytest.raises(RemoteFailed, match="does not know the clip video_9"):
        _obtain(service, going_on(narrated, "video_9"), notes)
    assert len(service.asked("status")) == MAX_FAILURES
    assert not service.asked("submit")


def test_an_order_that_is_put_off_says_for_how_long(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    service.odd["submit"] = [answer(429, Retry_After="7")]
    with pytest.raises(ServiceFailed) as caught:
        _obtain(service, task_of(narrated), notes)
    assert caught.value.retry_after_s == 7
    assert caught.value.retryable
    assert [type(note) for note in notes.notes] == [RemoteOrdered, RemoteEnded]


def test_an_order_without_an_answer_is_the_same_order_again_where_keys_are_kept(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    async def ordered_and_silent(request: Any) -> Any:
        service.order(request.headers["Idempotency-Key"])
        return await hangs(request)

    service.odd["submit"] = [ordered_and_silent]
    with pytest.raises(ServiceFailed, match="did not answer within"):
        _obtain(service, task_of(narrated), notes, patience_s=HANGING_S, keeps_keys=True)
    interrupted = RemoteOrder(run=1, scene=0, service="remote", order="00-ab-0-1-0")
    _obtain(service, task_of(narrated, earlier=interrupted), notes, keeps_keys=True)
    assert service.made == ["video_1"]
    assert {order.headers["Idempotency-Key"] for order in service.asked("submit")} == {"00-ab-0-1-0"}


def test_trouble_while_waiting_is_waited_out(service: VideoService, notes: Notes, narrated: NarratedScene) -> None:
    trouble = [answer(500), answer(429, Retry_After="0.02"), raw(b"<html>", 502, "text/html"), hangs]
    renamed = answer(200, {"id": "video_1", "status": "Post-Processing", "progress": 0.5})
    other = answer(200, {"id": "video_2", "status": "completed"})
    service.odd["status"] = [*trouble, renamed, other, raw(b'{"id": "vid', media_type="application/json"), renamed]
    service.done = "SUCCEEDED"
    _obtain(service, task_of(narrated), notes, patience_s=HANGING_S)
    (warning,) = [note for note in notes.notes if isinstance(note, Warned)]
    assert (warning.code, "'post_processing'" in warning.message) == ("remote_status", True)
    assert len(service.asked("submit")) == 1


def test_a_service_that_stays_broken_is_left_to_the_next_attempt(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    service.odd["status"] = [answer(503)] * MAX_FAILURES
    with pytest.raises(ServiceFailed, match="503"):
        _obtain(service, task_of(narrated), notes)
    service.odd["status"] = [answer(503, Retry_After="600")]
    with pytest.raises(ServiceFailed) as caught:
        _obtain(service, going_on(narrated, "video_1"), notes)
    assert caught.value.retry_after_s == 600
    assert service.made == ["video_1"]


def test_a_clip_that_is_never_made_is_not_waited_for_without_end(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    service.released.clear()
    with pytest.raises(RemoteLate, match=r"video_1 was not ready within 0.3 s"):
        _obtain(service, task_of(narrated), notes, timeout_s=0.3)


def test_content_that_is_not_whole_is_fetched_again(
    service: VideoService, notes: Notes, narrated: NarratedScene, clip: bytes
) -> None:
    fragments = make_clip(4, (320, 180), fragmented=True)
    service.odd["content"] = [
        *(cut_after(clip, len(clip) // 2), raw(clip[: len(clip) // 2]), raw(b'{"error": "later"}')),
        *(answer(404), hangs),
    ]
    with pytest.raises(ServiceFailed):
        _obtain(service, task_of(narrated), notes, patience_s=HANGING_S)
    assert len(service.asked("content")) == MAX_FAILURES
    service.odd["content"] = [raw(make_clip(1, (320, 180), sound=False)[:-3000]), raw(fragments)]
    _obtain(service, going_on(narrated, "video_1"), notes)
    assert len(service.asked("submit")) == 1


@pytest.mark.parametrize(
    "data", [b"", b"no clip", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"]
)
def test_what_is_no_clip_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "clip"
    path.write_bytes(data)
    with pytest.raises(BadClip):
        inspect_clip(path)


def test_who_stops_waiting_leaves_the_work_to_the_next_attempt(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    service.released.clear()
    with pytest.raises(Stopped):
        obtain(quick(settings_of(service)), task_of(narrated), Path("none"), _stopping(service, notes, unwanted=False))
    assert not service.asked("cancel")


def test_what_nobody_wants_any_more_is_ended(service: VideoService, notes: Notes, narrated: NarratedScene) -> None:
    service.released.clear()
    with pytest.raises(Stopped):
        obtain(quick(settings_of(service)), task_of(narrated), Path("none"), _stopping(service, notes, unwanted=True))
    (ended,) = service.asked("cancel")
    assert ended.path == "/v1/videos/video_1"


def _stopping(service: VideoService, notes: Notes, *, unwanted: bool) -> Control:
    """Asks to stop when the service has been looked at twice."""
    return evolve(notes.control, should_stop=lambda: len(service.asked("status")) >= 2, unwanted=lambda: unwanted)


def _redirect(to: str) -> Any:
    return answer(302, Location=to)


def test_redirects_go_to_the_service_itself(service: VideoService, notes: Notes, narrated: NarratedScene) -> None:
    service.odd["content"] = [_redirect("/elsewhere")]
    _obtain(service, task_of(narrated), notes)
    assert service.asked("elsewhere")[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("to", "hosts"),
    [
        ("https://clips.example.org/1", ()),
        ("https://169.254.169.254/latest/meta-data", ("169.254.169.254",)),
        ("https://localhost/x", ("localhost",)),
        ("http://example.org/x", ("example.org",)),
        ("file:///etc/passwd", ()),
        ("https://127.1/x", ("127.1",)),
    ],
)
def test_redirects_to_strangers_are_not_followed(
    service: VideoService, notes: Notes, narrated: NarratedScene, to: str, hosts: tuple[str, ...]
) -> None:
    service.odd["content"] = [_redirect(to)]
    with pytest.raises(ServiceRefused, match=r"EVENTFLOW_REMOTE_CONTENT_HOSTS|public"):
        _obtain(service, task_of(narrated), notes, content_hosts=hosts)


def test_redirects_go_to_named_hosts_without_the_key(
    service: VideoService, notes: Notes, narrated: NarratedScene, tmp_path: Path
) -> None:
    to = service.url.removesuffix("/v1").replace("127.0.0.1", "localhost") + "/elsewhere"
    service.odd["content"] = [_redirect(to)]
    settings = settings_of(service, content_hosts=("*.example.org", "localhost"))
    lenient = quick(settings, schemes=frozenset({"http"}), allowed=lambda address: True)
    obtain(lenient, task_of(narrated), tmp_path / "clip", notes.control)
    assert "Authorization" not in service.asked("elsewhere")[0].headers
    assert inspect_clip(tmp_path / "clip").width == 320


def test_a_wrong_key_is_told_by_its_setting_and_nothing_shows_it(
    service: VideoService, notes: Notes, narrated: NarratedScene
) -> None:
    lines = io.StringIO()
    configure_logs("DEBUG", stream=lines)
    try:
        service.odd["submit"] = [answer(401, {"error": f"bad key {KEY}"}), answer(400, {"error": f"bad key {KEY}"})]
        with pytest.raises(ServiceRefused, match="EVENTFLOW_REMOTE_KEY") as first:
            _obtain(service, task_of(narrated), notes)
        with pytest.raises(ServiceRefused, match=r"\[key\]") as second:
            _obtain(service, task_of(narrated), notes)
        service.odd["cancel"] = [answer(500, {"error": f"bad key {KEY}"})]
        service.released.clear()
        with pytest.raises(Stopped):
            obtain(
                quick(settings_of(service)), task_of(narrated), Path("none"), _stopping(service, notes, unwanted=True)
            )
        import structlog

        for error in (first.value, second.value):
            structlog.get_logger().warning("step failed", error=str(error), exc_info=error)
        structlog.get_logger().info(
            "settings", settings=settings_of(service), client=videos_client(settings_of(service))
        )
    finally:
        quiet_logs()
    assert "remote clip not cancelled" in lines.getvalue()
    assert "step failed" in lines.getvalue()
    assert KEY not in lines.getvalue()


def test_endless_answers_are_cut_off(service: VideoService, notes: Notes, narrated: NarratedScene) -> None:
    service.odd["submit"] = [raw(b" " * 5_000_000, media_type="application/json")]
    with pytest.raises(OrderUnknown, match="more than 4 MB"):
        _obtain(service, task_of(narrated), notes)


def test_without_a_service_the_setting_is_named() -> None:
    with pytest.raises(PipelineUnavailable, match="EVENTFLOW_REMOTE_URL"):
        RemotePipeline().check()
