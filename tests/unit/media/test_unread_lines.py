"""What the reader of any shape neither shows, says nor lists as left out is warned of, and nothing else."""

from __future__ import annotations

import pytest
from attrs import evolve

from handlers.generation.script.content import Line
from handlers.generation.script.script import open_script, parse_script, read_script
from handlers.generation.script.unread_lines import unread_lines
from tests.support.pasted_scripts import VIDEO

VIDEO_SCRIPT = """\
Video script: Tides

[0:00-0:08] HOOK
Visual: waves at dawn
Narrator (V.O., calm and slow): Twice a day the sea comes back to us.
On-screen text: Twice a day, every day

[0:08-0:20] MAIN
Visual: the moon
Narrator: The moon pulls at the water, and the water follows.
"""
DIALOGUE = """\
Anna: Good morning, and welcome to the show.
Ben: Thank you, I am glad to be here.
Anna: How did you begin to paint?
Ben: I began with my sister's old brushes.
"""
SUBTITLES = """\
1
00:00:01,000 --> 00:00:04,000
The last train leaves at midnight.

2
00:00:05,000 --> 00:00:08,000
Nobody waits for it any more.
"""
SCENES = """\
{"title": "Kimchi", "style": "soft grain, muted colours, warm light", "scenes": [
  {"scene": 1, "time": "0-7s", "script": "Why does it turn sour?", "visual": "a jar on a shelf"},
  {"scene": 2, "time": "7-18s", "script": "Small helpers eat the sugar in it."}
]}
"""
YAML = """\
# nobody has to see this line here
- narration: The well is deep and old.
  on_screen: Deep and old  # rather drawn than filmed by us
- narration: Nobody knows who dug it.
"""
SSML = """\
<speak><!-- slower here, the client asked for it twice -->
<emphasis level="strong">Today</emphasis> we bake. [pause 2s] [excited] Let's begin!
</speak>
"""
RST = """\
Flow
====

.. a comment that nobody has to see

Use ``flow()`` or :func:`flow.run`, see `the atlas <https://example.org/of/all/maps>`_.

.. figure:: img/some/long-name-of-a-file.png
   :alt: A map

   The caption of the map.
"""
TABLE = """\
| Audio (what you say) | Visual (what appears on screen) |
|---|---|
| The sea comes back twice a day. | waves at dawn |
| The moon pulls at the water. | the moon |
"""


def lost(text: str, said: str | None = None) -> list[int]:
    """The lines that are lost; with `said`, where nothing is shown and what has these words isn't said."""
    opened = open_script(text)
    reading, script = read_script(opened), parse_script(text)
    assert reading.shape != "document"
    if said is not None:
        scenes = [
            evolve(
                scene,
                blocks=(),
                lines=tuple(line for line in scene.lines if said not in line.text) or (Line(0, ""),),
            )
            for scene in script.scenes
        ]
        script = evolve(script, scenes=tuple(scenes))
    return [each.line for each in unread_lines(opened.body, script, reading)]


@pytest.mark.parametrize(
    "text",
    [VIDEO_SCRIPT, DIALOGUE, SUBTITLES, SCENES, YAML, RST, TABLE, *VIDEO.values()],
    ids=["video script", "dialogue", "subtitles", "JSON", "YAML", "rst", "table", *VIDEO],
)
def test_labels_keys_and_comments_are_no_losses(text: str) -> None:
    assert lost(text) == []


@pytest.mark.parametrize(
    ("text", "said", "lines"),
    [
        (VIDEO_SCRIPT, "Twice a day the sea", [5, 6]),
        (VIDEO_SCRIPT, "The moon pulls", [10]),
        (DIALOGUE, "brushes", [4]),
        (SUBTITLES, "Nobody waits", [7]),
        (SCENES, "Small helpers", [3]),
        (YAML, "Nobody knows", [4]),
        (TABLE, "The moon pulls", [4]),
    ],
)
def test_a_line_that_is_not_said_is_found_in_any_shape(text: str, said: str, lines: list[int]) -> None:
    assert lost(text, said) == lines


def test_pauses_and_manners_are_no_losses_either() -> None:
    from handlers.generation.model import Brief, Voice
    from handlers.generation.script.script import plan_brief

    planned = plan_brief(Brief(script=SSML, voice=Voice("en-us", 1.0), qualities=("720p",)), ("midnight",))
    assert planned.reading is not None
    assert planned.reading.shape == "ssml"
    assert "not_shown" not in [warned.code for warned in planned.warnings]


def test_values_that_nobody_reads_are_listed_as_left_out() -> None:
    left_out = [each.text for each in read_script(open_script(SCENES)).left_out]
    assert "style: soft grain, muted colours, warm light" in left_out


def test_what_stands_above_the_first_scene_of_a_screenplay_is_listed() -> None:
    text = (
        "            FLOUR\n     A short film of the autumn\n\nINT. BAKERY - NIGHT\n\nIt is dark.\n\n"
        "        HEDWIG\n    You are late.\n\n        JONAS\n    I know.\n\n        HEDWIG\n    Then go.\n"
    )
    reading = read_script(open_script(text))
    assert (reading.shape, reading.title) == ("screenplay", "FLOUR")
    assert "A short film of the autumn" in [each.text for each in reading.left_out]
    assert lost(text) == []
