"""What `eventflow doctor` tells of the text-to-video service. Real HTTP; nothing is ordered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from eventflow.settings import RemoteSettings
from handlers.generation.text_to_video.service_probe import Weight, probe
from ops.cli.checks.finding import Finding, State
from ops.cli.checks.video_service import video_service as check
from tests.support.video_server import KEY, VideoService, answer, raw, video_service

LISTING = {
    "data": [
        {
            "id": "google/veo-3.1",
            "supported_durations": [5, 10],
            "supported_sizes": ["1280x720", "1080x1920"],
            "pricing_skus": {"per-video-second": "0.50"},
        }
    ]
}


@pytest.fixture
def service() -> Iterator[VideoService]:
    with video_service(b"") as service:
        service.listing = LISTING
        yield service


def settings_of(service: VideoService, **changes: Any) -> RemoteSettings:
    usual = RemoteSettings(url=service.url, dialect="openrouter", model="google/veo-3.1", key=KEY)
    return evolve(usual, **changes)


async def test_lengths_sizes_and_prices_are_compared_with_the_settings(service: VideoService) -> None:
    notices = await probe(settings_of(service))
    assert [(notice.weight, notice.remedy) for notice in notices] == [
        (Weight.FINE, ""),
        (Weight.ODD, "Set EVENTFLOW_REMOTE_SECONDS=5,10"),
        (Weight.ODD, "Set EVENTFLOW_REMOTE_SIZES=1280x720,1080x1920"),
        (Weight.FINE, ""),
    ]
    assert "per-video-second 0.50" in notices[-1].found
    fitting = await probe(settings_of(service, seconds=(5, 10), sizes=((1280, 720), (1080, 1920))))
    assert {notice.weight for notice in fitting} == {Weight.FINE}
    assert not service.asked("submit")


@pytest.mark.parametrize("what", ["models", "status"])
async def test_a_wrong_key_is_told_whoever_refuses_it(what: str, service: VideoService) -> None:
    service.odd[what] = [answer(401, {"error": f"bad key {KEY}"})]
    (notice,) = await probe(settings_of(service))
    assert (notice.weight, notice.remedy) == (Weight.BROKEN, "Correct EVENTFLOW_REMOTE_KEY.")
    assert KEY not in notice.found


async def test_a_model_that_the_service_does_not_have(service: VideoService) -> None:
    notices = await probe(settings_of(service, model="sora-2"))
    assert notices[-1].weight is Weight.BROKEN
    assert "google/veo-3.1" in notices[-1].found


@pytest.mark.parametrize("odd", [answer(404), answer(500), raw(b"<html>", 200, "text/html")])
async def test_services_that_do_not_tell_their_models(odd: Any, service: VideoService) -> None:
    service.odd["models"] = [odd]
    notices = await probe(settings_of(service, dialect="openai"))
    assert [notice.weight for notice in notices] == [Weight.FINE, Weight.FINE]
    assert "not told" in notices[-1].found


async def test_a_service_that_is_not_there(service: VideoService, unused_tcp_port: int) -> None:
    (notice,) = await probe(settings_of(service, url=f"http://127.0.0.1:{unused_tcp_port}/v1"))
    assert notice.weight is Weight.BROKEN
    assert "EVENTFLOW_REMOTE_URL" in notice.remedy


async def test_findings_of_doctor(service: VideoService) -> None:
    assert await check(RemoteSettings()) == []
    (finding,) = await check(settings_of(service, dialect="none"))
    assert finding.state is State.FAIL
    assert "EVENTFLOW_REMOTE_DIALECT" in finding.remedy
    findings: list[Finding] = await check(settings_of(service))
    assert [each.state for each in findings] == [State.OK, State.WARN, State.WARN, State.OK]
