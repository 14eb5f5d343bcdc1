"""Speakers have voices of one language, the same ones each time."""

from __future__ import annotations

import pytest

from handlers.generation.narration.cast import cast_voices
from handlers.generation.narration.narrators.base import VoiceInfo
from handlers.generation.script.content import Line, Scene, Script

KNOWN = [
    VoiceInfo("en-gb", "en-GB", "espeak"),
    VoiceInfo("en-us", "en-US", "espeak"),
    VoiceInfo("en-us-nyc", "en-US", "espeak"),
    VoiceInfo("de", "de", "espeak"),
]


def talk(*speakers: str) -> Script:
    lines = tuple(Line(step, "Hello.", speaker=name) for step, name in enumerate(speakers))
    return Script("A", (Scene(0, 1, "A", "content", (), (), lines),))


@pytest.mark.parametrize(
    ("speakers", "voice", "wanted", "voices", "warned"),
    [
        (("A", "B", "A"), "en-us", {}, ["en-us", "en-us-nyc", "en-us"], False),
        (("A", "B", "C"), "en-us", {}, ["en-us", "en-us-nyc", "en-gb"], False),
        (("A", "B"), "en-us", {"a": "de"}, ["de", "en-us"], False),
        (("", " "), "en-us", {}, ["", "en-us-nyc"], False),
        (("A", "B"), "de", {}, ["de", "de"], True),
    ],
)
def test_voices_go_by_order_of_appearance(
    speakers: tuple[str, ...], voice: str, wanted: dict[str, str], voices: list[str], warned: bool
) -> None:
    cast = cast_voices(talk(*speakers), voice, wanted, KNOWN)
    assert [line.voice for line in cast.script.scenes[0].lines] == voices
    assert (cast.warning is not None and cast.warning.code == "one_voice") is warned
