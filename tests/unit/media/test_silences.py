# ruff: noqa: E501
"""Silence in what is said: pauses wherever they stand, time to think in a quiz, contacts, and sentences that go on."""

from __future__ import annotations

import pytest

from handlers.generation.model import Brief, Voice
from handlers.generation.script.content import cells_of, items_of
from handlers.generation.script.document import read_scenes, write_document
from handlers.generation.script.inline import plain
from handlers.generation.script.script import PlannedScript, plan_brief
from handlers.generation.script.shapes.quiz import THINK_S


def planned(text: str) -> PlannedScript:
    return plan_brief(Brief(script=text, voice=Voice("en-us")), ("midnight",))


def lines(script: PlannedScript) -> list[tuple[str, float]]:
    return [(line.text, line.pause_s) for scene in script.script.scenes for line in scene.lines]


def pages(script: PlannedScript) -> list[list[str]]:
    return [
        [plain(item.spans) for cell in cells_of(scene.blocks) for item in items_of(cell)]
        for scene in script.script.scenes
    ]


PAUSED = {
    "items": ("- First [pause 1s] item\n- Second (beat)\n- Third", [("First item", 1.0), ("Second", 0.7), ("Third", 0)]),
    "items without marks": (
        "THE LIST\n\nWHAT YOU NEED [pause 1s]\n• one [pause 2s]\n• two <break time='1s'/>\n\nWHAT TO DO (sighs)\nRest.",
        [("THE LIST", 0), ("WHAT YOU NEED", 0), ("one", 2.0), ("two", 1.0), ("WHAT TO DO", 0), ("Rest.", 0)],
    ),
    "headings": ("# Talk [pause 1s] one\n\nOne. [pause 2s]\n\n### [excited] Two\n\nThree.", [("Talk one", 0), ("One.", 2.0), ("Two", 0), ("Three.", 0)]),
    "boxes": ("> [!TIP]\n> Box. [pause 1s] Text.", [("Box.", 1.0), ("Text.", 0)]),
    "quotes": ("> He said [pause 1s] so.\n\nAnd went.", [("He said so.", 0), ("And went.", 0)]),
    "slides": (
        "Slide 1: Rivers [pause]\n• They flow [pause 1s]\n• They bend\n\nSlide 2: Lakes (smiling)\n• They rest",
        [("Rivers", 0), ("They flow", 1.0), ("They bend", 0), ("Lakes", 0), ("They rest", 0)],
    ),
    "a thread": ("1/3\nRain falls. [pause 1s] Then it stops.\n\n2/3\nIt is wet.\n\n3/3\n[laughs] Of course.", [
        ("Rain falls.", 1.0), ("Then it stops.", 0), ("It is wet.", 0), ("Of course.", 0)]),
    "tags before marks": ("Rain falls (softly), then stops [laughs]. [pause 1s] It is [sighs] wet (whispering)!", [
        ("Rain falls, then stops.", 1.0), ("It is wet!", 0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PAUSED)
def test_pauses_are_silence_wherever_they_stand(name: str) -> None:
    text, right = PAUSED[name]
    script = planned(text)
    assert lines(script) == right
    written = "\n".join([*(text for page in pages(script) for text in page), *(text for text, _ in lines(script))])
    assert not any(sign in written for sign in "[<(\ufdd0")


def test_tags_in_code_are_code() -> None:
    script = planned("# Tags\n\nWrite `[pause 2s]` for silence.\n\n```\nHello. [pause 2s]\n```\n")
    assert ("Write [pause 2s] for silence.", 0) in lines(script)
    assert "[pause 2s]" in str(script.script.scenes)


QUIZ = "1. Which planet has the shortest day?\nA) Mars\nB) Jupiter\nAnswer: B\n\n2. Water boils at ____ degrees.\nAnswer: 100"


def test_the_answer_of_a_quiz_comes_last_and_after_time_to_think() -> None:
    script = planned(QUIZ)
    assert lines(script) == [
        ("Which planet has the shortest day?", 0), ("A) Mars", 0), ("B) Jupiter", THINK_S), ("Answer: B, Jupiter", 0),
        ("Water boils at ____ degrees.", THINK_S), ("Answer: 100", 0),
    ]  # fmt: skip
    first = script.script.scenes[0]
    steps = {plain(item.spans): item.step for cell in cells_of(first.blocks) for item in items_of(cell)}
    assert max(steps, key=lambda text: steps[text]) == "Answer: B, Jupiter"


@pytest.mark.parametrize(
    "text",
    [
        QUIZ.replace("\nA)", "\n\nA)").replace("\nAnswer", "\n\nAnswer"),
        QUIZ.replace("A) Mars\nB) Jupiter\nAnswer: B", "Answer: B\nA) Mars\nB) Jupiter"),
        QUIZ.replace("A)", "(a)").replace("B)", "(b)").replace("Answer: B", "Correct answer: b)"),
    ],
)
def test_options_and_answers_belong_to_their_question(text: str) -> None:
    script = planned(text)
    assert len(script.script.scenes) == 2
    assert lines(script)[2][1] == THINK_S
    assert lines(script)[3][0].endswith("nswer: B, Jupiter")


def test_a_quiz_in_markdown_has_time_to_think() -> None:
    script = planned("# Quiz\n\n1. Which is it?\n\n   **Answer:** This\n\n2. Which not?\n\n   **Answer:** That\n")
    assert lines(script)[1:] == [
        ("Which is it?", THINK_S),
        ("Answer: This", 0),
        ("Which not?", THINK_S),
        ("Answer: That", 0),
    ]


CONTACTS = {
    "of the press": "Acme opens\n\nAcme opened a workshop.\n\nPress contact:\nJo Lind\njo@acme.example\n+49 30 5550102",
    "in Markdown": "# Acme opens\n\nAcme opened a workshop.\n\nContact: Jo Lind, jo@acme.example, +49 30 5550102\n",
    "German": "Acme öffnet\n\nAcme hat eine Werkstatt.\n\nAnsprechpartnerin: Jo Lind, jo@acme.example",
}


@pytest.mark.parametrize("name", CONTACTS)
def test_a_contact_at_the_end_is_shown_and_not_said(name: str) -> None:
    script = planned(CONTACTS[name])
    assert not any("jo@acme" in text or "Jo Lind" in text for text, _ in lines(script))
    assert "jo@acme.example" in str(pages(script))
    assert "private_data" in [warning.code for warning in script.warnings]


def test_an_address_within_a_sentence_is_said() -> None:
    script = planned("We read all letters.\n\nThis is a text. Write to jo@acme.example.")
    assert lines(script)[-1] == ("Write to jo@acme.example.", 0)


def test_what_ends_a_post_is_left_out() -> None:
    script = planned(
        "At the lake\n\nThe water was cold.\n\nMore on my page!\n🔗 https://example.org/lake\n#lake #summer\n@ida"
    )
    assert lines(script)[-1] == ("More on my page!", 0)
    assert [each.why for each in script.reading.left_out] == ["address", "tags", "tags"]
    kept = planned("At the lake\n\nThe water was cold.\n\nDownload the map from\nhttps://example.org/lake")
    assert kept.reading.left_out == ()


LONG = "which was fed each day with rye and water and stood near the stove in the kitchen " * 6
CUT = {
    "an item": f"- A dough {LONG}and rose\n- Short",
    "a sentence": f"A dough {LONG}and rose.",
    "a quote": f"> A dough {LONG}and rose.\n\nSo it was.",
}


@pytest.mark.parametrize("name", CUT)
def test_pieces_of_a_sentence_go_on(name: str) -> None:
    found = [line for scene in planned(CUT[name]).script.scenes for line in scene.lines if line.text]
    assert [line.cut for line in found][:2] == [True, False]
    assert not any(line.cut for line in found if line.text.rstrip(".").endswith(("rose", "Short", "was")))


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("VO: And then [pause 1s] we left.\nVisual: a door\n\nVO: That is all.\nVisual: a road", [True, False, False]),
        ("And then [pause 1s] we left. [pause 1s] That is all.", [True, False, False]),
        ("Rain\n\nThe rain has come\nto stay a while,\nwith us.\n\nThe sun is gone\nand stays away,\nit seems.", [False, True, True, False, True, True, False]),
    ],
)  # fmt: skip
def test_sentences_go_on_over_pauses_and_rows(text: str, cut: list[bool]) -> None:
    assert [line.cut for scene in planned(text).script.scenes for line in scene.lines] == cut


def test_a_line_that_goes_on_is_kept_in_scenes() -> None:
    script = planned("VO: And then [pause 1s] we left.\nVisual: a door\n\nVO: That is all.\nVisual: a road").script
    again = read_scenes(write_document(script))
    assert [line.cut for scene in again.scenes for line in scene.lines] == [True, False, False]


def test_lines_of_speech_that_go_on_are_one_sentence() -> None:
    script = planned("VO: This is a sentence that\ngoes on here.\nVisual: a door\n\nVO: That is all.\nVisual: a road")
    assert lines(script)[0] == ("This is a sentence that goes on here.", 0)
