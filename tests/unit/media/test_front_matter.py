"""What stands about a document at its top is read, or told of; keys of other tools are no reason to refuse it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from handlers.generation.errors import ScriptError
from handlers.generation.script.frontmatter import FrontMatter, Manuscript
from handlers.generation.script.preamble import MAX_CHARS
from handlers.generation.script.script import open_script, parse_script
from tests.support.work import cpu_s

BELOW = "\n\n# Rivers of Europe\n\nThey flow.\n"


def front(text: str) -> FrontMatter:
    opened = open_script(text)
    assert opened.warnings == ()
    return opened.front


def warned(text: str) -> tuple[Manuscript, str]:
    opened = open_script(text)
    (warning,) = opened.warnings
    return opened, f"{warning.code}: {warning.message}"


@pytest.mark.parametrize(
    "top",
    [
        "---\n# shown on the title page\ntitle: Rivers\ntheme: paper\n---",
        "---\n\ntitle: Rivers\ntheme: paper\n---",
        "\n  \n---\ntitle: Rivers\ntheme: paper\n---",
        "---\ntitle: Rivers\ntheme: paper\n...",
        "---\n# one\n\n# two\n\ntitle: Rivers\ntheme: paper\n---",
        "<!-- a comment\n\n-->\n---\ntitle: Rivers\ntheme: paper\n---",
        "--- yaml\ntitle: Rivers\ntheme: paper\n---",
        "----\ntitle: Rivers   # a comment\n'theme': \"paper\"\n----",
        "---\ntitle: >\n  Rivers\ntheme: |\n  paper\n---",
        '+++\ntitle = "Rivers" # a comment\ntheme = "paper"\n+++',
        "---toml\ntitle = 'Rivers'\ntheme = 'paper'\n---",
        '{\n  "title": "Rivers",\n  "theme": "paper"\n}',
        '{"title": "Rivers", "theme": "paper"}',
        ';;;\n"title": "Rivers",\n"theme": "paper"\n;;;',
        '---json\n{"title": "Rivers", "theme": "paper"}\n---',
    ],
)
def test_front_matter_is_recognised_as_people_write_it(top: str) -> None:
    text = top + BELOW
    assert front(text) == FrontMatter(title="Rivers", theme="paper")
    script = parse_script(text)
    assert script.title == "Rivers"
    assert [line.text for scene in script.scenes for line in scene.lines] == ["Rivers of Europe", "They flow."]
    assert open_script(text).body.split("\n").index("They flow.") == text.split("\n").index("They flow.")


FOREIGN = """---
marp: true
title: Rivers
paginate: true
author: A. Writer
tags: [rivers, maps]
description: >
  Folded text
  over two lines
date: 2024-01-01
subtitle: Long ones
head:
- - meta
  - name: x
