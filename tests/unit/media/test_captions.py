"""Captions: cut to be read, timed by the words, written so that players read what was said."""

import re
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.generation.model import Narration, SpokenLine, Word
from handlers.generation.model_json import load_narrated
from handlers.generation.narration.captions import as_srt, as_vtt, scene_captions, video_captions
from handlers.generation.narration.timed_words import timed_words
from handlers.generation.script.graphemes import columns as width
from handlers.generation.time_grid import cells_for
from tests.support.narration import LONG, narration


def test_words_are_timed_as_they_are_written() -> None:
    [words] = timed_words(narration("It's “done” — no 3,5 more: really!"), 42)
    assert [word.text for word in words] == ["It's", "“done”", "—", "no", "3,5", "more:", "really!"]
    starts = [round(word.start_s - 0.45, 3) for word in words]
    assert starts[:2] == [0, 0.8]
    assert starts == sorted(starts)
    assert words[-1].start_s == pytest.approx(0.45 + 7 * 0.4)
    assert words[-1].end_s == pytest.approx(0.45 + 8 * 0.4)


def test_words_that_nobody_timed_lie_between_the_others() -> None:
    [words] = timed_words(narration("one two three", heard=False), 42)
    assert [round(word.start_s, 3) for word in words] == [
        0.45,
        round(0.45 + 1.2 * 3 / 11, 3),
        round(0.45 + 1.2 * 6 / 11, 3),
    ]


def one_line(text: str, *words: Word, end_s: float = 9.0) -> Narration:
    return Narration(
        duration_cells=cells_for(10), cues=(), lines=(SpokenLine(text=text, start_s=0.0, end_s=end_s, words=words),)
    )


def starts_of(told: Narration, columns: int = 42) -> dict[str, float]:
    [words] = timed_words(told, columns)
    return {word.text: round(word.start_s, 3) for word in words}


def test_words_are_found_by_their_place_and_not_by_their_text() -> None:
    """Of a number several events tell, which overlap; what ends alike comes again further on."""
    pieces = [(0, 2, 0.0), (3, 3, 1.0), (4, 3, 1.2), (4, 3, 1.5), (7, 3, 2.0), (11, 3, 3.0), (12, 3, 3.2), (15, 4, 4.0)]
    told = one_line("by 3.5 and 6.5 more", *(Word(*piece) for piece in pieces))
    assert starts_of(told) == {"by": 0, "3.5": 1, "and": 2, "6.5": 3, "more": 4}


def test_what_begins_at_a_blank_belongs_to_the_word_behind_it_unless_that_begins_itself() -> None:
    abbreviated = one_line("am B. in Rom", Word(0, 2, 0), Word(3, 1, 1), Word(5, 1, 2), Word(9, 3, 3))
    assert starts_of(abbreviated) == {"am": 0, "B.": 1, "in": 2, "Rom": 3}
    in_two = one_line("a ½ “b”", Word(0, 1, 0), Word(2, 1, 1), Word(3, 1, 2), Word(5, 0, 3))
    assert starts_of(in_two) == {"a": 0, "½": 1, "“b”": 3}
    identifier = one_line("usw. foo_bar", Word(0, 3, 0), Word(4, 3, 2), Word(8, 1, 5))
    assert starts_of(identifier) == {"usw.": 0, "foo_bar": 2}


def test_a_text_without_blanks_is_timed_within() -> None:
    told = one_line("水を飲む。ひらがな", Word(0, 4, 0), Word(5, 4, 6))
    found = starts_of(told, 10)
    assert (found["水"], found["ひ"]) == (0, 6)


def test_places_that_are_no_places_do_no_harm() -> None:
    told = one_line("one two three", Word(99, 1, 1), Word(-3, 1, 2), Word(8, 5, 99), Word(4, 3, 7), end_s=8)
    [words] = timed_words(told, 42)
    assert [word.start_s for word in words] == [0, 7, 8]
    assert words[-1].end_s == 8


OLD = b"""{"index": 0, "title": "Times", "spec": {}, "audio": null, "assets": [], "narration": {"duration_cells": 12,
"cues": [{"step": 0, "start_s": 0.45}], "language": "en-US", "estimated": false,
"lines": [{"text": "Up by 3.5 and by 3.5 more.", "start_s": 0.45, "end_s": 4.45}],
"words": [{"text": "Up", "start_s": 0.45}, {"text": "3.5", "start_s": 1.0}, {"text": ".5 ", "start_s": 1.3}]}}"""


