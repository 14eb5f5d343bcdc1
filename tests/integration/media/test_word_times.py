"""Every written word stands in its captions when it is heard, whatever espeak makes of it."""

import re
from itertools import pairwise

import pytest

from handlers.generation.model import Narration, Voice
from handlers.generation.narration.captions import Caption, scene_captions
from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.narrators.base import audible_range, language_tag
from handlers.generation.narration.speech import speak_lines
from handlers.generation.narration.spoken_forms.form import spoken_form
from handlers.generation.narration.timed_words import timed_words
from handlers.generation.pages.burned_captions import caption_states
from handlers.generation.script.content import Line
from handlers.generation.script.script import parse_script

#: How far a word's time may be from espeak's, in seconds.
NEAR_S = 0.15
#: Nobody reads faster, and no voice speaks so fast at its usual speed.
MOST_PER_S = 25
TEXTS = [
    ("en-us", "Prices rose by 3.5 percent in the first half of the year and by another 3.5 percent in the second."),
    ("en-us", "The x86_gcc2 build came first and it was slow to start for everybody, but the x86_64 build is fast."),
    ("en-us", "Python 3.4 is blocked because the package can't be imported there, so that 3.4 users keep the old one."),
    ("en-us", "Version 1.2.3-rc1 of 192.168.0.1:8080 costs 1,234,567.89 or 234,567.89 and needs v1.2.3 again, says I."),
    ("en-us", "See https://example.org/a_b?c=d then call object.__dict__ and foo_bar2baz now, or foo_bar, or bar."),
    (
        "en-us",
        "The the the <b>bold</b> &amp; a+b=c at 10:30, 24/7, 1/2 of $5.00 50% of “it’s fine” no—way 😀 in ½ end.",
    ),
    ("de", "Am 3. Oktober stieg der Preis um 3,5 Prozent, z. B. in Köln, usw. x86_64 um weitere 3,5 Prozent: Öl!"),
    ("fr", "Le prix a monté de 3,5 pour cent, l’année passée, qu'il a été 1 234 567 et encore de 3,5 : « oui »."),
    ("ru", "Цена выросла на 3.5 процента, т. е. x86 и foo_bar, и ещё на 3.5 процента в версии 3.5."),
    ("cmn", "价格上涨了3.5个百分点，孩子们跑出去了很远很远。又上涨了3.5个百分点，然后大家都回家吃饭睡觉去了。"),
    ("ar", "ارتفع السعر 3.5 في المئة ثم 3.5 في المئة أخرى، هي؟ نعم foo_bar."),
    ("hi", "नमस्ते दुनिया। यह 3.5 है, यह 3.5 है।"),
    ("ja", "水を飲む。 ひらがなです、 カタカナ 3.5 です。"),
]
IDS = [f"{voice}-{number}" for number, (voice, _) in enumerate(TEXTS)]


def spoken(text: str, voice: str) -> Narration:
    return speak_lines((Line(0, text),), Voice(voice)).narration


def check_pace(cues: tuple[Caption, ...]) -> None:
    for cue in cues:
        length = sum(map(len, cue.lines))
        assert length <= MOST_PER_S * (cue.end_s - cue.start_s), cue.lines


@pytest.mark.parametrize(("voice", "text"), TEXTS, ids=IDS)
def test_words_stand_where_they_are_heard(voice: str, text: str) -> None:
    form = spoken_form(text, language_tag(voice))
    said = espeak.speak(form.text, voice, 1.0)
    part = audible_range(said.samples)
    assert part is not None
    told = spoken(text, voice)
    [line], [words] = told.lines, timed_words(told, 10_000)
    assert "".join(word.text for word in words).replace(" ", "") == text.replace(" ", "")
    begun = dict[int, float]()
    for event in form.written(said.words):
        begun.setdefault(event.position, event.start_s)
    found = 0
    at = len(words[0].text)
    for word in words[1:]:
        at = text.index(word.text, at)
        letter = re.compile(r"\w").search(text, at, at + len(word.text))
        places = range(at, letter.start() + 1) if letter else ()
        at += len(word.text)
        event_s = next((begun[place] for place in places if place in begun), None)
        if event_s is not None:
            found += 1
            assert word.start_s - line.start_s == pytest.approx(event_s - part[0] / said.rate, abs=NEAR_S), word
    assert found >= min(3, len(words) - 1)
    assert words[0].start_s == line.start_s
    assert words[-1].end_s == line.end_s
    assert all(one.start_s <= one.end_s == other.start_s for one, other in pairwise(words))


@pytest.mark.parametrize(("voice", "text"), TEXTS, ids=IDS)
def test_cues_can_be_read_and_the_marked_word_is_the_spoken_one(voice: str, text: str) -> None:
    told = spoken(text, voice)
    cues = scene_captions(told)
    check_pace(cues)
    starts = {round(word.start_s, 6) for cue in cues for word in cue.words}
    states = caption_states(told)
    assert {round(state.start_s, 6) for state in states} <= starts
    marked = "".join(state.words[state.highlighted] for state in states if state.highlighted is not None)
    assert re.sub(r"\s", "", marked) == re.sub(r"\s", "", text)


def test_pieces_of_a_text_without_blanks_begin_where_they_are_heard() -> None:
    voice, text = next((voice, text) for voice, text in TEXTS if voice == "cmn")
    form = spoken_form(text, language_tag(voice))
    said = espeak.speak(form.text, voice, 1.0)
    told = spoken(text, voice)
    part = audible_range(said.samples)
    assert part is not None
    begun = {event.position: event.start_s - part[0] / said.rate for event in reversed(form.written(said.words))}
    at = 0
    [pieces] = timed_words(told, 42)
    assert len(pieces) > 1
    for piece in pieces:
        if at and at in begun:
            assert piece.start_s - told.lines[0].start_s == pytest.approx(begun[at], abs=NEAR_S)
        at += len(piece.text)


def test_captions_of_a_document_keep_up_with_the_voice() -> None:
    """Headings, listed words, addresses and names in code as they are said."""
    script = parse_script(
        "# Times 3.5\n\n- `__init__` of 3.5\n- See https://example.org/a_b/c, and `a_b` or a_b.\n\n"
        + " ".join(text for voice, text in TEXTS if voice == "en-us")
    )
    for scene in script.scenes:
        check_pace(scene_captions(speak_lines(scene.lines, Voice()).narration))