---"""


def test_keys_of_other_tools_are_named_and_mean_nothing() -> None:
    opened, warning = warned(FOREIGN + BELOW)
    assert opened.front == FrontMatter(title="Rivers")
    assert warning.startswith("front_matter_keys: ")
    keys = (("marp", 2), ("paginate", 4), ("author", 5), ("tags", 6), ("description", 7), ("date", 10), ("head", 12))
    for key, line in (*keys, ("subtitle", 11)):
        assert f"'{key}' (line {line})" in warning
    assert [scene.title for scene in parse_script(FOREIGN + BELOW).scenes] == ["Rivers of Europe"]


def test_keys_of_toml_and_json_are_told_with_their_lines() -> None:
    assert (
        "'draft' (line 3), 'params' (line 4)"
        in warned('+++\ntitle = "A"\ndraft = true\n[params]\nx = 1\n+++' + BELOW)[1]
    )
    assert "'tags' (line 2)" in warned('{"title": "A",\n "tags": ["b"]}' + BELOW)[1]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("title: 1.0", "1.0"),
        ("title: 2024-01-01", "2024-01-01"),
        ("title: no", "no"),
        ("title: 0x1F", "0x1F"),
        (f"title: {'9' * 150}", "9" * 150),
        ("title: Rivers: a view", "Rivers: a view"),
        ("title: {{name}}", "{{name}}"),
        ("title: {{name}} and others: all", "{{name}} and others: all"),
        ("title: [draft] Rivers", "[draft] Rivers"),
        ('title: "A \\"fine\\" day"', 'A "fine" day'),
        ("title: 'It''s fine'", "It's fine"),
        ("title: 'It's fine'", "It's fine"),
        ("title: @home", "@home"),
        ("title:\tRivers", "Rivers"),
        ("title: C# basics", "C# basics"),
        ("title: A  # B", "A"),
        ("title: >-\n  On two\n  lines", "On two lines"),
        ("title: Rivers &\n  lakes", "Rivers & lakes"),
        ("x: &a Rivers\ntitle: *a", "Rivers"),
    ],
)
def test_values_stay_what_people_wrote(line: str, title: str) -> None:
    assert open_script(f"---\n{line}\n---{BELOW}").front.title == title


def test_other_values_stay_what_people_wrote() -> None:
    assert front("---\nvoice: no\ncaptions: no\nrate: 1.0\n---" + BELOW) == FrontMatter(
        narrated=False, rate=1.0, captions="none"
    )
    assert front("---\nvoice: en-gb  # british\naspect: 9:16\n---" + BELOW).voice == "en-gb"
    assert front("+++\nvoice = false\nrate = 1.5\n+++" + BELOW) == FrontMatter(narrated=False, rate=1.5)


def test_a_key_that_is_nearly_ours_is_a_warning_where_the_front_matter_is_another_tools() -> None:
    opened = open_script("---\nmarp: true\nvoise: de\nsize: 4:3\n---" + BELOW)
    (warned,) = [warning for warning in opened.warnings if warning.code == "front_matter_keys"]
    assert "'voise' (line 3; voice?)" in warned.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScriptError) as caught:
        open_script("---\nvoise: de\nrate: 9\nauthor: Ann\naspect: 4:3\ntheme: a\ntheme: b\n---" + BELOW)
    told = str(caught.value)
    assert "line 2: unknown key 'voise'; did you mean voice?" in told
    for fault in (
        "line 3: rate must be a number",
        "line 5: aspect must be one of",
        "line 7: theme is given more than once",
    ):
        assert fault in told
    assert "marp" not in told


@pytest.mark.parametrize(
    "slip", ["voise", "titel", "tittle", "themes", "caption", "captoins", "aspekt", "musik", "rates"]
)
def test_a_slip_in_a_key_of_ours_is_an_error(slip: str) -> None:
    with pytest.raises(ScriptError, match=f"unknown key '{slip}'; did you mean"):
        open_script(f"---\n{slip}: x\n---{BELOW}")


@pytest.mark.parametrize(
    "key", ["date", "subtitle", "aspectRatio", "highlightTheme", "layout", "lang", "short-title", "image"]
)
def test_keys_of_others_are_no_slips(key: str) -> None:
    assert f"'{key.lower()}' (line 2)" in warned(f"---\n{key}: x\n---{BELOW}")[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\ntitle: x\n\n# A", "begins on line 1 doesn't end"),
        ("---\ntitle: x\nno colon\n---", "line 3 of the front matter isn't `key: value`"),
        ("---\ntitle: x\na:\n\t- b\n---", "line [34] of the front matter can't be read as YAML"),
        ("---\ntheme:\n  a: b\n  c: d\n---", "line 2: theme must be a single text"),
        ("+++\ntitle = x\n+++", "can't be read as TOML"),
        ('{\n "title": x\n}\n', "can't be read as JSON"),
        (f"---\ntitle: x\n{'k: v  # text' * 2_000}\n---", "has 24,008 characters; at most 10,000"),
    ],
)
def test_front_matter_that_can_not_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(ScriptError, match=why):
        open_script(text + BELOW)


@pytest.mark.parametrize(
    ("top", "line"),
    [
        ("---js\n{title: 1}\n---", 1),
        ("---\nmarp: true", 2),
        ("---\n# Intro\n\nText: with a colon\n\n---", 4),
        ("Title: Rivers\nAuthor: A. Writer", 1),
        ("\n#+TITLE: Rivers", 2),
        (":author: A. Writer", 1),
        ('"title": "Rivers",\n;;;', 1),
        ('+++\ntitle = "Rivers"', 1),
    ],
)
def test_where_it_is_doubtful_a_warning_tells_the_line(top: str, line: int) -> None:
    assert warned(top + BELOW)[1].startswith(f"front_matter_unread: line {line}: ")


def test_the_title_block_of_pandoc_is_read() -> None:
    opened, warning = warned("% Rivers\n  of Europe\n% A. Writer" + BELOW)
    assert opened.front.title == "Rivers of Europe"
    assert "'author' (line 3)" in warning


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nJust a text.\n\n---\n\nMore.",
        "{{name}} is here.",
        "{ braces } and so on",
        "% of all people\nlike it.",
        "# A\n\nb: c",
    ],
)
def test_a_text_is_no_front_matter(text: str) -> None:
    assert open_script(text) == Manuscript(FrontMatter(), text)


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x,x]\n"
        + "".join(f"{c}: &{c} [*{b},*{b},*{b}]\n" for b, c in zip("abcdefghijkl", "bcdefghijklm", strict=True)),
        "a: &a [*a]\n",
        "a: " + "[" * 9_000 + "\n",
        "a: " + "[" * 4_000 + "]" * 4_000 + "\n",
        "a: " + "{a: " * 2_400 + "\n",
        "".join(" " * n + "a:\n" for n in range(130)),
        "a: !!python/object/apply:os.system [id]\n",
    ],
)
def test_yaml_that_would_blow_up_is_harmless(bomb: str) -> None:
    def read(block: str) -> FrontMatter | None:
        with suppress(ScriptError):  # what isn't read as it is written is nested too deeply
            return open_script(f"---\ntitle: A\n{block}---{BELOW}").front
        return None

    assert len(bomb) < MAX_CHARS  # a longer one is refused for its length
    assert read(bomb) in (None, FrontMatter(title="A"))
    ordinary = "a: b\n" * (MAX_CHARS // 6)
    assert read(ordinary) == FrontMatter(title="A")
    assert cpu_s(lambda: read(bomb)) < 20 * cpu_s(lambda: read(ordinary))


@pytest.mark.parametrize("deep", ["+++\na = " + "[" * 9_000 + "\n+++", '{"a": ' + "[" * 90_000])
def test_toml_and_json_that_are_nested_deeply_are_refused(deep: str) -> None:
    with pytest.raises(ScriptError, match=r"nested too deeply|can't be read"):
        open_script(deep + BELOW)


@pytest.mark.parametrize(
    "top",
    [
        '---\ntitle: "a{}b"\n---',
        '{{"title": "a{}b"}}',
        '+++\ntitle = "a{}b"\n+++',
        '---json\n{{"title": "a{}b"}}\n---',
    ],
)
@pytest.mark.parametrize("escape", ["\\u0000", "\\u001b", "\\u009f", "\\uffff"])
def test_an_escape_makes_no_character_that_a_script_may_not_have(top: str, escape: str) -> None:
    with pytest.raises(ScriptError, match=rf"title must have no control .* U\+{escape[2:].upper()}"):
        open_script(top.format(escape) + BELOW)


@pytest.mark.parametrize("top", ['---\ntitle: "a\\uD800b"\n---', '{"title": "a\\ud800b"}', '{"title": "a\\udfffb"}'])
def test_half_a_surrogate_pair_is_no_character(top: str) -> None:
    with pytest.raises(ScriptError, match=r"U\+D[8F]"):
        open_script(top + BELOW)


@pytest.mark.parametrize("escape", ["\\U00110000", "\\UFFFFFFFF"])
def test_an_escape_beyond_unicode_is_told_of(escape: str) -> None:
    assert front(f'---\ntitle: "a{escape}b"\n---' + BELOW).title == f"a{escape}b"  # as it is written
    with pytest.raises(ScriptError, match=r"line 2 .*can't be read as YAML: it escapes a character"):
        open_script(f'---\ntitle:\n  "a{escape}b"\n---' + BELOW)


@pytest.mark.parametrize("number", ["0x" + "f" * 9_000, "9" * 9_000])
def test_a_number_that_is_too_long_is_told_of(number: str) -> None:
    with pytest.raises(ScriptError, match="can't be read as TOML: Exceeds the limit"):
        open_script(f"+++\nx = {number}\n+++" + BELOW)


@pytest.mark.parametrize(
    "top",
    [
        '{"title": "Rivers <!-- of no interest -->"}',
        "% Rivers <!-- of no interest -->",
        '+++\ntitle = "Rivers \\u003c!-- of no interest -->"\n+++',
        "---\ntitle: Rivers <!-- of no interest -->\n---",
    ],
)
def test_a_title_has_no_comments_in_any_notation(top: str) -> None:
    assert front(top + BELOW).title == "Rivers"


def test_a_title_that_is_escaped_is_in_normal_form() -> None:
    assert front('---\ntitle: "Rivie\\u0300re"\n---' + BELOW).title == "Rivi\u00e8re"
