"""Captions: cut to be read, timed by the words, written so that players read what was said."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import webvtt
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.generation.captions import as_srt, as_vtt, scene_captions, video_captions
from handlers.generation.grid import cells_for
from handlers.generation.model import Narration, SpokenLine, Word
from handlers.generation.wordtimes import timed_words, width


def narration(*lines: str, per_word_s: float = 0.4, heard: bool = True, pause_s: float = 0.32) -> Narration:
    """Each word of letters takes the same time."""
    spoken, words, at = [], [], 0.45
    for line in lines:
        found = re.findall(r"\w+", line)
        spoken.append(SpokenLine(line, at, at + per_word_s * max(1, len(found))))
        words += [Word(word, at + per_word_s * number) for number, word in enumerate(found)]
        at = spoken[-1].end_s + pause_s
    return Narration(cells_for(at + 0.8), (), tuple(spoken), tuple(words) if heard else ())


LONG = "Every step of the work is an event, written down once. "
LONG += "Nothing is lost when a worker dies, because the log is kept."


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


def test_cues_end_with_sentences_where_they_can() -> None:
    texts = [" ".join(cue.lines) for cue in scene_captions(narration(LONG))]
    assert texts[0] == "Every step of the work is an event, written down once."
    assert " ".join(texts) == LONG


def test_a_word_by_itself_joins_the_one_before() -> None:
    cues = scene_captions(narration("First of all.", "One.", "Two."))
    assert [" ".join(cue.lines) for cue in cues] == ["First of all. One. Two."]


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
        assert "".join(lines) == text
        assert max(map(width, lines)) <= 42
        assert not any(line[0] in "，。" for line in lines)


def test_scenes_follow_each_other_on_the_grid() -> None:
    one, two = narration("One scene speaks."), narration("Another does.")
    silent = Narration(3, ())
    first, second = video_captions([one, silent, two])
    assert first.start_s == pytest.approx(0.45)
    assert second.start_s == pytest.approx((one.duration_cells + 3) * 8 / 15 + 0.45)


HOSTILE = 'a < b && "c" --> d <i>not italic</i> &amp; <00:00:01.000> \x00 \u2028 {\\an8}'


def test_what_looks_like_markup_is_text(tmp_path: Path) -> None:
    cues = scene_captions(narration(HOSTILE, per_word_s=0.1))
    text = as_vtt(cues)
    assert text.startswith("WEBVTT\n\n1\n00:00:00.450 --> ")
    body = "\n".join(line for line in text.splitlines() if not re.match(r"\d\d:\d\d:\d\d\.\d{3} --> ", line))
    assert "-->" not in body
    assert "<" not in body
    assert "&lt;i&gt;not" in body
    path = tmp_path / "captions.vtt"
    path.write_text(text, encoding="utf-8")
    assert [(c.start_in_seconds, len(c.lines)) for c in webvtt.read(path)] == [
        (int(c.start_s), len(c.lines)) for c in cues
    ]
    path = path.with_suffix(".srt")
    path.write_text(as_srt(cues), encoding="utf-8")
    assert len(webvtt.from_srt(path)) == len(cues)
    assert "<i>" not in path.read_text(encoding="utf-8")


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
