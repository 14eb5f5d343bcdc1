"""Rows of captions, lines of code and titles are cut between grapheme clusters, where a line may break."""

from __future__ import annotations

import unicodedata

import pytest

from handlers.generation.model import Narration, SpokenLine
from handlers.generation.narration.captions import ROW_COLUMNS, scene_captions
from handlers.generation.pages.burned_captions import caption_states
from handlers.generation.pages.typography import breakable, shortened
from handlers.generation.script.content import Code
from handlers.generation.script.graphemes import clusters, columns, pieces, place, wrapped
from handlers.generation.script.paging import paginate

KHMER = "ព្រះរាជាណាចក្រកម្ពុជាជាប្រទេសមួយនៅក្នុងតំបន់អាស៊ីអាគ្នេយ៍ដែលមានព្រំដែនជាប់នឹងប្រទេសជិតខាង"
#: Texts without blanks whose signs belong to the letter before.
SIGNS = {
    "Khmer": KHMER,
    "skin tones": "👍🏽" * 40,
    "flags": "🇩🇪🇫🇷" * 20,
    "families": "👩\u200d👩\u200d👧" * 30,
    "hearts": "❤\ufe0f" * 50,
    "Devanagari": "क्षत्रियोंकीनिर्मितियाँ" * 6,
    "Thai": "ที่นี่มีน้ำใสและผู้คนก็ใจดี" * 5,
    "Tamil": "நிகழ்வுகளுக்கிடையேயான" * 5,
    "marks": "e\u0301\u0323" * 60,
    "Hangul by letters": "\u1112\u1161\u11ab" * 50,
}
#: Texts of which some marks may not begin a line.
KINSOKU = {
    "zh": "『雨停了。』孩子们跑出去，“好！”他说（真的）；然后——他们一个、两个地走了……《史记》里也有：是的？是！" * 3,
    "ja": "スーパーマーケットに行って、「牛乳」を買った。きゃっと！データベースのユーザーがっこう、ちょっと。" * 3,
    "fr": "Bonjour ! Tu viens ? « Oui » ; il y a 5 % de plus : c'est tout ! " * 5,
    "marks": "word!!!! " * 12 + "a" * 41 + "!" + "b" * 40 + "。" * 3,
}
NEVER_FIRST = "」』）”’》〉】。，、！？：；…ーっゃゅょァィゥェォッャュョ!?»%;:"


def cue_rows(text: str, language: str = "und", most: int = ROW_COLUMNS) -> list[str]:
    line = SpokenLine(text=text, start_s=0.0, end_s=len(text) / 10)
    narration = Narration(duration_cells=1_000, cues=(), lines=(line,), language=language)
    return [row for cue in scene_captions(narration, most) for row in cue.lines]


def begins_within(text: str) -> bool:
    """Tell whether a text begins with what belongs to the letter before it."""
    first = text[0]
    return unicodedata.category(first) in ("Mn", "Mc", "Me") or first in "\u200d\ufe0f" or "🏻" <= first <= "🏿"


@pytest.mark.parametrize("text", SIGNS.values(), ids=SIGNS)
def test_no_row_begins_within_a_cluster(text: str) -> None:
    for most in (ROW_COLUMNS, 28):
        rows = cue_rows(text, most=most)
        assert "".join(rows) == text
        assert [row for row in rows if begins_within(row)] == []
        assert [cluster for row in rows for cluster in clusters(row)] == clusters(text)
        assert max(map(columns, rows)) <= most


@pytest.mark.parametrize(("language", "text"), KINSOKU.items())
def test_no_row_begins_with_a_mark_that_may_not_begin_one(language: str, text: str) -> None:
    rows = cue_rows(text, language)
    assert [row for row in rows if row[0] in NEVER_FIRST] == []
    assert [row for row in rows if row[-1] in "「『（“《«¿"] == []
    assert max(map(columns, rows)) <= ROW_COLUMNS


def test_highlighted_words_are_whole() -> None:
    for text in (*SIGNS.values(), *KINSOKU.values()):
        line = SpokenLine(text=text, start_s=0.0, end_s=len(text) / 10)
        states = caption_states(Narration(duration_cells=1_000, cues=(), lines=(line,)))
        words = {word for state in states for word in state.words}
        assert [word for word in words if begins_within(word) or word[0] in NEVER_FIRST] == []


@pytest.mark.parametrize(
    ("language", "word"),
    [("de", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"), ("xx", "Abc" * 30)],
)
def test_long_words_have_a_hyphen_where_they_are_cut(language: str, word: str) -> None:
    found = pieces(word, ROW_COLUMNS, language)
    assert all(piece.endswith("-") for piece in found[:-1])
    assert "".join(piece.removesuffix("-") for piece in found) == word
    assert max(map(columns, found)) <= ROW_COLUMNS


def test_german_words_are_cut_between_syllables() -> None:
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    assert pieces(word, ROW_COLUMNS, "de-AT")[0] == "Donaudampfschifffahrtselektrizitätenhaupt-"


def test_addresses_and_numbers_are_cut_without_a_hyphen() -> None:
    for text in ("https://example.org/" + "path/" * 12, "1" * 90, "_" * 90):
        found = pieces(text, ROW_COLUMNS)
        assert "".join(found) == text
        assert max(map(columns, found)) <= ROW_COLUMNS


@pytest.mark.parametrize("text", SIGNS.values(), ids=SIGNS)
def test_titles_and_long_words_on_pages_are_cut_between_clusters(text: str) -> None:
    short = shortened(text, 20.0)
    assert short.endswith("…")
    whole = clusters(text)
    assert clusters(short[:-1]) == whole[: len(clusters(short[:-1]))]
    assert [each for part in breakable(text, 32).split("\u200b") for each in clusters(part)] == whole


@pytest.mark.parametrize("text", [*SIGNS.values(), "x = '河流很长'  # 河" * 12], ids=[*SIGNS, "wide"])
def test_lines_of_code_are_wrapped_between_clusters(text: str) -> None:
    pages = paginate((Code("", text),))
    lines = [line for page in pages for block in page if isinstance(block, Code) for line in block.text.split("\n")]
    assert max(map(columns, lines)) <= 88
    assert [each for line in lines for each in clusters(line.removeprefix("  ↪ "))] == clusters(text)
    assert wrapped("short", 88, "  ") == ["short"]


@pytest.mark.parametrize("text", [*SIGNS.values(), KINSOKU["zh"], KINSOKU["ja"]])
def test_long_texts_are_divided_among_pages_between_clusters(text: str) -> None:
    for most in range(1, 60):
        rest = text[place(text, most) :]
        assert not begins_within(rest)
        assert clusters(rest) == clusters(text)[-len(clusters(rest)) :]
