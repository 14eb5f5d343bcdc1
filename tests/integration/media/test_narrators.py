"""Who speaks: a service that may misbehave, a model on this machine, and who steps in."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from attrs import evolve

from eventflow.runtime.retry_policy import GenerationError
from eventflow.settings import Fallback, ServiceVoice, SpeechSettings
from handlers.generation.control import Charged, Control, Note, Warned
from handlers.generation.errors import NarratorLost, NarratorUnavailable, SpeechError, SpeechRefused, UnknownVoice
from handlers.generation.model import Voice
from handlers.generation.narration import speech
from handlers.generation.narration.narrators.choice import Narrators, narrators
from handlers.generation.narration.narrators.openai import OpenAINarrator
from handlers.generation.narration.narrators.piper import PiperNarrator
from handlers.generation.narration.timed_words import timed_words
from handlers.generation.script.content import Line
from handlers.generation.time_grid import SAMPLES_PER_CELL
from handlers.step_errors import as_step_errors
from tests.support.speech_server import GOOD, RATE, Answer, SpeechServer, speech_server, tone, wav

KEY = "sk-very-secret"
TEXT = "Nothing is lost, ever."
LINES = (Line(0, "One thing."), Line(1, "Another thing."))
OPENAI = Voice("openai:alloy")


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with speech_server() as running:
        yield running


def settings_of(server: SpeechServer, **changes: Any) -> SpeechSettings:
    return evolve(SpeechSettings(url=server.url, key=KEY, timeout_s=20, patience_s=0), **changes)


def refusal(server: SpeechServer, answer: Answer, **changes: Any) -> SpeechError:
    server.answers = [answer]
    with pytest.raises(SpeechError) as caught:
        OpenAINarrator(settings_of(server, **changes)).speak(TEXT, "alloy", 1.0)
    assert KEY not in repr((caught.value, caught.value.__cause__, caught.value.__context__))
    return caught.value


def told(voice: Voice, who: Narrators, *, last_try: bool = False) -> tuple[speech.SpokenScene, list[Note]]:
    notes: list[Note] = []
    spoken = speech.narrate(LINES, voice, who, Control(note=notes.append), last_try=last_try)
    return spoken, notes


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        Answer(body=wav(tone(1.2), streamed=True)),
        Answer(body=tone(1.2), headers={"Content-Type": "audio/pcm"}),
        Answer(body=tone(1.2), headers={"Content-Type": "audio/L16; rate=24000; channels=1"}),
    ],
    ids=["wav", "streamed-wav", "pcm", "l16"],
)
def test_a_service_speaks(server: SpeechServer, answer: Answer) -> None:
    server.answers = [answer]
    spoken = OpenAINarrator(settings_of(server)).speak(TEXT, "alloy", 1.5)
    assert spoken.rate == RATE
    assert len(spoken.samples) == round(1.2 * RATE)
    assert spoken.estimated
    assert [TEXT[w.position : w.position + w.length] for w in spoken.words] == TEXT.split()
    starts = [word.start_s for word in spoken.words]
    assert starts == sorted(starts)
    assert starts[0] == pytest.approx(0.1, abs=0.01)
    [(headers, body)] = server.asked
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": TEXT,
        "response_format": "wav",
        "speed": 1.5,
    }


def test_what_may_pass_says_how_long_to_wait(server: SpeechServer) -> None:
    assert refusal(server, Answer(429, headers={"Retry-After": "7"})).retry_after_s == 7
    dates = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}
    assert refusal(server, Answer(503, headers=dates)).retry_after_s == 30
    assert refusal(server, Answer(500, headers={"Retry-After": "soon"})).retry_after_s is None
    server.answers = [Answer(429, headers={"Retry-After": "7"})]
    with pytest.raises(GenerationError) as caught, as_step_errors():
        OpenAINarrator(settings_of(server)).speak(TEXT, "alloy", 1.0)
    assert (caught.value.retryable, caught.value.retry_after_s) == (True, 7)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(body=b"\x00" * 4000, headers={"Content-Type": "audio/mpeg"}), "is not audio"),
        (Answer(body=b"RIFF\x00\x00\x00\x00WAVEnonsense"), "is not audio"),
        (Answer(body=wav(b"")), "is not audio"),
        (Answer(body=b"", headers={"Content-Type": "audio/pcm"}), "is not audio"),
        (Answer(body=wav(tone(60))), "60 s for 22 characters"),
        (Answer(body=bytes(36_100_000), headers={"Content-Type": "audio/pcm"}), "more than 36 MB"),
        (Answer(500, b"boom"), "answers 500"),
    ],
    ids=["mpeg", "riff", "empty-wav", "empty-pcm", "too-long", "too-big", "500"],
)
def test_nonsense_may_pass(server: SpeechServer, answer: Answer, says: str) -> None:
    error = refusal(server, answer)
    assert says in str(error)
    assert error.retryable


def test_a_hang_and_a_dead_service_may_pass(server: SpeechServer) -> None:
    assert "did not answer within" in str(refusal(server, Answer(hangs=True), timeout_s=0.4))
    assert "can't be reached" in str(refusal(server, GOOD, url="http://127.0.0.1:9/v1"))


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 422])
def test_refusals_are_for_good(server: SpeechServer, status: int) -> None:
    headers = {"Location": "http://127.0.0.1:9/elsewhere"} if status < 400 else {}
    error = refusal(server, Answer(status, f'{{"error": "bad, by {KEY}"}}'.encode(), headers))
    assert isinstance(error, SpeechRefused)
    assert not error.retryable
    assert str(status) in str(error)
    assert len(server.asked) == 1


def test_a_scene_is_spoken_by_the_service(server: SpeechServer) -> None:
    spoken, notes = told(OPENAI, narrators(settings_of(server, voices={"alloy": ServiceVoice("de")})))
    assert notes == [Charged(service="speech", amount="24", currency="characters")]
    assert (spoken.narration.language, spoken.narration.estimated) == ("de", True)
    assert len(spoken.samples) == spoken.narration.duration_cells * SAMPLES_PER_CELL
    assert [line.end_s - line.start_s for line in spoken.narration.lines] == pytest.approx([1.02, 1.02], abs=0.02)
    heard = [[line.text[w.position : w.position + w.length] for w in line.words] for line in spoken.narration.lines]
    assert heard == [["One", "thing."], ["Another", "thing."]]
    for line, words in zip(spoken.narration.lines, timed_words(spoken.narration, 42), strict=True):
        assert (words[0].start_s, words[-1].end_s) == (line.start_s, line.end_s)
        assert all(one.start_s < one.end_s == other.start_s for one, other in pairwise(words))


def test_espeak_steps_in_for_a_whole_scene_and_says_so(server: SpeechServer) -> None:
    server.answers = [GOOD, Answer(401)]
    alone = settings_of(server, voices={"alloy": ServiceVoice("de")}, fallback=Fallback.SCENE)
    spoken, notes = told(OPENAI, narrators(alone))
    assert (spoken.narration.language, spoken.narration.estimated) == ("de", False)
    charge, note = notes
    assert charge == Charged(service="speech", amount="10", currency="characters")
    assert isinstance(note, Warned)
    assert note.code == "narrator_fell_back"
    assert "openai:alloy" in note.message
    assert KEY not in note.message


def test_what_may_pass_is_tried_again_before_espeak_steps_in(server: SpeechServer) -> None:
    server.answers = [Answer(503)]
    who = narrators(settings_of(server, voices={"alloy": ServiceVoice("de")}))
    with pytest.raises(SpeechError, match="503"):
        told(OPENAI, who)
    with pytest.raises(NarratorLost, match="503") as lost:
        told(OPENAI, who, last_try=True)
    assert (lost.value.voice, lost.value.instead) == ("openai:alloy", "de")


def test_a_speaker_whose_narrator_fails_is_replaced_in_a_video_of_espeak(server: SpeechServer) -> None:
    server.answers = [Answer(401)]
    lines = (*LINES, Line(2, "A third one.", voice="openai:alloy"))
    who = narrators(settings_of(server, fallback=Fallback.SCENE))
    with pytest.raises(NarratorLost, match="en-gb is to speak"):
        speech.narrate(lines, Voice("en-gb"), evolve(who, fallback=Fallback.VIDEO), Control(), last_try=False)
    spoken = speech.narrate(lines, Voice("en-gb"), who, Control(), last_try=False)
    assert len(spoken.narration.lines) == 3
    with pytest.raises(SpeechRefused):
        speech.narrate(lines, Voice("en-gb"), evolve(who, fallback=Fallback.NONE), Control(), last_try=False)


def test_nobody_steps_in_where_that_is_set(server: SpeechServer) -> None:
    server.answers = [Answer(403)]
    with pytest.raises(SpeechRefused, match="EVENTFLOW_SPEECH_KEY"):
        told(OPENAI, narrators(settings_of(server, fallback=Fallback.NONE)), last_try=True)
    with pytest.raises(GenerationError) as failed, as_step_errors():
        told(OPENAI, narrators(settings_of(server, fallback=Fallback.NONE)), last_try=True)
    assert not failed.value.retryable


def test_planning_asks_nobody_and_says_what_is_missing(server: SpeechServer, tmp_path: Path) -> None:
    who = narrators(settings_of(server))
    who.check("openai:alloy")
    assert server.asked == []
    with pytest.raises(UnknownVoice, match="openai:ash"):
        who.check("openai:nobody")
    with pytest.raises(UnknownVoice):
        who.check("elevenlabs:adam")
    bare = narrators(SpeechSettings())
    with pytest.raises(NarratorUnavailable, match="EVENTFLOW_SPEECH_URL"):
        bare.check("openai:alloy")
    with pytest.raises(NarratorUnavailable, match="EVENTFLOW_PIPER_VOICES"):
        bare.check("piper:en_US-amy")
    with pytest.raises(NarratorUnavailable, match="no voice"):
        PiperNarrator(tmp_path / "nowhere").check("en_US-amy")


def test_voices_of_all_narrators_are_listed(server: SpeechServer, piper_voices: Path) -> None:
    who = narrators(
        settings_of(server, voices={"alloy": ServiceVoice(), "nova": ServiceVoice("pt-br")}, piper_folder=piper_voices)
    )
    listed = {voice.name: (voice.language, voice.narrator) for voice in who.voices()}
    assert listed["en-gb"] == ("en-GB", "espeak")
    assert listed["openai:alloy"] == ("und", "openai")
    assert listed["openai:nova"] == ("pt-BR", "openai")
    assert listed["piper:en_US-beep-low"] == ("en-US", "piper")
    assert not any(":" in voice.name for voice in narrators(SpeechSettings()).voices())


@pytest.fixture(scope="session")
def piper_voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice as Piper's are, but that it beeps: 256 samples for each phoneme, of a wave that its number sets."""
    folder = tmp_path_factory.mktemp("voices")
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        beep (int64[1, n] input, int64[1] input_lengths, float[3] scales) => (float[1, 1, 1, m] output)
        <int64[3] column = {1, -1, 1}, int64[4] shape = {1, 1, 1, -1}, int64[1] second = {1}, int64[1] third = {2},
         float tick = {0.3}, float from = {0}, float to = {256}, float step = {1}, float hop = {256}>
        {
            scale = Slice(scales, second, third)
            slow = Mul(scale, hop)
            end = Squeeze(slow)
            places = Range(from, end, step)
            phonemes = Cast<to = 1>(input)
            high = Reshape(phonemes, column)
            phase = Mul(places, tick)
            turned = Mul(high, phase)
            wave = Sin(turned)
            output = Reshape(wave, shape)
        }
    """)
    onnx.save(model, folder / "en_US-beep-low.onnx")
    letters = "^$_ abcdefghijklmnopqrstuvwxyz.,"
    config = {
        "audio": {"sample_rate": 22_050},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "text",
        "num_symbols": len(letters),
        "num_speakers": 1,
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_id_map": {letter: [number] for number, letter in enumerate(letters)},
    }
    (folder / "en_US-beep-low.onnx.json").write_text(json.dumps(config))
    (folder / "half-a-voice.onnx").write_bytes(b"")
    (folder / "broken.onnx").write_bytes(b"no model")
    (folder / "broken.onnx.json").write_text(json.dumps(config))
    return folder


def test_piper_speaks_with_a_model_from_the_folder(piper_voices: Path) -> None:
    narrator = PiperNarrator(piper_voices)
    assert [voice.name for voice in narrator.voices()] == ["piper:broken", "piper:en_US-beep-low"]
    usual, fast = (narrator.speak("one, two", "en_US-beep-low", rate) for rate in (1.0, 2.0))
    assert usual.rate == 22_050
    assert len(usual.samples) == pytest.approx(2 * len(fast.samples), rel=0.01)
    assert np.abs(usual.samples.astype(int)).max() > 20_000
    assert [word.position for word in usual.words] == [0, 5]
    spoken, notes = told(Voice("piper:en_US-beep-low"), narrators(SpeechSettings(piper_folder=piper_voices)))
    assert notes == []
    assert spoken.narration.language == "en-US"
    assert len(spoken.narration.lines) == 2


@pytest.mark.parametrize("name", ["../en_US-beep-low", "half-a-voice", "", "en_US"])
def test_piper_knows_its_voices_alone(piper_voices: Path, name: str) -> None:
    with pytest.raises(UnknownVoice, match="piper:en_US-beep-low"):
        PiperNarrator(piper_voices).check(name)


def test_without_its_package_piper_says_what_to_install(piper_voices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NarratorUnavailable, match=r"pip install .eventflow\[piper\]"):
        PiperNarrator(piper_voices).check("en_US-beep-low")
    assert PiperNarrator(piper_voices).voices() == ()


def test_a_broken_model_is_told_and_stood_in_for(piper_voices: Path) -> None:
    with pytest.raises(NarratorUnavailable, match="broken can't be loaded"):
        PiperNarrator(piper_voices).speak("one", "broken", 1.0)
    _, [note] = told(
        Voice("piper:broken"), narrators(SpeechSettings(piper_folder=piper_voices, fallback=Fallback.SCENE))
    )
    assert isinstance(note, Warned)
