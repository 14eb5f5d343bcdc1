"""`eventflow doctor` looks at services with models, and asks them where it is told to."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from eventflow.settings import PlannerSettings, ServiceVoice, Settings, SpeechSettings
from ops.cli.checks.finding import Finding, State
from ops.cli.checks.model_services import examine
from tests.support.chat_answers import TEXT, content, refused, told
from tests.support.chat_server import ChatService, chat_service
from tests.support.speech_answers import problem, sent
from tests.support.speech_server import SpeechServer, speech_server, tone, wav

CLOSED = "http://127.0.0.1:9/v1"


def planning(service: ChatService, **changes: Any) -> Settings:
    return Settings(planner=evolve(PlannerSettings(url=service.url, model="m", timeout_s=5), **changes))


def speaking(server: SpeechServer, **changes: Any) -> Settings:
    known = SpeechSettings(url=server.url, model="tts", voices={"anna": ServiceVoice("", "af_bella(2)+af_sky(1)")})
    return Settings(speech=evolve(known, timeout_s=5, **changes))


async def states(settings: Settings, *, ask: bool = False) -> list[tuple[str, State]]:
    return [(each.part, each.state) for each in await examine(settings, ask=ask)]


async def test_services_that_are_not_set_are_not_looked_at() -> None:
    assert await examine(Settings(), ask=True) == []


async def test_a_closed_port_is_a_failure() -> None:
    settings = Settings(planner=PlannerSettings(url=CLOSED, model="m"), speech=SpeechSettings(url=CLOSED))
    assert await states(settings) == [("planner", State.FAIL), ("speech", State.FAIL)]
    assert await states(Settings(planner=PlannerSettings(url=CLOSED))) == [("planner", State.WARN)]


async def test_a_planner_is_looked_at_for_free() -> None:
    with chat_service(content(TEXT)) as service:
        assert await states(planning(service)) == [("planner", State.OK)]
        [unknown] = await examine(planning(service, model="tides"), ask=False)
        assert (unknown.state, unknown.remedy) == (State.WARN, "Correct EVENTFLOW_PLANNER_MODEL.")
        [short] = await examine(planning(service, url=service.url.removesuffix("/v1")), ask=False)
        assert short.state is State.OK
        assert "doesn't tell" in short.found
        assert service.asked == []


async def test_a_planner_that_is_asked_tells_what_it_takes() -> None:
    with chat_service(refused(400, told("response_format is unavailable")), content(TEXT)) as service:
        _, asked = await examine(planning(service), ask=True)
    assert asked.state is State.OK
    assert "EVENTFLOW_PLANNER_FORM=json_object" in asked.found
    with chat_service(content("Certainly!")) as service:
        _, asked = await examine(planning(service), ask=True)
    assert asked.state is State.FAIL
    with chat_service(refused(401, told("no"))) as service:
        _, asked = await examine(planning(service), ask=True)
    assert "EVENTFLOW_PLANNER_KEY" in asked.found


async def test_a_speech_service_is_looked_at_for_free() -> None:
    with speech_server() as server:
        server.lists = {"/v1/models": {"data": [{"id": "tts"}]}, "/v1/audio/voices": {"voices": ["af_bella", "af_sky"]}}
        assert await states(speaking(server)) == [("speech", State.OK), ("voices", State.OK)]
        _, voices = await examine(speaking(server, voices={"alloy": ServiceVoice("", "alloy")}), ask=False)
        assert voices.state is State.WARN
        assert "alloy; it has af_" in voices.found
        server.lists = {}
        assert await states(speaking(server)) == [("speech", State.OK)]
        assert server.asked == []


async def test_a_speech_service_that_is_asked_tells_format_and_pace() -> None:
    def asked(findings: list[Finding]) -> Finding:
        return findings[-1]

    with speech_server() as server:
        server.decide = lambda body: sent(wav(tone(2.0 / body.get("speed", 1.0))))
        heeds = asked(await examine(speaking(server), ask=True))
        assert heeds.state is State.OK
        assert "wav at 24000 Hz" in heeds.found
        assert "made by the service" in heeds.found
        assert [body["voice"] for _, body in server.asked] == ["af_bella(2)+af_sky(1)"] * 2
    with speech_server() as server:
        server.decide = lambda body: (
            sent(tone(2.0), "audio/pcm")
            if body["response_format"] == "pcm"
            else problem(400, {"detail": "response_format must be pcm"})
        )
        ignores = asked(await examine(speaking(server), ask=True))
        assert ignores.state is State.WARN
        assert "EVENTFLOW_SPEECH_FORMAT=pcm" in ignores.found