def test_a_scene_that_was_narrated_before_words_had_places_is_captioned_by_the_lengths_of_its_words() -> None:
    told = load_narrated(OLD, None).narration
    [words] = timed_words(told, 42)
    starts = [word.start_s for word in words]
    assert starts == sorted(set(starts))
    assert (starts[0], words[-1].end_s) == (0.45, 4.45)
    [cue] = scene_captions(told)
    assert cue.lines == ("Up by 3.5 and by 3.5 more.",)


def test_cues_end_with_sentences_where_they_can() -> None:
    texts = [" ".join(cue.lines) for cue in scene_captions(narration(LONG))]
    assert texts[0] == "Every step of the work is an event, written down once."
    assert " ".join(texts) == LONG


def test_a_word_by_itself_joins_the_one_before() -> None:
    cues = scene_captions(narration("First of all.", "One.", "Two."))
    assert [" ".join(cue.lines) for cue in cues] == ["First of all. One. Two."]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("Streams", "An event is written down."), ["Streams", "An event is written down."]),
        (("one", "two (2)", "three", "Done."), ["one", "two (2)", "three", "Done."]),
        (("one,", "two;", "three:", "Done."), ["one, two; three: Done."]),
        (("“One.”", "Two!", "三", "四。", "五。"), ["“One.” Two!", "三", "四。五。"]),
        (("Why?", "A heading", "Yes.", "No."), ["Why?", "A heading", "Yes. No."]),
    ],
)
def test_a_line_without_a_mark_at_its_end_shares_no_cue(lines: tuple[str, ...], expected: list[str]) -> None:
    cues = scene_captions(narration(*lines, per_word_s=0.2))
    assert [" ".join(cue.lines) for cue in cues] == expected


def test_a_cue_begins_with_the_name_where_the_speaker_changes() -> None:
    lines = narration("Is there a boat?", "There is always a boat.", "It is late.", "Go.", per_word_s=0.2)
    names = ("June", "Old Wendell", "Old Wendell", " ")
    spoken = tuple(evolve(line, speaker=name) for line, name in zip(lines.lines, names, strict=True))
    cues = scene_captions(evolve(lines, lines=spoken))
    assert [" ".join(cue.lines) for cue in cues] == [
        "June: Is there a boat?",
        "Old Wendell: There is always a boat. It is late.",
        "Go.",
    ]
    assert [cue.start_s for cue in cues] == [lines.lines[at].start_s for at in (0, 1, 3)]


def test_cues_follow_each_other_and_linger_at_the_end() -> None:
    cues = scene_captions(narration(LONG, LONG))
    for cue, following in pairwise(cues):
        assert cue.end_s <= following.start_s
    last = cues[-1]
    assert last.end_s == pytest.approx(last.words[-1].end_s + 0.4)


def test_a_long_word_and_a_text_without_spaces_are_broken() -> None:
    chinese = "你好世界，这是一个很长的句子，没有任何空格，所以需要被切成几段才能放进字幕里面。"
    for text in ("x" * 200, chinese):
        cues = scene_captions(narration(text, per_word_s=9))
        lines = [line for cue in cues for line in cue.lines]
        assert "".join(line.removesuffix("-") for line in lines) == text
        assert max(map(width, lines)) <= 42
        assert not any(line[0] in "，。" for line in lines)


def test_scenes_follow_each_other_on_the_grid() -> None:
    one, two = narration("One scene speaks."), narration("Another does.")
    silent = Narration(duration_cells=3, cues=())
    first, second = video_captions([one, silent, two])
    assert first.start_s == pytest.approx(0.45)
    assert second.start_s == pytest.approx((one.duration_cells + 3) * 8 / 15 + 0.45)


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=160), max_size=5),
    st.floats(0.05, 2.5),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_any_narration_can_be_captioned(lines: list[str], per_word_s: float, heard: bool) -> None:
    told = narration(*lines, per_word_s=per_word_s, heard=heard)
    cues = scene_captions(told)
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert max(map(width, cue.lines)) <= 42
        assert all(line.strip() for line in cue.lines)
        assert cue.start_s <= cue.end_s <= told.duration_s
        assert cue.end_s - cue.start_s <= 7 + 1e-9 or len(cue.words) == 1
    for cue, following in pairwise(cues):
        assert cue.end_s <= following.start_s
    written = re.sub(r"\s", "", "".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]", " ", line) for line in lines))
    assert re.sub(r"\s", "", "".join(line for cue in cues for line in cue.lines)) == written
    as_vtt(cues).encode()
    as_srt([evolve(cue, start_s=cue.start_s + 3600, end_s=cue.end_s + 3600) for cue in cues]).encode()
