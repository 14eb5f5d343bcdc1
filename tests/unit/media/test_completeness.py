"""What a video neither shows nor says of its script is found, and nothing else."""

from __future__ import annotations

import pytest
from attrs import evolve

from handlers.generation.script.completeness import Lost, lost_lines, warn_of
from handlers.generation.script.content import Script
from handlers.generation.script.script import parse_script

SOURCE = """\
# Tides

The sea rises twice a day. It falls as often.

## Why

- The moon pulls at the water.
- The sun pulls, too, from [far away](https://example.org/sun "The sun").

| Bay | Range |
|-----|-------|
| Fundy | 16 m |
| Kiel | none |

```python
print("high water")
```

Note: Say this with a smile.
"""


def test_nothing_is_lost_of_a_script_that_is_shown_whole() -> None:
    assert lost_lines(SOURCE, parse_script(SOURCE)) == ()


def _without(script: Script, scene: int, block: int) -> Script:
    """Return a script without one block and without all that is said."""
    scenes = [evolve(each, lines=()) for each in script.scenes]
    kept = scenes[scene]
    scenes[scene] = evolve(kept, blocks=kept.blocks[:block] + kept.blocks[block + 1 :])
    return evolve(script, scenes=tuple(scenes))


@pytest.mark.parametrize(
    ("scene", "block", "lines"),
    [(0, 0, {3}), (1, 0, {7, 8}), (1, 1, {10, 12, 13}), (1, 2, {16})],
    ids=["paragraph", "list", "table", "code"],
)
def test_each_block_that_is_missing_is_found(scene: int, block: int, lines: set[int]) -> None:
    missing = _without(parse_script(SOURCE), scene, block)
    found = {lost.line for lost in lost_lines(SOURCE, missing)}
    assert found == lines | {19}


def test_a_lost_sentence_of_words_that_occur_elsewhere_is_found() -> None:
    source = (
        "# Dogs\n\nThe dog sees the man and the cat.\n\nThe man and the dog see the cat. See, the cat sees the dog."
    )
    script = parse_script(source)
    first = script.scenes[0]
    shown = evolve(script, scenes=(evolve(first, blocks=first.blocks[:-1], lines=first.lines[:1]), *script.scenes[1:]))
    assert [lost.line for lost in lost_lines(source, shown)] == [5]


@pytest.mark.parametrize(
    "source",
    [
        "# T\n\nPress <kbd>Ctrl</kbd> and see <a href='https://example.org/x'>the page</a>.",
        "# T\n\nA [link][ref] and [another](/path/to(1) 'title') stand here.\n\n[ref]: https://example.org 'words'",
        "# T\n\nPart of a **wo**rd and an \\*escaped\\* sign &amp; an entity.",
        "# T\n\n潮汐每天升降两次。月亮吸引海水。",
    ],
)
def test_markup_is_no_content(source: str) -> None:
    assert lost_lines(source, parse_script(source)) == ()


def test_the_value_of_a_field_stands_for_its_name() -> None:
    source = "# T\n\nDear {{name}}, welcome."
    assert lost_lines(source, parse_script(source, merge={"name": "Ada"})) == ()


def test_what_is_left_out_on_purpose_is_accounted_for() -> None:
    source = "# T\n\nWords that stand.\n\nLet me know if you need more!"
    script = parse_script("# T\n\nWords that stand.")
    assert lost_lines(source, script) == (Lost(5, "Let me know if you need more!"),)
    assert lost_lines(source, script, ["Let me know if you need more!"]) == ()


def test_one_warning_names_the_lines() -> None:
    lost = [Lost(line, f"sentence {line} " + "x" * 80) for line in range(1, 14)]
    (warned,) = warn_of(lost)
    assert warned.code == "not_shown"
    assert "line 1: sentence 1 xxx" in warned.message
    assert "and 3 more lines" in warned.message
    assert len(warned.message) < 1_000
    assert warn_of(()) == ()


LONG = "\n".join("".join(f"w{row}x{at}y" for at in range(60)) for row in range(40))


@pytest.mark.parametrize(
    "source",
    [
        '# T\n\n```json\n{"a": "2024-02-22T00:00:00Z", "b": "<i class=\'x\'>c</i> [l](u) :d: {e}"}\n```',
        "# T\n\nFrom 12:00:00 to 13:00:00, 4:3:2, :tada: :no-such-name: a:b:c.",
        "# T\n\nUse `{name}`, `<b>`, `[x](y)`, `:z:`; part of `wo`rd; {ref}`text <target-of-it>` and `c`.",
        f"# T\n\n## A\n\n```\n{LONG}\n```",
        "# T\n\n```html\n<script>\n```\n\nText.\n\n```html\n</script>\n```",
        "# T\n\n```{note}\n:class: x\nA [link](https://a.org/b).\n```\n\n```{code-block} c\n:linenos:\nx = 1\n```",
        "# T\n\n```chart bar\nYear, North\n2020, 3\n```",
        "# T\n\n````md\n```js\nlet a = `b ${c}`;\n```\n````\n\n1. one\n\n       indented {x} code\n",
    ],
    ids=["code", "times", "inline code", "lines over pages", "tags in code", "directives", "chart", "code in code"],
)
def test_code_and_signs_that_are_shown_are_not_reported(source: str) -> None:
    assert lost_lines(source, parse_script(source)) == ()


@pytest.mark.parametrize(
    "code",
    [
        '"a": "2024-02-22T00:00:00Z"',
        "<b>gone</b>",
        "import gone from gone",
        "[gone]: x",
        ":gone: x",
        "% gone",
        "{gone}",
    ],
)
def test_lines_of_code_that_are_cut_off_are_found_whatever_they_look_like(code: str) -> None:
    source = f"# T\n\n```\nfirst\n{code}\n```"
    script = parse_script(source)
    (scene,) = script.scenes
    (listing,) = scene.blocks
    shown = evolve(script, scenes=(evolve(scene, blocks=(evolve(listing, text="first"),)),))  # type: ignore[call-arg]
    assert [lost.line for lost in lost_lines(source, shown)] == [5]
