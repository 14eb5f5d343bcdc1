"""Letters that a voice can't read are a warning of planning."""

from __future__ import annotations

import pytest

from handlers.generation.narration.readable import Reader, describe_unread, unread
from handlers.generation.script.script import parse_script

#: (voice, language, text, scripts that it can't read)
CASES = [
    ("ja", "ja", "水を飲む。", ["Hani"]),
    ("ja", "ja", "みずをのむ。カタカナ。CPU も USB も。", []),
    ("ja", "ja", "banana をたべる。", ["Latn"]),
    ("en-us", "en-US", "雨停了，孩子们跑出去。", ["Hani"]),
    ("en-us", "en-US", "물이 차다. नदी है।", []),
    ("en-us", "en-US", "π, Ω and α are signs; the café is Gödel's.", []),
    ("en-us", "en-US", "They said νερό.", ["Grek"]),
    ("de", "de", "Das Wort вода, das Wort שלום und das Wort вода.", ["Cyrl", "Hebr"]),
    ("cmn", "cmn", "雨停了 and it is dry。", []),
    ("cmn", "cmn", "カタカナ。", ["Kana"]),
    ("th", "th", "แม่น้ำกว้าง", []),
    ("hi", "hi", "यह एक नदी है। แม่", ["Thai"]),
    ("ru", "ru", "Вода. Water. Νερό.", []),
    ("km-none", "km", "ទឹក", ["Khmr"]),
    ("piper:zh_CN-huayan-medium", "zh-CN", "雨停了。", []),
    ("piper:en_US-amy-medium", "en-US", "雨停了。", ["Hani"]),
    ("openai:alloy", "und", "雨停了。 вода", []),
]


@pytest.mark.parametrize(("voice", "language", "text", "scripts"), CASES)
def test_letters_of_scripts_that_a_voice_cant_read_are_found(
    voice: str, language: str, text: str, scripts: list[str]
) -> None:
    script = parse_script(f"{text}\n\n---\n\n{text}")
    found = unread(script.scenes, Reader(voice, language))
    assert [letters.script for letters in found] == scripts
    assert all(letters.scenes == (1, 2) for letters in found)


def test_the_warning_names_the_voice_the_letters_the_scenes_and_the_way_out() -> None:
    script = parse_script("# かな\n\n## みず\n\nみず。\n\n## かわ\n\n川と水。\n")
    [han] = unread(script.scenes, Reader("ja", "ja"))
    message = describe_unread(han, "ja")
    assert "the voice ja" in message
    assert "Han (川水)" in message
    assert 'scene 3 ("川と水。")' in message
    assert "choose a voice of another narrator" in message
