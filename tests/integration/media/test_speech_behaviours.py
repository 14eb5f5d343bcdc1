"""A speech service that answers in every documented way: the line is spoken, or the message says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from eventflow.settings import Fallback, ServiceVoice, SpeechSettings
from handlers.generation.control import Charged, Control, Note, Warned
from handlers.generation.errors import SpeechError
from handlers.generation.http_services.busy_waits import BusyWaits
from handlers.generation.model import Voice
from handlers.generation.narration import speech
from handlers.generation.narration.narrators import openai
from handlers.generation.narration.narrators.choice import narrators
from handlers.generation.narration.narrators.openai import OpenAINarrator
from handlers.generation.script.content import Line
from tests.support.speech_answers import BAD, GOOD, LENGTH_S, TONE, WAV, problem, sent
from tests.support.speech_server import SpeechServer, speech_server, tone, wav

TEXT = "The sea rises and falls twice a day."


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with speech_server() as running:
        yield running


def settings_of(server: SpeechServer, **changes: Any) -> SpeechSettings:
    return evolve(SpeechSettings(url=server.url, key="sk-very-secret", timeout_s=5, patience_s=0), **changes)


def spoken_s(server: SpeechServer, text: str = TEXT, factor: float = 1.0, **changes: Any) -> float:
    said = OpenAINarrator(settings_of(server, **changes)).speak(text, "alloy", factor)
    assert np.abs(said.samples.astype(int)).max() > 4_000
    return len(said.samples) / said.rate


def bodies(server: SpeechServer) -> list[Any]:
    return [body for _, body in server.asked]


@pytest.mark.parametrize("name", GOOD)
def test_a_line_is_spoken(server: SpeechServer, name: str) -> None:
    server.answers = [GOOD[name]]
    assert spoken_s(server) == pytest.approx(LENGTH_S, abs=0.12)
    assert len(server.asked) == 1


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_says_what_to_do(server: SpeechServer, name: str) -> None:
    bad = BAD[name]
    server.answers = [bad.answer]
    with pytest.raises(SpeechError, match=f"(?s){bad.says}") as caught:
        spoken_s(server)
    assert caught.value.retryable is bad.passes
    assert len(server.asked) == bad.asked


def test_a_line_that_is_lost_is_an_error_of_its_scene_and_then_told(server: SpeechServer) -> None:
    server.answers = [sent(wav(bytes(len(TONE))))]
    lines, notes = (Line(0, "The moon pulls it."),), list[Note]()
    who = narrators(settings_of(server, fallback=Fallback.SCENE))
    with pytest.raises(SpeechError, match="silence"):
        speech.narrate(lines, Voice("openai:alloy"), who, Control(), last_try=False)
    told = speech.narrate(lines, Voice("openai:alloy"), who, Control(note=notes.append), last_try=True)
    assert [line.text for line in told.narration.lines] == ["The moon pulls it."]
    assert [note.code for note in notes if isinstance(note, Warned)] == ["narrator_fell_back"]


@pytest.mark.parametrize("takes", ["pcm", "flac", "mp3"])
@pytest.mark.parametrize("status", [400, 422, 500])
def test_the_format_that_a_service_takes_is_found_and_kept(server: SpeechServer, takes: str, status: int) -> None:
    files = {"pcm": sent(TONE, "application/octet-stream"), "flac": GOOD["flac"], "mp3": GOOD["mp3"]}
    formats = ["wav", "pcm", "flac", "mp3"]
    refused = problem(status, {"detail": "Unsupported response_format"})
    server.decide = lambda body: files[takes] if body["response_format"] == takes else refused
    for _ in range(2):
        assert spoken_s(server) == pytest.approx(LENGTH_S, abs=0.12)
    tried = formats[: formats.index(takes) + 1]
    assert [body["response_format"] for body in bodies(server)] == [*tried, takes]


def test_a_format_may_be_set(server: SpeechServer) -> None:
    server.answers = [sent(TONE, "audio/wav")]
    assert spoken_s(server, format="pcm") == pytest.approx(LENGTH_S)
    assert spoken_s(server, format="pcm", pcm_rate=48_000) == pytest.approx(LENGTH_S / 2)
    assert {body["response_format"] for body in bodies(server)} == {"pcm"}


def test_speed_is_left_out_at_the_usual_rate_and_stretched_where_it_is_refused(server: SpeechServer) -> None:
    refused = problem(400, {"error": {"message": "Unknown parameter", "param": "speed"}})
    server.decide = lambda body: refused if "speed" in body else sent(WAV)
    assert spoken_s(server) == pytest.approx(LENGTH_S)
    for _ in range(2):
        assert spoken_s(server, factor=1.5) == pytest.approx(LENGTH_S / 1.5, abs=0.1)
    assert ["speed" in body for body in bodies(server)] == [False, True, False, False]


def test_a_service_that_ignores_the_rate_is_noticed_at_the_second_line(server: SpeechServer) -> None:
    server.answers = [sent(wav(tone(2.4)))]
    assert spoken_s(server) == pytest.approx(2.4)
    lengths = [spoken_s(server, factor=2.0) for _ in range(3)]
    assert lengths == pytest.approx([2.4, 1.2, 1.2], abs=0.1)
    assert ["speed" in body for body in bodies(server)] == [False, True, True, False]


def test_a_service_that_heeds_the_rate_is_left_alone(server: SpeechServer) -> None:
    server.decide = lambda body: sent(wav(tone(2.4 / body.get("speed", 1.0))))
    lengths = [spoken_s(server, factor=factor) for factor in (1.0, 2.0, 2.0, 2.0, 0.5, 0.5)]
    assert lengths == pytest.approx([2.4, 1.2, 1.2, 1.2, 4.8, 4.8], abs=0.1)


LONG = " ".join(f"Clause number {n} is spoken, and so it goes on;" for n in range(7)) + " then it ends."


def by_length(most: int, refusal: Any) -> Any:
    def decide(body: Any) -> Any:
        length = len(body["input"])
        return problem(400, refusal) if length > most else sent(wav(tone(0.2 + length / 15)))

    return decide


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"message": "input must be at most 200 characters, got 340"}},
        {"detail": [{"type": "string_too_long", "loc": ["body", "input"], "msg": "at most 200 characters"}]},
        {"error": {"message": "Input is too long"}},
    ],
)
def test_a_length_that_is_refused_is_learned_and_the_line_spoken_in_parts(server: SpeechServer, refusal: Any) -> None:
    server.decide = by_length(200, refusal)
    for _ in range(2):
        assert spoken_s(server, LONG) == pytest.approx(len(LONG) / 15, rel=0.15)
    parts = [body["input"] for body in bodies(server)]
    assert parts[0] == LONG
    assert all(len(part) <= 200 for part in parts[1:])
    assert len(set(parts[1:])) * 2 == len(parts) - 1
    assert " ".join(parts[1 : 1 + len(parts) // 2]) == LONG


def test_a_length_may_be_set(server: SpeechServer) -> None:
    server.decide = by_length(100, {"detail": "no"})
    spoken_s(server, LONG, max_characters=100)
    assert all(len(body["input"]) <= 100 for body in bodies(server))


def test_a_model_that_loads_is_waited_for_once_for_all_lines(
    server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = BusyWaits(0.3, first_s=0.02, longest_s=0.04)
    monkeypatch.setattr(openai, "_busy_waits", lambda settings: short)
    loading = problem(503, {"error": {"message": "Loading model"}})
    server.answers = [loading, loading, loading, sent(WAV)]
    assert spoken_s(server) == pytest.approx(LENGTH_S)
    assert len(server.asked) == 4
    server.answers, server.asked = [loading], []
    for _ in range(3):
        with pytest.raises(SpeechError, match="Loading model"):
            spoken_s(server)
    later = len(server.asked)
    with pytest.raises(SpeechError, match="Loading model"):
        spoken_s(server)
    assert len(server.asked) == later + 1


def test_characters_are_charged_once_a_scene(server: SpeechServer) -> None:
    notes: list[Note] = []
    lines = (Line(0, "One thing."), Line(1, "Another thing."))
    control = Control(note=notes.append)
    speech.narrate(lines, Voice("openai:alloy"), narrators(settings_of(server)), control, last_try=False)
    assert notes == [Charged(service="speech", amount="24", currency="characters")]


def test_headers_params_and_names_of_voices_are_sent(server: SpeechServer) -> None:
    voices = {"alloy": ServiceVoice("en-us", "af_bella(2)+af_sky(1)")}
    params = {"instructions": "Calm.", "response_format": None}
    spoken_s(server, voices=voices, params=params, headers={"X-Org": "one"})
    ((headers, body),) = server.asked
    assert headers["X-Org"] == "one"
    assert body == {
        "model": "gpt-4o-mini-tts",
        "voice": "af_bella(2)+af_sky(1)",
        "input": TEXT,
        "instructions": "Calm.",
    }


def test_a_pause_in_a_body_is_passed_on(server: SpeechServer) -> None:
    error = {"error": {"code": 429, "details": [{"@type": "x.RetryInfo", "retryDelay": "45.8s"}]}}
    server.answers = [problem(429, [error])]
    with pytest.raises(SpeechError) as caught:
        spoken_s(server)
    assert caught.value.retry_after_s == 45.8
