"""What is written is shown, what is heard is said: sounds, places of words, captions, narrators, reuse."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from attrs import field, frozen

from handlers.generation.control import Control
from handlers.generation.model import NarrateTask, Plan, SceneDraft, Style, Voice
from handlers.generation.model_json import to_spec
from handlers.generation.narration.captions import video_captions
from handlers.generation.narration.narrators.base import Speech, SpokenWord, VoiceInfo, estimate_words, language_tag
from handlers.generation.narration.narrators.choice import Narrators
from handlers.generation.narration.narrators.espeak import EspeakNarrator
from handlers.generation.narration.speech import speak_lines
from handlers.generation.narration.spoken_forms.form import spoken_form
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.reuse import scene_digest
from handlers.generation.script.content import Line
from handlers.generation.script.script import parse_script
from tests.support.phonemes import phonemes

#: (voice, written, the words that it sounds like)
SOUNDS = [
    ("en-us", "2024-07-20", "July twentieth, two thousand twenty four."),
    ("en-us", "$1.5 million", "one point five million dollars."),
    ("en-us", "€20", "twenty euros."),
    ("en-us", "£5", "five pounds."),
    ("en-us", "5–10 minutes", "five to ten minutes."),
    ("en-us", "~3 times a day", "about three times a day."),
    ("en-us", "and/or", "and or."),
    ("en-us", "24/7", "twenty four seven."),
    ("en-us", "the 1990s", "the nineteen nineties."),
    ("en-us", "the 80s", "the eighties."),
    ("en-us", "in 1832", "in eighteen thirty-two."),
    ("en-us", "10⁻³", "ten to the power of minus three."),
    ("en-us", "x²", "x squared."),
    ("en-us", "C# and F#", "C sharp and F sharp."),
    ("en-us", "1080p", "ten eighty p."),
    ("en-us", "0.082s", "zero point zero eight two seconds."),
    ("en-us", "8m30s", "eight minutes thirty seconds."),
    ("en-us", "3 MB/s", "three megabytes per second."),
    ("en-us", "1 234 567", "one million two hundred thirty four thousand five hundred sixty seven."),
    ("en-us", "10,5 kg", "ten point five kilograms."),
    ("en-us", "I ❤️ it", "I it."),
    ("en-us", "so :bug: it is 📦", "so it is."),
    ("en-us", "www.example.org/a_b/c", "example.org."),
    ("en-us", "UTF-8, SHA-256, 10:30, 1st, 21st", "UTF-8, SHA-256, 10:30, 1st, 21st."),
    ("en-us", "1,234,567.89", "1,234,567.89."),
    ("de", "am 2024-10-01", "am ersten Oktober 2024."),
    ("de", "am 3. Oktober", "am dritten Oktober."),
    ("de", "bzw. so", "beziehungsweise so."),
    ("de", "Nr. 5", "Nummer fünf."),
    ("de", "z. B. Obst", "zum Beispiel Obst."),
    ("de", "1.234.567,89", "1.234.567,89."),
    ("de", "5–10 €", "fünf bis zehn Euro."),
    ("de", "10:30 Uhr", "zehn Uhr dreißig."),
    ("fr", "1 234 567,5", "1234567,5."),
    ("fr", "le XIXe siècle", "le dix-neuvième siècle."),
]


@pytest.mark.parametrize(("voice", "written", "words"), SOUNDS, ids=[written for _, written, _ in SOUNDS])
def test_a_line_sounds_like_its_words(voice: str, written: str, words: str) -> None:
    assert phonemes(spoken_form(written, language_tag(voice)).text, voice) == phonemes(words, voice)


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("AWS", "eɪdʌbəljuːɛs"),
        ("EC2", "iːsiːtuː"),
        ("IPv6", "aɪpiːviːsɪks"),
        ("API", "eɪpiːaɪ"),
        ("LED", "ɛliːdiː"),
        ("NASA", "næsɐ"),
    ],
)
def test_acronyms_are_spelled_or_read_as_people_do(written: str, sounds: str) -> None:
    assert phonemes(spoken_form(written, "en-US").text, "en-us") == sounds


PLACES = [
    ("It is 5 kg now", [("It", "It"), ("5", "5"), ("kilograms", "kg"), ("now", "now")]),
    ("On 2024-07-20 it was", [("July", "2024-07-20"), ("2024", "2024-07-20"), ("it", "it"), ("was", "was")]),
    ("for $1.5 million now", [("1.5", "$1.5"), ("million", "million"), ("dollars", "million"), ("now", "now")]),
    ("I ❤️ it", [("I", "I"), ("it", "it")]),
    ("see https://example.org/a_b now", [("example", "https://example.org/a_b"), ("now", "now")]),
    ("10 km/h, so", [("10", "10"), ("per", "km/h,"), ("so", "so")]),
    ("Dr. Smith and e.g. Fox", [("Doctor", "Dr."), ("Smith", "Smith"), ("example", "e.g."), ("Fox", "Fox")]),
]


@pytest.mark.parametrize(("written", "places"), PLACES, ids=[written for written, _ in PLACES])
def test_spoken_words_stand_where_they_are_written(written: str, places: list[tuple[str, str]]) -> None:
    form = spoken_form(written, "en-US")
    for spoken, shown in places:
        [word] = form.written([SpokenWord(form.text.index(spoken), len(spoken), 1.0)])
        start = written.index(shown)
        assert start <= word.position < word.position + word.length <= start + len(shown), (spoken, word)
        assert word.start_s == 1.0


def test_places_rise_and_lie_in_the_line() -> None:
    for _, written, _ in SOUNDS:
        form = spoken_form(written, "en-US")
        words = form.written([SpokenWord(at, 1, at) for at in range(len(form.text))])
        assert all(0 <= word.position < word.position + word.length <= len(written) for word in words)
        assert [word.position for word in words] == sorted(word.position for word in words)


def test_captions_show_what_is_written() -> None:
    """The items of a document of findings, each as its author wrote it."""
    items = [
        "one,",
        '"Go."',
        "(two!)",
        'Call `object.__dict__` and see "https://example.org/a" now.',
        "$5 on 2024-07-20",
    ]
    script = parse_script("# Facts\n\n" + "\n".join(f"- {item}" for item in items))
    lines = [line.text for scene in script.scenes for line in scene.lines]
    assert lines == ["Facts", *(item.replace("`", "") for item in items)]
    cues = video_captions(speak_lines(scene.lines, Voice()).narration for scene in script.scenes)
    assert " ".join(" ".join(cue.lines) for cue in cues) == " ".join(lines)


@pytest.mark.parametrize(
    ("language", "written", "heard"),
    [
        ("ar", "هي؟", "هي؟"),
        ("hi", "नमस्ते।", "नमस्ते।"),
        ("cmn", "支持事务", "支持事务。"),
        ("cmn", "『雨停了。』", "『雨停了。』"),
        ("de", "„Geh!“", "„Geh!“"),
        ("fr", "« Oui »", "« Oui »."),
        ("en-US", "Go:", "Go:"),
        ("en-US", "Wait…", "Wait…"),
        ("en-US", "Now ", "Now. "),
        ("en-US", "", ""),
        ("en-US", "🎉", ""),
    ],
)
def test_a_stop_is_added_where_no_mark_ends_a_line(language: str, written: str, heard: str) -> None:
    assert spoken_form(written, language).text.rstrip() == heard.rstrip()


@frozen
class Listener:
    """A narrator that keeps what it hears, and says it in tones."""

    name: ClassVar[str] = "listener"
    heard: list[str] = field(factory=list)

    def check(self, voice: str) -> None:
        """Any voice will do."""

    def voices(self) -> tuple[VoiceInfo, ...]:
        return (VoiceInfo("listener:ear", "de-DE", self.name),)

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        self.heard.append(text)
        samples = np.full(8_000, 9_000, np.int16)
        return Speech(samples=samples, rate=8_000, words=estimate_words(text, samples, 8_000), estimated=True)


def test_every_narrator_hears_the_spoken_form_in_its_own_language() -> None:
    ear = Listener()
    narrators = Narrators(known=(EspeakNarrator(), ear))
    told = speak_lines((Line(0, "Am 3. Oktober, z. B. 20 €"),), Voice("listener:ear"), narrators).narration
    assert ear.heard == ["Am dritten Oktober, zum Beispiel 20 Euro."]
    [line] = told.lines
    assert line.text == "Am 3. Oktober, z. B. 20 €"
    shown = [line.text[word.position : word.position + word.length] for word in line.words]
    assert shown == ["Am", "3.", "Oktober,", "z.", "B.", "20", "€"]


def test_the_source_of_a_scene_tells_what_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = parse_script("# It costs $5").scenes[0]
    draft = SceneDraft(index=0, title="x", spec=to_spec(scene))
    pipeline = ExplainerPipeline()

    def source(*, narrated: bool = True) -> str:
        return scene_digest(pipeline, Plan(title="x", scenes=(draft,), style=Style(narrated=narrated)), draft)

    assert pipeline.heard(draft, Voice()) == ("It costs 5 dollars.",)
    before, unheard = source(), source(narrated=False)
    assert source() == before
    monkeypatch.setattr(ExplainerPipeline, "heard", lambda *_: ("It costs five dollars.",))
    assert source() != before
    assert source(narrated=False) == unheard


def test_a_line_of_signs_alone_is_a_silent_reveal(tmp_path: Path) -> None:
    draft = SceneDraft(index=0, title="x", spec=to_spec(parse_script("# A\n\n- one\n- 🎉\n- :tada:\n").scenes[0]))
    told = ExplainerPipeline().narrate(NarrateTask(draft=draft), tmp_path, Control()).narration
    assert [line.text for line in told.lines] == ["A", "one"]
    assert [cue.step for cue in told.cues] == [0, 1, 2, 3]
