"""What people paste is read as what it is: right values of scripts, talks, lists, plain text and other markup."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attrs import frozen

from handlers.generation.errors import ScriptError
from handlers.generation.model import Brief, Voice
from handlers.generation.script.content import Bullets, Paragraph, Quote, Scene, cells_of, items_of
from handlers.generation.script.inline import plain
from handlers.generation.script.script import PlannedScript, plan_brief
from tests.support.pasted_scripts import LISTS, TALKS, VIDEO
from tests.support.pasted_texts import CONTROLS, MARKUP, PLAIN


def planned(text: str, **given: object) -> PlannedScript:
    brief = Brief(script=text, voice=Voice("en-us"), **given)  # type: ignore[arg-type]
    return plan_brief(brief, ("midnight",))


def said(script: PlannedScript) -> list[str]:
    return [line.text for scene in script.script.scenes for line in scene.lines if line.text]


def together(texts: Iterable[str]) -> str:
    """What is said, wherever it is cut into lines."""
    return "".join("".join(texts).split())


def shown(scene: Scene) -> list[str]:
    cells = list(cells_of(scene.blocks))
    return [plain(item.spans) for cell in cells for item in items_of(cell)] + [
        plain(cell.spans) for cell in cells if isinstance(cell, Quote)
    ]


def sections(script: PlannedScript) -> int:
    return sum(scene.part == 1 for scene in script.script.scenes)


def left_out(script: PlannedScript) -> str:
    return "\n".join(each.text for each in script.reading.left_out)


@frozen
class Right:
    """The right value of a script; `said` is all that is said."""

    shape: str
    title: str
    sections: int
    said: tuple[str, ...]
    shown: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


SCRIPTS = {
    "chat-script.md": Right("video_script", "Why Bees Dance", 3, (
        "What if I told you that bees give directions by dancing?", "A forager walks in a straight line and shakes.",
        "The angle shows the way to the food.", "Follow for more, and tell me in the comments: did you know?"),
        ("Angle = direction",), ("Close-up of a bee on a flower", "bee walks in a figure eight")),
    "shot-list.txt": Right("video_script", "Every Monday looked the same.", 3, (
        "Every Monday looked the same.", "Until somebody asked a question.", "Then everything changed."),
        ("Why?",), ("Wide shot, empty classroom",)),
    "tiktok-zh.txt": Right("video_script", "为什么猫会踩奶？", 3, (
        "你家的猫为什么总在踩奶？", "小猫踩奶，是为了让妈妈的奶水流出来。", "喜欢就点个关注吧！"), ("踩奶 = 想妈妈",)),
    "script-ja.txt": Right("video_script", "コーヒーの豆知識", 2, (
        "コーヒーは、実は果物の種です。", "焙煎が、味を決めます。"), ("焙煎で味が変わる",), ("湯気の立つカップ",)),
    "script-de.txt": Right("video_script", "Warum wir gähnen", 3, (
        "Gähnen steckt an.", "Aber warum?", "Forscher denken, dass es das Gehirn kühlt.", "Abonnieren Sie den Kanal!"),
        ("55 % der Menschen gähnen mit",)),
    "label-then-block.md": Right("video_script", "Acme Notes", 2, (
        "Welcome to Acme Notes.", "It keeps what you write in one place.",
        "Type a word, and every note that has it is there."), ("Acme Notes", "Free for teams")),
    "spoken-visual.md": Right("video_script", "You have heard that glass is a slow liquid.", 2, (
        "You have heard that glass is a slow liquid.", "It isn't.", "Let's see why."), (),
        ("Close-up of an old window",)),
    "table-narrow.md": Right("video_script", "Nobody told me this.", 2, (
        "Nobody told me this.", "So I tried it."), ("30 days",), ("Close-up face",)),
    "script-ko.txt": Right("video_script", "하품은 왜 옮을까?", 2, (
        "하품은 옮습니다.", "왜 그럴까요?", "뇌를 식히기 때문입니다."), ("55%가 따라 합니다",)),
    "script-ar.txt": Right("video_script", "لماذا نتثاءب؟", 2, (
        "التثاؤب معدٍ.", "لكن لماذا؟", "يبرد الدماغ."), ("55٪ من الناس",)),
    "sheet.tsv": Right("video_script", "Welcome to Acme.", 2, (
        "Welcome to Acme.", "Everything is in one place."), (), ("Logo on white", "Dashboard")),
    "script-in-fence.md": Right("video_script", "Yeast eats sugar.", 1, (
        "Yeast eats sugar.", "The dough grows."), (), ("dough",)),
    "scene-list.json": Right("scene_list", "How bread rises", 3, (
        "Yeast eats sugar and gives off gas.", "The gas is caught in the dough, and the dough grows.",
        "Heat sets the crumb.", "Bread is done."), ("Yeast + sugar = gas", "Enjoy!"),
        ("A bowl of dough under a cloth",)),
    "scene-list-fenced.md": Right("scene_list", "Welcome back to Small Talk.", 2, (
        "Welcome back to Small Talk.", "Thanks for having me.")),
    "scene-list.yaml": Right("scene_list", "How bread rises", 2, (
        "Yeast eats sugar and gives off gas.", "The gas is caught in the dough, and the dough grows.")),
    "sections-json.json": Right("scene_list", "Why", 3, (
        "Glass is not a liquid.", "Old panes are thick below because they were made so.", "Follow for more.")),
    "array.json": Right("scene_list", "Yeast eats sugar.", 2, (
        "Yeast eats sugar.", "The dough grows."), (), ("dough under a cloth, soft light",)),
    "other-tool.json": Right("scene_list", "Yeast eats sugar.", 2, (
        "Yeast eats sugar.", "The dough grows."), (), ("dough, bread",)),
    "fenced.md": Right("scene_list", "Yeast eats sugar.", 1, ("Yeast eats sugar.",), (), ("dough",)),
    "screenplay.txt": Right("screenplay", "You are late again.", 2, (
        "You are late again.", "The bridge was closed.", "He never told me which bridge.")),
    "podcast-whisper.txt": Right("transcript", "Welcome back to Small Talk.", 1, (
        "Welcome back to Small Talk.", "Thanks for having me.", "So, um, how did you start?",
        "With a borrowed camera and no plan.")),
    "interview-de.txt": Right("dialogue", "Interview mit Jana Roth, Imkerin", 2, (
        "Interview mit Jana Roth, Imkerin", "Frau Roth, wie sind Sie zur Imkerei gekommen?", "Durch meinen Großvater.",
        "Er hatte zwölf Völker.", "Und heute?", "Heute sind es achtzig.")),
    "otter-transcript.txt": Right("transcript", "Weekly planning", 2, (
        "Weekly planning", "Good morning.", "We have two things to settle today.", "First the launch.",
        "I think we should move it to May.", "Agreed.", "Then the budget.")),
    "subtitles.srt": Right("subtitles", "Every river begins small.", 1, (
        "Every river begins small.", "A spring, a thread of water between two stones.", "And then it grows.")),
    "subtitles-es.vtt": Right("subtitles", "Todo río nace pequeño.", 1, (
        "Todo río nace pequeño.", "Y termina en el mar.")),
    "two-hosts.md": Right("dialogue", "Welcome to the deep dive.", 1, (
        "Welcome to the deep dive.", "Today: why we yawn.", "Right, and it's not just because we're tired.", "Exactly.",
        "So what is it?", "Cooling.", "The brain runs hot.", "Think of it this way: a yawn is a fan.")),
    "poem-fr.txt": Right("verse", "Le port du soir", 2, (
        "Le port du soir", "La mer remonte sous les pontons,", "les mâts se penchent l'un vers l'autre,",
        "un phare épelle son prénom.", "Nous comptons les lampes une à une,", "et la dernière,", "c'est la nôtre.")),
    "slide-outline.txt": Right("slides", "The future of rail", 3, (
        "Welcome everyone and introduce yourself.", "Pause after the first number.", "Thank you!", "Q&A"),
        ("Why night trains are back", "Flights under 800 km are 4 % of emissions", "taxes differ")),
    "tts-tags.txt": Right("document", "Welcome to Small Talk!", 1, (
        "Welcome to Small Talk!", "Today we bake bread.", "Let's go…")),
    "ssml.txt": Right("ssml", "Welcome to Small Talk.", 1, (
        "Welcome to Small Talk.", "Today we bake bread.", "Let's go!")),
    "chat-export.txt": Right("document", "Rain begins as dust.", 1, (
        "Rain begins as dust.", "Water gathers around it, and falls.")),
}  # fmt: skip
TEXTS = {**VIDEO, **LISTS, **TALKS, **PLAIN, **MARKUP}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_said_and_shown_as_it_is_meant(name: str) -> None:
    right, script = SCRIPTS[name], planned(TEXTS[name])
    assert (script.reading.shape, script.script.title, sections(script)) == (right.shape, right.title, right.sections)
    assert together(said(script)) == together(right.said)
    pages = [text for scene in script.script.scenes for text in shown(scene)]
    assert set(right.shown) <= set(pages)
    hints = " ".join(scene.hint for scene in script.script.scenes)
    assert all(hint in hints for hint in right.hints)


@pytest.mark.parametrize("name", CONTROLS)
def test_what_looks_a_little_like_a_script_is_a_document(name: str) -> None:
    script = planned(CONTROLS[name])
    assert (script.reading.shape, script.reading.left_out, script.warnings) == ("document", (), ())


@pytest.mark.parametrize(
    ("name", "shape", "title", "said_last"),
    [
        ("html-page.html", "html", "Rivers", "salt"),
        ("notebook.ipynb", "notebook", "Rivers", "Here it is in Python."),
        ("beamer.tex", "latex", "Rivers", "Pause here."),
        ("rst.rst", "rst", "Rivers", "salt"),
        ("asciidoc.adoc", "asciidoc", "Rivers", "This table shows River and Length. Its rows are Rhine."),
        ("org.org", "org", "Rivers", "Here it is in Python."),
        ("confluence.txt", "wiki", "Rivers", "the atlas"),
    ],
)
def test_other_markup_is_no_text(name: str, shape: str, title: str, said_last: str) -> None:
    script = planned(MARKUP[name])
    assert (script.reading.shape, script.script.title, said(script)[-1]) == (shape, title, said_last)
    warned = [warning.code for warning in script.warnings]
    assert ("looks_like" in warned) is (shape in ("rst", "asciidoc", "org", "wiki"))
    signs = ("<p>", "\\item", "#+", "::", "h1.", "{panel", "[source", "nbformat")
    assert not any(sign in text for text in said(script) for sign in signs)


@pytest.mark.parametrize(
    ("name", "headings"),
    [
        ("caps-headings.txt", ["HOW TO REPOT A PLANT", "WHAT YOU NEED", "STEP 1: LOOSEN THE ROOTS",
                               "STEP 2: FILL AND WATER", "1. AFTER CARE"]),
        ("recipe-it.txt", ["Frittata di zucchine", "Ingredienti", "Preparazione"]),
        ("bold-headings.md", ["Introduction", "Why it happens", "Conclusion"]),
        ("numbered-essay.txt", ["1 Introduction", "2 Method"]),
        ("hard-wrapped.txt", ["THE LAST LAMPLIGHTER", "CHAPTER I. Of Gas and Glass", ""]),
    ],
)  # fmt: skip
def test_headings_need_no_marks(name: str, headings: list[str]) -> None:
    script = planned(PLAIN[name])
    assert [plain(scene.heading) for scene in script.script.scenes if scene.part == 1] == headings


def test_lists_need_no_marks_of_markdown() -> None:
    blocks = [block for scene in planned(PLAIN["bullets-pasted.txt"]).script.scenes for block in scene.blocks]
    items = [item for block in blocks if isinstance(block, Bullets) for item in block.items]
    assert [item.number for item in items] == [1, 2, 3, *[None] * 7]
    assert [item.depth for item in items[3:]] == [0, 1, 1, 2, 0, 0, 0]
    assert plain(items[6].spans) == "records differ"


def test_wrapped_lines_are_joined_and_other_line_ends_are_rows() -> None:
    wrapped = said(planned(PLAIN["hard-wrapped.txt"]))
    assert any("noticing him" in text for text in wrapped)
    assert not any("-3-" in text or "code" in text for text in wrapped)
    minutes = planned(PLAIN["minutes-pt.txt"]).script.scenes[0]
    (rows,) = (block for block in minutes.blocks if isinstance(block, Paragraph) and block.rows)
    assert [plain(row.spans) for row in rows.sentences] == ["Presentes: Ana, Bruno, Carla", "Ausentes: Davi"]


def test_times_alone_on_their_lines_begin_scenes_where_a_narrator_speaks_and_a_text_is_shown() -> None:
    script = planned(
        "# How geese fly\n\n[0:00-0:05]\nNarrator: Why do geese fly in a V?\n\n[0:05-0:10]\nOn-screen text: 70 %\n"
        "Narrator: It saves them most of the work.\n\n[0:10-0:20]\nNarrator: Then another takes its place.\n"
    )
    assert (script.reading.shape, sections(script)) == ("video_script", 3)
    assert said(script)[1] == "It saves them most of the work."


def test_a_scene_that_shows_nothing_shows_what_is_said() -> None:
    script = planned(
        "# How geese fly\n\n**[0:00-0:05] Hook**\nNarrator: Why do geese fly in a V?\n\n"
        "**[0:05-0:10] Fact**\nOn-screen text: 70 %\n"
        "Narrator: It saves them most of the work. Each one rides on air.\n\n"
        "**[0:10-0:20] Swap**\nNarrator: The leader gets tired first. Then another takes its place.\n"
    )
    first, second, third = script.script.scenes
    assert (plain(first.heading), shown(first)) == ("How geese fly", ["Why do geese fly in a V?"])
    assert shown(second) == ["70 %"]
    assert shown(third) == ["The leader gets tired first.", "Then another takes its place."]
    assert [line.step for line in third.lines] == [0, 1]
    assert said(script)[0] == "Why do geese fly in a V?"


def test_a_quiz_has_a_page_for_each_question() -> None:
    assert sections(planned(PLAIN["quiz.txt"])) == 3


def test_a_thread_is_a_scene_for_each_post() -> None:
    script = planned(PLAIN["thread.txt"])
    assert (script.reading.shape, script.script.title, sections(script)) == (
        "thread",
        "Most people boil pasta wrong.",
        4,
    )
    assert "#cooking #pasta" in left_out(script)
    assert not any("1/" in text or "#" in text for text in said(script))


def test_a_mail_is_without_its_head_and_signature() -> None:
    script = planned(PLAIN["press-release-email.txt"])
    assert script.script.title == "Acme opens its second workshop"
    assert {"From: Press Office <press@acme.example>", "Sent from my phone", "###"} <= set(left_out(script).split("\n"))
    assert "private_data" in [warning.code for warning in script.warnings]


def test_pauses_are_silence() -> None:
    lines = [line for scene in planned(PLAIN["tts-tags.txt"]).script.scenes for line in scene.lines]
    assert [line.pause_s for line in lines] == [2.0, 1.5, 0.0]
    lines = [line for scene in planned(MARKUP["ssml.txt"]).script.scenes for line in scene.lines]
    assert [line.pause_s for line in lines] == [1.0, 2.0, 0.0]
    german = [line for scene in planned(VIDEO["script-de.txt"]).script.scenes for line in scene.lines]
    assert [line.pause_s for line in german] == [0.0, 0.0, 0.7, 0.0]


def test_rows_of_a_poem_have_pauses_and_stay_rows() -> None:
    stanzas = planned(PLAIN["poem-fr.txt"]).script.scenes[1]
    assert [block.rows for block in stanzas.blocks if isinstance(block, Paragraph)] == [True, True]
    assert [line.pause_s for line in stanzas.lines] == [0.25, 0.25, 1.0, 0.25, 0.25, 1.0]


def test_times_are_wished_lengths_and_what_surrounds_a_script_is_metadata() -> None:
    script = planned(VIDEO["chat-script.md"])
    assert [scene.wished_s for scene in script.script.scenes] == [5.0, 15.0, 10.0]
    assert script.reading.facts == {
        "wished_s": "45",
        "description": "Bees can dance! 🐝",
        "tags": "bees, nature, science, learnontiktok",
    }
    assert "Sure! Here's a 45-second script" in left_out(script)
    assert "Let me know if you'd like a longer version" in left_out(script)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Here are seven facts about bees:\n\nThey fly.", "Here are seven facts about bees:"),
        ("Sure, bees can fly!\n\nThey also dance.", "Sure, bees can fly!"),
    ],
)
def test_an_opener_alone_is_content(text: str, first: str) -> None:
    script = planned(text)
    assert (said(script)[0], script.reading.left_out) == (first, ())


def test_speakers_stand_with_their_words() -> None:
    scenes = planned(TALKS["two-hosts.md"]).script.scenes
    blocks = [block for scene in scenes for block in scene.blocks if isinstance(block, Paragraph)]
    assert list(dict.fromkeys(block.speaker for block in blocks)) == ["Alex", "Jordan"]
    assert [block.speaker for block in blocks][:3] == ["Alex", "Jordan", "Alex"]
    assert [line.speaker for scene in scenes for line in scene.lines][:3] == ["Alex", "Alex", "Jordan"]


def test_questions_are_headings_and_answers_have_a_voice_without_a_name() -> None:
    script = planned(TALKS["qa.txt"])
    assert [plain(scene.heading) for scene in script.script.scenes] == [
        "What is a delta?",
        "Is the Nile's the largest?",
    ]
    assert [line.speaker for line in script.script.scenes[0].lines] == ["", " "]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Rivers\x0bAn introduction\n\nSand.", "Rivers"),
        ("One line.\u2028Next line.\u2029New paragraph.", "Next line."),
        ("Wa\u00adter and zero\u200bwidth \ufb01sh, o\ufb03ce \ufffc.", "Water and zerowidth fish, office ."),
        ("A page.\n\n\x0c\n\nAnother.", "Another."),
    ],
)
def test_invisible_characters_are_gone(text: str, seen: str) -> None:
    script = planned(text)
    assert any(seen in line for line in said(script))


def test_a_format_that_is_asked_for_overrules() -> None:
    script = VIDEO["script-de.txt"]
    assert planned(script, format="document").reading.shape == "document"
    assert planned(f"---\nformat: document\n---\n{script}").reading.shape == "document"
    assert planned(f"---\nformat: document\n---\n{script}", format="video_script").reading.shape == "video_script"
    with pytest.raises(ScriptError, match="nothing in the script can be read as a list of scenes"):
        planned("# A\n\nText.", format="scene_list")


def test_front_matter_gives_voices_and_what_to_keep() -> None:
    head = "---\nvoices:\n  Alex: en-gb\nkeep: [hashtags]\n---\n"
    script = planned(head + "# A\n\nText.\n\n#one #two", voices={"Jordan": "en-us"})
    assert (script.voices, script.reading.left_out) == ({"Alex": "en-gb", "Jordan": "en-us"}, ())
    with pytest.raises(ScriptError, match="voices must have a line `Name: voice`"):
        planned("---\nvoices: loud\n---\n# A")
