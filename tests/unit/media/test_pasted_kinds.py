# ruff: noqa: E501
"""Kinds of scripts, talks and posts as people paste them: what is said of each, and what is neither shown nor said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attrs import frozen

from handlers.generation.model import Brief, Voice
from handlers.generation.script.content import Bullets, cells_of, items_of
from handlers.generation.script.inline import plain
from handlers.generation.script.script import PlannedScript, plan_brief


def planned(text: str) -> PlannedScript:
    return plan_brief(Brief(script=text, voice=Voice("en-us")), ("midnight",))


def said(script: PlannedScript) -> list[str]:
    return [line.text for scene in script.script.scenes for line in scene.lines if line.text]


def shown(script: PlannedScript) -> str:
    cells = [cell for scene in script.script.scenes for cell in cells_of(scene.blocks)]
    headings = [plain(scene.heading) for scene in script.script.scenes]
    return "\n".join([*headings, *(plain(item.spans) for cell in cells for item in items_of(cell))])


def together(texts: Iterable[str]) -> str:
    """What is said, wherever it is cut into lines."""
    return "".join("".join(texts).split())


@frozen(kw_only=True)
class Right:
    """The right value of a text; `said` is all that is said. `never` is neither shown nor said."""

    shape: str
    title: str = ""
    said: tuple[str, ...]
    shown: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


KINDS: dict[str, tuple[str, Right]] = {
    "parts with their times": (
        'REEL SCRIPT: "Two mistakes"\n\n🪝 HOOK (0-3 s)\n🎥 A pot\n🎙️ "Your plant is thirsty."\n\n'
        '❌ MISTAKE 1 (3-10 s)\n🎥 A can\n🎙️ "You water at noon."\n\n❌ MISTAKE 2 (10-18 s)\n🎥 A plate\n🎙️ "You never look."',
        Right(
            shape="video_script", title="Two mistakes", shown=("MISTAKE 1", "MISTAKE 2"),
            said=("Your plant is thirsty.", "You water at noon.", "You never look."), never=("HOOK", "A can", "(3-10"),
        ),
    ),
    "bracketed cues behind times": (
        "[00:00] [Szene: Regen am Fenster]\nSPRECHERIN: Es regnet.\n\n[00:08] [Animation: ein Tropfen]\n"
        "SPRECHERIN: Ein Tropfen fällt.\n[Text im Bild: 9 m/s]\n[Musik klingt aus]",
        Right(
            shape="video_script", said=("Es regnet.", "Ein Tropfen fällt."), shown=("9 m/s",),
            never=("Szene", "Animation", "Musik", "00:08", "SPRECHERIN"),
        ),
    ),
    "labels within the column of speech": (
        "| VIDEO | AUDIO |\n|---|---|\n| WIDE: a hall | MUSIC: strings<br>NARR: You know we lend books. |\n"
        "| SUPER: Two weeks | (MUSIC stops)<br>CHILD (V.O.): It has a ring!<br>SFX: card beep |",
        Right(
            shape="video_script", said=("You know we lend books.", "It has a ring!"), shown=("Two weeks",),
            never=("strings", "card beep", "(V.O.)", "NARR", "MUSIC"), left_out=("SFX: card beep",),
        ),
    ),
    "advice below the table": (
        "Klar, hier ist dein Videoskript:\n\n| Bild | Sprechertext |\n|---|---|\n| Teig | Wir backen Brot von Hand. |\n"
        "| Ofen | Jeden Morgen um drei. |\n\n**Tipp:** Nimm warme Farben.",
        Right(
            shape="video_script", title="Wir backen Brot von Hand.",
            said=("Wir backen Brot von Hand.", "Jeden Morgen um drei."), never=("Tipp", "Farben"),
            left_out=("Nimm warme Farben",),
        ),
    ),
    "music and effects in brackets behind what is said": (
        "[HOOK 0:00-0:05]\nNarrator: Hello there. [upbeat music fades]\nOn-screen text: HELLO\n\n"
        "[CTA 0:05-0:10]\nNarrator: [Musik wird lauter] Good bye, [sic] all.\nOn-screen text: BYE",
        Right(
            shape="video_script", said=("Hello there.", "Good bye, [sic] all."), shown=("HELLO", "BYE"),
            never=("fades", "Musik"),
        ),
    ),
    "addresses of pictures below a script": (
        "Cena 1 (0-5s)\nImagem: uma praia\nLocução: O mar é azul.\nTexto na tela: Azul\n\nCena 2 (5-9s)\nImagem: um barco\n"
        "Locução: O barco parte.\n\n![][image1]\n\n[image1]: <https://example.org/a.png>\n[Visual]: https://example.org/b.png \"B\"",
        Right(
            shape="video_script", said=("O mar é azul.", "O barco parte."), never=("example.org",),
            left_out=("[image1]: <https", "![][image1]"),
        ),
    ),
    "labels are words where speech has none": (
        "| Visual | Voiceover |\n|---|---|\n| A pot | Sound: it travels four times faster in water. |\n| A can | That is all about it. |",
        Right(
            shape="video_script", said=("Sound: it travels four times faster in water.", "That is all about it."),
        ),
    ),
    "columns set with blanks": (
        "VIDEO                      AUDIO\nWIDE: dry lake             NARR: It was full in March.\n"
        "SUPER: Save water          SFX: drip\nMS: a tap                  NARR: Close the tap\n"
        "                           while you brush.",
        Right(
            shape="video_script", said=("It was full in March.", "Close the tap while you brush."),
            shown=("Save water",), never=("NARR", "drip", "dry lake"),
        ),
    ),
    "bracketed notes of a script": (
        "plant vid -- SCRIPT v4 FINAL\n\nINTRO\n\n[me at my desk, fern in frame]\n\nThis fern is thriving.\n\n"
        "[ON SCREEN: 30 days]\n\nDoes it look like that?\n\n[SFX: trombone]\n\nOUTRO\n\nWater it.\n\n[END SCREEN 20s, no talking]",
        Right(
            shape="video_script", title="plant vid", said=("This fern is thriving.", "Does it look like that?", "Water it."),
            shown=("30 days",), never=("my desk", "END SCREEN", "SCRIPT v4", "trombone"), left_out=("[END SCREEN 20s, no talking]",),
        ),
    ),
    "cues in bold brackets alone": (
        "**[Visual: a bean]**\n\nIt is no bean.\n\n**[Visual: a bush]**\n**[Text: A seed]**\n\nIt is a seed.\n\n**[Sound: crackling]**\n\nHeat makes it brown.",
        Right(
            shape="video_script", said=("It is no bean.", "It is a seed.", "Heat makes it brown."), shown=("A seed",),
            never=("a bush", "crackling", "["),
        ),
    ),
    "speech goes on below a cue": (
        "HOOK (0-3s)\n\"It says 65 watts.\"\n[Visual: a label]\n\"It never gives that.\"\n[Text on screen: 65 W?]\n\nBODY (3-9s)\n"
        "\"Your phone decides.\"\n[Visual: a graph]\n\"It asks for less.\"",
        Right(
            shape="video_script", said=("It says 65 watts.", "It never gives that.", "Your phone decides.", "It asks for less."),
            shown=("65 W?",), never=("a graph", "HOOK"),
        ),
    ),
    "a title above labels": (
        "VÍDEO: EL HIELO\n\n[00:00 - 00:07]\nIMAGEN: Un vaso.\nVOZ EN OFF: ¿Por qué es blanco?\n\n[00:07 - 00:20]\nIMAGEN: Burbujas.\nVOZ EN OFF: Por el aire.",
        Right(shape="video_script", title="EL HIELO", said=("¿Por qué es blanco?", "Por el aire."), never=("VÍDEO", "Burbujas")),
    ),
    "messages of a group": (
        "[3/14/24, 6:02:11 PM] Block: Messages are end-to-end encrypted.\n[3/14/24, 6:02:48 PM] Dana: who has a grill\n"
        "[3/14/24, 6:03:20 PM] Luis: I have one\nbut it misses a leg.\n[3/14/24, 6:06:02 PM] Luis: image omitted\n"
        "[3/14/24, 6:06:40 PM] Dana: that is a wheelbarrow\n[3/14/24, 6:07:15 PM] Luis: with ambition",
        Right(
            shape="dialogue", said=("who has a grill", "I have one but it misses a leg.", "that is a wheelbarrow", "with ambition"),
            never=("3/14", "6:0", "PM", "encrypted", "omitted"), left_out=("image omitted",),
        ),
    ),
    "messages under names and times": (
        "Mara Lind  6:04 PM\nIs the hall free?\n\nJo  6:05 PM\nUntil nine.\nThen choir.\n\nMara Lind  6:09 PM\nThen we come at ten.\n\nJo  6:10 PM\nI bring the key.",
        Right(
            shape="dialogue", said=("Is the hall free?", "Until nine.", "Then choir.", "Then we come at ten.", "I bring the key."),
            never=("6:04", "PM"),
        ),
    ),
    "messages of KakaoTalk": (
        "[지민] [오후 6:04] 열쇠 있어?\n[하늘] [오후 6:05] 화분 밑에 있어\n[지민] [오후 6:06] 어느 화분?\n[하늘] [오후 6:06] 꽃 없는 거",
        Right(shape="dialogue", said=("열쇠 있어?", "화분 밑에 있어", "어느 화분?", "꽃 없는 거"), never=("오후", "6:0")),
    ),
    "what a tool adds to a transcript": (
        "Ana  0:02\nCan you hear me?\n\nBo  0:09\nWhisper it to me.\n\nAna  0:14\nRecording is on.\n\nTranscribed automatically. Accuracy may vary.",
        Right(
            shape="transcript", said=("Can you hear me?", "Whisper it to me.", "Recording is on."),
            never=("Accuracy", "0:14"), left_out=("Transcribed automatically",),
        ),
    ),
    "sounds of a dialogue": (
        "MIA: Hello there.\n[DOOR OPENS]\nTOM: Hello to you.\n[MUSIC SWELLS]\nMIA: It is cold.\nTOM: It is not.",
        Right(
            shape="dialogue", said=("Hello there.", "Hello to you.", "It is cold.", "It is not."), never=("MUSIC", "DOOR"),
            left_out=("[MUSIC SWELLS]",),
        ),
    ),
    "the header of subtitles": (
        "WEBVTT - Trail safety\n\n00:00.500 --> 00:03.900\n<v Ranger>You're standing here.\n\n00:04.200 --> 00:06.000\n<v Kid>I am.",
        Right(shape="subtitles", title="Trail safety", said=("You're standing here.", "I am.")),
    ),
    "stanzas whose rows end sentences": (
        "Rain\n\nThe shed has kept its smell\nof twine and oil and tin.\nThe rain has naught to tell,\nNo one lets it in.\n\n"
        "A robin waits for me\nas if I owed him rent.\nHe sits upon the tree,\nHe wonders where it went.\n\n"
        "    Beneath the frost it lies,\n    a garlic turns in bed.\n    It never shuts its eyes,\n    It puts out green instead.",
        Right(
            shape="verse", title="Rain", said=(
                "Rain", "The shed has kept its smell", "of twine and oil and tin.", "The rain has naught to tell,", "No one lets it in.",
                "A robin waits for me", "as if I owed him rent.", "He sits upon the tree,", "He wonders where it went.",
                "Beneath the frost it lies,", "a garlic turns in bed.", "It never shuts its eyes,", "It puts out green instead."),
        ),
    ),
    "an offer at the end of an outline": (
        "Absolutely! Below is a 2-slide outline with notes.\n\nSlide 1: Opening\nTitle: One Day Less\nSpeaker notes: Good morning.\n\n"
        "Slide 2: End\nTitle: Thanks\nSpeaker notes: Goodbye.\n\nLet me know if you'd like me to suggest images or shorten the notes!",
        Right(shape="slides", title="One Day Less", said=("Good morning.", "Goodbye."), left_out=("Let me know if",), never=("Let me know",)),
    ),
    "an offer with a list of changes": (
        "Sure! Here's a script:\n\nVO: Rain is dust.\nVisual: dust\n\nVO: Then it falls.\nVisual: rain\n\nWould you like me to:\n- shorten it?\n- add B-roll?",
        Right(shape="video_script", said=("Rain is dust.", "Then it falls."), left_out=("Would you like", "- add B-roll?"), never=("B-roll",)),
    ),
    "who wrote a thread": (
        "🧵 Why is a bog dull?\nby @mosswalks\n\n1/3\nIt looks like nothing.\n\n2/3\nIt is five metres of time.\n\n3/3\nStop for a minute.\n@mosswalks",
        Right(
            shape="thread", said=("Why is a bog dull?", "It looks like nothing.", "It is five metres of time.", "Stop for a minute."),
            never=("@mosswalks",), left_out=("by @mosswalks",),
        ),
    ),
    "cells of a notebook": (
        '{"cells": [{"cell_type": "markdown", "source": ["# Swifts\\n", "\\n", "One roof."]}, {"cell_type": "code", "source": ["import wave\\n", "rec = wave.open()"],'
        ' "outputs": [{"output_type": "stream", "text": ["41 peaks"]}]}], "nbformat": 4}',
        Right(shape="notebook", title="Swifts", said=("Swifts", "One roof.", "Here it is in Python."), never=("41 peaks", "nbformat"), left_out=("41 peaks",)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_text_of_the_kind_is_said_and_shown_as_it_is_meant(name: str) -> None:
    text, right = KINDS[name]
    script = planned(text)
    assert script.reading.shape == right.shape
    assert together(said(script)) == together(right.said)
    assert right.title in ("", script.script.title)
    pages = f"{shown(script)}\n{script.script.title}"
    assert [each for each in right.shown if each not in pages] == []
    assert [each for each in right.never if each in pages or each in " ".join(said(script))] == []
    left = "\n".join(each.text for each in script.reading.left_out)
    assert [each for each in right.left_out if each not in left] == []


#: Documents that look a little like another shape: what tells them apart.
DOCUMENTS = {
    "records of a program": "Last night\n\n" + "".join(
        f"2024-03-14 18:0{n}:11 - {level}: step {n} is done\n" for n, level in enumerate(("INFO", "ERROR") * 3)
    ),
    "notes of what each did": "## Monday\n\n**Ines:** wrote the importer.\n**Tom:** was ill.\n\n## Tuesday\n\n**Ines:** tests it.\n**Tom:** reviews it.",
    "a list of addresses": "People\n\nMrs Dahl\nKirkegata 4\nDoor on the left\n\nHugo\nBehind the bakery\nKnock twice\n\nThe Post\nMain Square\nOpen until five",
    "pictures described in brackets": "[Image: a dog]\n\nThe dog ran.\n\n[Image: a cat]\n\nThe cat sat.\n\n[Image: a bird]\n\nThe bird flew.",
    "spans behind names": "Opening hours\n\nPool (9-12 min walk)\nSauna (3-5 min walk)\n\nThe pool is warm.",
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_looks_a_little_like_it_is_a_document(name: str) -> None:
    assert planned(DOCUMENTS[name]).reading.shape == "document"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Nachtzug Demos\nSide A\n1. Platform Four (3:41)\n2. Signal Box (2:58)\n\nSide B\n3. Last Stop (3:30)\n4. Home (2:10)", "Nachtzug Demos"),
        ("Zuppa di lenticchie\nPer 4 persone - 50 minuti\n\nIngredienti\n300 g di lenticchie\n1 carota\n2 cipolle\n\nTutto in pentola.", "Zuppa di lenticchie"),
    ],
)  # fmt: skip
def test_a_title_stands_right_above_what_belongs_to_it(text: str, title: str) -> None:
    assert planned(text).script.title == title


@pytest.mark.parametrize(
    "last",
    [
        "Want me to:\n\n1. Shorten it\n2. Make a carousel",
        "Soll ich noch einen Titel vorschlagen?\n\n#regen #staub",
        "Let me know if you'd like me to suggest images!\n\n---\n\n#rain #dust",
        "Якщо треба, зроблю коротшу версію.",
        "İster misin, daha kısa bir sürüm?",
    ],
)
def test_offers_are_left_out_in_all_their_forms(last: str) -> None:
    script = planned(
        f"Sure! Here's a script:\n\nVO: Rain is dust.\nVisual: dust\n\nVO: It falls.\nVisual: rain\n\n{last}"
    )
    assert together(said(script)) == together(("Rain is dust.", "It falls."))


@pytest.mark.parametrize(
    "line",
    [
        "6 min read", "6 min de lecture", "6 min Lesezeit", "SKU: KT-204", "Artikel-Nr.: KT-204", "[Photo: a kettle]",
        "[Foto: una tetera]", "Ce message est confidentiel et destiné à son lecteur.",
    ],
)  # fmt: skip
def test_what_stands_around_a_copied_text_is_left_out_in_each_language(line: str) -> None:
    found = planned(f"The kettle\n\n{line}\n\nIt boils a litre of water.")
    assert said(found) == ["The kettle", "It boils a litre of water."]
    assert [each.text for each in found.reading.left_out] == [line]


@pytest.mark.parametrize(
    "line", ["Page 2 of 9", "Seite 2 von 9", "página 2 de 9", "Strona 2", "стр. 2", "第 2 页", "2ページ"]
)
def test_numbers_of_pages_are_left_out(line: str) -> None:
    found = planned(f"The kettle\n\nIt boils.\n\n{line}\n\nIt whistles.")
    assert said(found) == ["The kettle", "It boils.", "It whistles."]
    assert [each.line for each in found.reading.left_out] == [5]
    assert [warned.code for warned in found.warnings] == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("200 g flour", "a pinch of salt"), ("eine Prise Salz", "200 g Mehl"), ("une pincée de sel", "200 g de farine"),
        ("q.b. sale", "una manciata di noci"), ("少々 塩", "200 g 小麦粉"), ("щепотка соли", "200 г муки"),
    ],
)  # fmt: skip
def test_rows_of_amounts_are_a_list(first: str, second: str) -> None:
    script = planned(f"The cake\n\nMix this.\n\n{first}\n{second}\n3 eggs\n\nBake it.").script
    lists = [cell for scene in script.scenes for cell in scene.blocks if isinstance(cell, Bullets)]
    assert [len(each.items) for each in lists] == [3]


def test_an_address_of_a_picture_is_no_direction() -> None:
    script = planned(KINDS["addresses of pictures below a script"][0])
    assert [scene.hint for scene in script.script.scenes] == ["uma praia", "um barco"]


def test_notes_that_are_said_are_not_left_out() -> None:
    script = planned(
        "Slide 1: Key numbers\n- Churn: 2.1 %\nSpeaker notes: The lowest since 2021.\n\n"
        "Slide 2: Next\n- Hire\nVisual: a map\nNotes: Soon."
    )
    assert {"The lowest since 2021.", "Soon."} <= set(said(script))
    assert [each.text for each in script.reading.left_out] == ["Visual: a map"]


@pytest.mark.parametrize(
    ("scenes", "shown_text"),
    [
        ('[{"voix_off": "Il dort.", "texte_ecran": "16 h", "durée": "6 s"}]', "16 h"),
        ('[{"voix off": "Il dort.", "Texte à l’écran": "16 h", "duree": "6 s"}]', "16 h"),
        ('[{"locucao": "Il dort.", "texto na tela": "16 h", "duracao": "6 s"},]', "16 h"),
        ('{"scenes": [{"narration": "Il dort.", "on_screen_text": "16 h", "duration": 6,},]}', "16 h"),
    ],
)
def test_keys_of_scenes_are_known_without_accents_and_with_a_comma_too_many(scenes: str, shown_text: str) -> None:
    script = planned(scenes)
    assert script.reading.shape == "scene_list"
    assert (said(script), script.script.scenes[0].wished_s) == (["Il dort."], 6.0)
    assert shown_text in shown(script)
    assert script.reading.warnings == ()


def test_text_behind_a_list_of_scenes_is_not_lost() -> None:
    script = planned('[{"narration": "One.", }] and more of it follows here')
    assert "more of it follows" in shown(script)
