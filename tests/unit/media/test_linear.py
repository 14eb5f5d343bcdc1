"""What strangers write is read in a time that grows as the text does, whatever the text is.

Time is that of the thread's own processor, the best of several runs; a quarter of the text takes about a quarter of it,
half of the text about half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest

from eventflow.domain.values import MAX_SCRIPT_CHARS
from handlers.generation.errors import ScriptError
from handlers.generation.http_services.bodies import json_in
from handlers.generation.http_services.causes import cause_of
from handlers.generation.http_services.reasons import reason_of
from handlers.generation.http_services.waits import wait_of
from handlers.generation.model import Brief, Narration, SpokenLine, Voice
from handlers.generation.narration.captions import scene_captions
from handlers.generation.narration.narrators.base import SpokenWord
from handlers.generation.narration.narrators.line_parts import length_limit, parts_of
from handlers.generation.narration.readable import Reader, unread
from handlers.generation.narration.spoken_forms.form import spoken_form
from handlers.generation.pages.typography import breakable, shortened, typographic, widest_word
from handlers.generation.planner.completions import value_of
from handlers.generation.planner.escapes import with_escapes
from handlers.generation.planner.outlines import outline_in
from handlers.generation.script.chartdata import ChartError, read_rows
from handlers.generation.script.comments import without_comments
from handlers.generation.script.completeness import lost_lines
from handlers.generation.script.content import Paragraph, Script, Section, Sentence, Span
from handlers.generation.script.contents import without_contents
from handlers.generation.script.declared_languages import declared
from handlers.generation.script.document import read_scenes
from handlers.generation.script.formula import say_math
from handlers.generation.script.formula_text import write_math
from handlers.generation.script.frontmatter import split_front_matter
from handlers.generation.script.graphemes import clusters, columns, pieces, wrapped
from handlers.generation.script.inline import MAX_COLUMNS, parse_inline
from handlers.generation.script.languages import language_of
from handlers.generation.script.merge import Filling
from handlers.generation.script.mermaid.read import read_diagram, unread_diagrams
from handlers.generation.script.mermaid.values import DiagramError
from handlers.generation.script.nfc import nfc
from handlers.generation.script.paging import MAX_HEADER_CHARS
from handlers.generation.script.phrases import phrases_for, say_spans
from handlers.generation.script.script import MAX_LINES, cleaned, open_script, parse_script, plan_brief
from handlers.generation.script.sentences import sentences
from handlers.generation.script.shapes.characters import visible
from handlers.generation.script.shapes.chat import peel
from handlers.generation.script.shapes.contacts import quiet
from handlers.generation.script.shapes.decide import decide, read_as
from handlers.generation.script.shapes.delivery import pieces as pieces_of_speech
from handlers.generation.script.shapes.delivery import with_marks
from handlers.generation.script.shapes.furniture import without_furniture
from handlers.generation.script.shapes.lines import read_short_line
from handlers.generation.script.shapes.messages import is_messages, read_messages
from handlers.generation.script.shapes.quiz import is_quiz, page_of, with_answers, with_time_to_think
from handlers.generation.script.shapes.reading import SHAPES as READ_AS
from handlers.generation.script.shapes.reading import Reading, Shape
from handlers.generation.script.shapes.tables import script_tables
from handlers.generation.script.shapes.video import clean_title
from handlers.generation.script.unread_lines import unread_lines
from handlers.generation.text_to_video.dialects import DIALECTS
from handlers.generation.text_to_video.status import read_work
from tests.support.work import calls_of, cpu_s, peak_bytes

SIZES = (10_000, 20_000, 40_000)
#: Seconds. What is this quick at the largest size is quick enough, and too quick to be measured.
FLOOR_S = 0.5
#: How much longer twice and four times the text may take. In quadratic time it is 4 and 16 times.
MOST_OF_TWICE, MOST_OF_FOUR_TIMES = 3.3, 10.0
TRIES = 3
#: Seconds of the largest text; a plan may take PLAN_SECONDS (20, `web.routes.generate`), on slower machines too.
MOST_OF_LARGEST_S = 6.0
#: Of a text of up to 200,000 characters that is refused; the largest refusal takes 1.6 MB.
MOST_BYTES = 10_000_000


def again(piece: str) -> Callable[[int], str]:
    return lambda size: piece * (size // len(piece))


def between(before: str, piece: str, after: str) -> Callable[[int], str]:
    return lambda size: before + piece * ((size - len(before) - len(after)) // len(piece)) + after


#: Those that readers once took quadratic time for.
ONCE_SLOW: dict[str, Callable[[int], str]] = {
    "a marker that isn't any": between(":::", " ", "!"),
    "spaces in a quote": between("> a", " ", "b"),
    "tabs in a quote": between("> a", "\t", "— b"),
    "dashes in a quote": between("> ", "a -- ", "b"),
    "spaces behind a sentence": between("a.", " ", "b"),
    "closing marks": between("a.", "\"'", "b"),
    "ends of sentences": again(".!?…"),
    "quotes that open": again("“"),
    "quotes of Chinese": again("。」"),
    "abbreviations": again("Dr. A. "),
    "two kinds of marks": between("a", "\u0327\u0301", ""),
    "letters that are two marks": again("\u0f73"),
    "a wide row over short ones": lambda size: "a," * (size // 4) + "\na" * (size // 4),
    "headings": again("### a\n\n"),
}
SLIDES: dict[str, Callable[[int], str]] = {
    "slides": again("---\n"),
    "slides with keys": again("---\nlayout: a\n"),
    "slides of keys": again("---\na: b\n---\n"),
    "elements beside each other": again('<div class="columns">\n'),
    "elements in elements": lambda size: '<div class="columns">\n' + "<div>\n" * (size // 6),
    "pictures of Marp's": again("![bg "),
    "lines under headings": again("a\n---\n"),
    "commands": again("<!-- column: 0 -->\n"),
    "notes in elements": again('<aside class="notes">\n'),
    "notes in an element": between('<aside class="notes">\n', "- a\n\n", "</aside>"),
    "pages of slides": again("<section data-markdown>\na\n</section>\n"),
    "pages of slides in slides": again("<section data-markdown>a"),
    "pages of other slides": between("<section data-markdown>a</section>", "<section><h2>a</h2></section>", ""),
    "blank lines": again("\n\n\na"),
    "contents": again("- [a](#a)\n"),
    "links to places": again("<a href=#"),
    "links beside each other": again("[a](#a) | "),
}
#: Beginnings of what is said in other words, again and again.
SAYABLE: dict[str, Callable[[int], str]] = {
    "dates": again("2024-07-20 "),
    "beginnings of dates": again("3. "),
    "days and months": again("May 5 "),
    "amounts": again("$1"),
    "signs of money": again("$"),
    "ranges": again("1–"),
    "groups of digits": again("123 "),
    "groups with commas": again("1,234"),
    "versions": again("v1."),
    "units": again("5 kg "),
    "times": again("10:"),
    "durations": again("5h"),
    "telephones": again("+1 555"),
    "powers": again("2^"),
    "names with underscores": again("a_"),
    "names with points": again("a."),
    "hosts": again("www."),
    "brackets in an address": again("http://a/("),
    "marks behind an address": between("http://a", ".,", ""),
    "emoji": again("😀 "),
    "shortcodes": again(":a"),
    "icons": again(" :material-a:{ .b } "),
    "slashes": again("a/b"),
    "arrows": again("->"),
    "Roman numerals": again("IV "),
    "capitals": again("AWS "),
    "abbreviations": again("z. B. "),
    "years": again("in 1832 "),
}
SHAPES: dict[str, Callable[[int], str]] = {
    **ONCE_SLOW,
    **SLIDES,
    "marks on each letter": again("a\u0327\u0301\u0327\u0301"),
    "dollars": again("$a "),
    "dollars in dollars": again("$$a"),
    "escapes": between("$", "\\$", ""),
    "backticks": again("`"),
    "runs of backticks": lambda size: " ".join("`" * n for n in range(1, 400))[:size],
    "comments": again("<!-- a --> "),
    "comments without an end": again("<!-- "),
    "beginnings of comments in code": again("`<!--` "),
    "comments in lists": again("- <!-- a\n\n-->"),
    "brackets": again("["),
    "links": again("[a](b "),
    "pictures": again("![a](b.png)\n"),
    "tags of pictures": again("<img '"),
    "tags without an end": again("<img src=a\n"),
    "videos": again("<video src=a>"),
    "embedded files": again("![[a|"),
    "pictures as data": again("![](data:image/png;base64,A)"),
    "badges": again("[![a](//b/badge.svg)](c) "),
    "stars": again("**a"),
    "equals": again("==a"),
    "tildes": again("~a"),
    "carets": again("^a"),
    "references of footnotes": again("[^1] "),
    "definitions of footnotes": again("[^1]: a\n"),
    "footnotes without an end": again("[^"),
    "boxes": again("- [x] a\n"),
    "underscores": again("_a_"),
    "angles": again("<a "),
    "tags": again("<b>"),
    "ends of tags": again("</b>"),
    "boxes in boxes": again("<div>"),
    "boxes, each on its line": again("<div>\n\n"),
    "tables in tables": again("<table><tr><td>"),
    "scripts without an end": again("<script> "),
    "attributes without an end": again("<a b='"),
    "colons": again(":::"),
    "boxes by colons": again("::: note\n"),
    "boxes by colons of many lengths": lambda size: "".join(f"{':' * (3 + n % 40)} tip\n" for n in range(size // 30)),
    "ends of boxes": lambda size: ":::: a\n" * (size // 14) + ":::\n" * (size // 8),
    "boxes by marks": again("!!! note\n    "),
    "boxes in boxes by marks": lambda size: "".join(f"{'    ' * (n % 30)}!!! tip\n" for n in range(size // 70)),
    "boxes in quotes": again("> [!tip] a\n"),
    "quotes of boxes": again("> > [!tip"),
    "directives": again("```{note}\n"),
    "directives in directives": lambda size: "".join(
        f"{'`' * (200 - n)}{{tip}}\n" for n in range(min(190, size // 100))
    ),
    "attributes": again("{.a "),
    "attributes that end": again("]{.a}"),
    "spans with attributes": again("[a]{"),
    "values": again("{a=b "),
    "roles": again("{a}`"),
    "links of wikis": again("[[a|"),
    "links of wikis that end": again("[[a]]"),
    "keys": again("++a+"),
    "names of blocks": again(" ^abcd"),
    "percent signs": again("%% "),
    "comments of other tools": again("{/* "),
    "tags of site generators": again("{% a "),
    "listings without an end": again("{% highlight a %}\n\n"),
    "expressions": again("{{ a. "),
    "lines of attributes": again("{: .a}\n"),
    "lines of attributes without an end": between("> {:", " .a", ""),
    "comments of kramdown's": again("{::comment}"),
    "expressions in addresses": again("]({{ a"),
    "tags in addresses": again("]({% a "),
    "addresses of expressions": between("![a](", "{{ a }}", ")"),
    "attributes of expressions": again("src={{ a"),
    "tags of pictures by sites": again('{{< figure src="'),
    "pictures by sites": again('{{< figure src="a" >}}\n'),
    "imports": again("import {a\n"),
    "definitions": again("a\n: b\n"),
    "examples": again("(@) a\n"),
    "dashes in lines": again("a\n-- --\nb\n\n"),
    "dashes with blanks": between("a\n", "-- ", ""),
    "addresses": again("http://"),
    "braces": again("{{"),
    "a field without an end": between("{{a", " ", "b"),
    "fields": again("{{a}} "),
    "digits": again("1"),
    "numbers": again("1, "),
    "commas": again(","),
    "quotes in a chart": again('"a",'),
    "pipes": again("|"),
    "lines": again("a\n\n\n\n"),
    "notes": again("Note: a\n\n"),
    "formulas in lists": again("- $$\n"),
    "items": again("- a b\n"),
    "lists in lists": again("- " * 10 + "a\n"),
    "quotes in quotes": again("> " * 10 + "a\n"),
    "fences": again("```\n\n~~~\n"),
    "pairs": again("k: v\n"),
    "one word": again("a"),
    "words": again("ab "),
    "letters of many kinds": lambda size: "".join(chr(0x4E00 + n % 20_000) for n in range(size)),
    "text without spaces": again("河流很长。"),
    "apostrophes": again("a'"),
    "nothing to see": again("\u200b"),
    "objects in objects": again('{"a":'),
    "brackets of two kinds": again("[{"),
    "quotation marks": again('"'),
    "backslashes": again("\\"),
    "events": again("data: {}\n\n"),
    "lines of comments": again(":\n"),
    "fences of JSON": again("```json\n{"),
    "commands of LaTeX without an end": again("\\textbf{"),
    "a slide and blanks": between("Slide 1: a\n\nb", " ", "c"),
    "notes of LaTeX without an end": between("\\documentclass{a}\n", "\\note{", ""),
}


def document(text: str) -> Script:
    pieces = [text[at : at + 10_000] for at in range(0, len(text), 10_000)]
    scenes = [{"blocks": [piece, {"kind": "quote", "text": piece}], "narration": piece} for piece in pieces]
    return read_scenes({"version": 1, "scenes": scenes})


def captions(text: str) -> object:
    """Of a tenth of the text: rows are tried out word by word."""
    text = text[: len(text) // 10]
    return scene_captions(
        Narration(duration_cells=10_000, cues=(), lines=(SpokenLine(text=text, start_s=0.0, end_s=len(text) / 12),))
    )


def filled(text: str) -> object:
    return Filling({"a": "value"}).text(text), parse_script("# {{a}}\n\n{{a}}", merge={"a": text})


def as_shape(shape: Shape) -> Callable[[str], object]:
    return lambda text: read_as(shape, text.split("\n"))


def quiz(text: str) -> object:
    groups = [part.split("\n") for part in f"1. {text}".split("\n\n")]
    return is_quiz(groups), [page_of(group) for group in with_answers(groups)], with_time_to_think(text)


def answer(text: str) -> object:
    """Of a video service, with the text wherever text may be."""
    told = {"id": text, "status": text, "error": {"message": text}, "cost": text, "url": text, "output": [text]}
    with suppress(ValueError):  # blank ones say nothing
        return read_work(told, DIALECTS["openai"], text)
    return None


def heard(text: str) -> object:
    """The spoken form, and where its words are written."""
    forms = [spoken_form(text, language) for language in ("en-US", "de")]
    return [form.written(SpokenWord(at, 1, 0.0) for at in range(0, len(form.text), 5)) for form in forms]


def words(text: str) -> object:
    return breakable(text, 32), typographic(text), widest_word(text), shortened(text, 60.0)


def model_answer(text: str) -> object:
    for written in (text, f"```json\n{text}", f'{{"scenes": [{text}', f'{{"scenes": ["{text}"]}}'):
        _tried(outline_in, written)
    return with_escapes({"latex": text, "text": f"${text}$"})


def service_answer(text: str) -> object:
    body = text.encode()
    for read in (json_in, lambda body: value_of(b"data: " + body, ""), lambda body: value_of(b":" + body, "")):
        _tried(read, body)  # type: ignore[arg-type]
    reason = reason_of(body)
    return wait_of({"Retry-After": text}, reason), cause_of(400, reason), length_limit(reason, 300)


#: Beginnings of diagrams, behind which any text may come.
DIAGRAMS = ("graph TD\n", "graph TD; A[", "graph TD\nA -- ", "graph TD\nA@{", "sequenceDiagram\n", "pie\n", "---\n")
READERS: dict[str, Callable[[str], object]] = {
    "a script": lambda text: parse_script(text, merge={"a": "b"}),
    "its characters": cleaned,
    "Normalization Form C": nfc,
    "front matter": lambda text: split_front_matter(f"---\nz: 1\n{text[:9_500]}\n---\n# A\n\n{text}"),
    "front matter of other notations": lambda text: [_tried(open_script, top + text) for top in ("+++\n", '{"', "% ")],  # type: ignore[func-returns-value]
    "comments": without_comments,
    "contents": without_contents,
    "a scene document": document,
    "an answer of a video service": answer,
    "inline Markdown": parse_inline,
    "sentences": lambda text: [list(sentences((Span(text),), language)) for language in ("en", "de", "zh")],
    "rows": lambda text: (
        pieces("".join(text[: len(text) // 20].split()), 42, "de"),
        wrapped(text, 88, "  "),
        clusters(text),
        columns(text),
    ),
    "letters of a voice": lambda text: unread(parse_script(text).scenes, Reader("ja", "ja")),
    "what is left of a document": lambda text: open_script("# A\n\n" + text),
    "a deck of Marp's": lambda text: _tried(parse_script, f"---\nmarp: true\nheadingDivider: 3\n---\n{text}"),
    "a deck of Slidev's": lambda text: _tried(parse_script, f"---\nmdc: true\n---\n{text}"),
    "a deck of reveal-md's": lambda text: _tried(
        parse_script, f"---\nseparator: <!--s-->\nverticalSeparator: \\n\\n\\n\n---\n# A\n\nNote:\n{text}"
    ),
    "a deck of presenterm's": lambda text: _tried(parse_script, f"<!-- end_slide -->\n{text}"),
    "a quote": lambda text: parse_script("> " + text.replace("\n", " ")),
    "code": lambda text: parse_script(f"~~~~ {text[:2000]}\n{text}\n~~~~"),
    "what a listing marks": lambda text: parse_script(
        f"```python {{{text.replace('`', '').replace(chr(10), ' ')}}}\nx\n```"
    ),
    "a chart": lambda text: parse_script(f"~~~~chart bar {text[:900]}\n{text}\n~~~~"),
    "a chart's lines": read_rows,
    "a chart's options": lambda text: parse_script(f"~~~~chart bar {text.replace(chr(10), ' ')}\na, 1\n~~~~"),
    "a formula": say_math,
    "a formula as text": write_math,
    "a diagram": lambda text: [_tried(read_diagram, head + text[:19_000]) for head in DIAGRAMS],  # type: ignore[func-returns-value]
    "diagrams of a script": unread_diagrams,
    "values of fields": filled,
    "what is said": lambda text: say_spans((Span(text), Span(text, "code")), phrases_for("en-us")),
    "what is heard": heard,
    "captions": captions,
    "a model's answer": model_answer,
    "a service's answer": service_answer,
    "parts of a line": lambda text: parts_of(text, 200),
    "words on a page": words,
    "what is lost": lambda text: lost_lines(text, Script("", ())),
    "what is lost of other shapes": lambda text: [
        unread_lines(text, Script("", ()), Reading(shape=shape))
        for shape in ("video_script", "rst", "html", "screenplay")
    ],
    **{f"a text as {shape}": as_shape(shape) for shape in READ_AS if shape not in ("document", "scene_list")},
    "invisible characters": visible,
    "the language of a text": lambda text: (
        language_of([text]),
        language_of(text.split("\n")),
        [declared(shape, top + text) for shape in READ_AS for top in ("", "<html ", "<speak ", "lang: ")],
    ),
    "pauses": lambda text: (list(pieces_of_speech(text)), with_marks(text)),
    "a text of rows": lambda text: decide("One row,\n" + text.replace("\n\n", "\n") + "\n"),
    "a script with labels": lambda text: decide(
        f"VO: One.\nVisual: two\nVO: {text[: len(text) // 6]}\nVisual: {text[: len(text) // 6]}"
    ),
    "an export of a messenger": lambda text: (is_messages(text.split("\n")), read_messages(text.split("\n"))),
    "columns set with blanks": lambda text: script_tables(f"VIDEO      AUDIO\n{text}".split("\n")),
    "a quiz": quiz,
    "the chat around a text": lambda text: peel(f"Sure, here is the script:\n\n{text}".split("\n")),
    "what surrounds a text": lambda text: without_furniture(text.split("\n")),
    "contacts": lambda text: quiet([Section(0, (), (Paragraph((Sentence((Span(text),)),)),))]),
    "a title of a script": clean_title,
    "a scene list": lambda text: decide(f"- say: a\n- say: {text[:8_000]}\n"),
}


def _tried(read: Callable[[str], object], text: str) -> None:
    with suppress(ScriptError, ChartError, DiagramError, ValueError):  # a text may well be refused
        read(text)


def seconds(read: Callable[[str], object], text: str) -> float:
    read_short_line.cache_clear()  # which holds all lines of some texts, and not of longer ones
    return cpu_s(lambda: _tried(read, text))


def best(read: Callable[[str], object], text: str) -> float:
    return min(seconds(read, text) for _ in range(TRIES))


def too_slow(read: Callable[[str], object], shape: Callable[[int], str]) -> tuple[float, ...]:
    """The seconds that texts of `SIZES` take, where they grow faster than the texts; else nothing."""
    if seconds(read, shape(SIZES[-1])) < FLOOR_S:
        return ()
    least = FLOOR_S / 16  # of less, little is known
    times = small, middle, large = [best(read, shape(size)) for size in SIZES]
    grows = large > MOST_OF_FOUR_TIMES * max(small, least) or large > MOST_OF_TWICE * max(middle, least)
    return tuple(round(time_s, 3) for time_s in times) if grows else ()


def slow_ones(reader: str, shapes: Mapping[str, Callable[[int], str]]) -> dict[str, tuple[float, ...]]:
    return {name: found for name, shape in shapes.items() if (found := too_slow(READERS[reader], shape))}


#: Of the readers of shapes, `make test` has two: all of them read line by line.
_LONG = [f"a text as {shape}" for shape in READ_AS if shape not in ("html", "verse")]


@pytest.mark.usefixtures("cldr")
@pytest.mark.parametrize("reader", [pytest.param(r, marks=[pytest.mark.chaos] if r in _LONG else []) for r in READERS])
def test_what_was_slow_once_takes_its_time_and_no_more(reader: str) -> None:
    assert slow_ones(reader, ONCE_SLOW) == {}


@pytest.mark.chaos
@pytest.mark.usefixtures("cldr")
def test_lines_of_what_is_said_otherwise_take_their_time_and_no_more() -> None:
    assert slow_ones("what is heard", SAYABLE) == {}


@pytest.mark.chaos
@pytest.mark.usefixtures("cldr")
@pytest.mark.parametrize("reader", READERS)
def test_text_of_no_shape_is_slow(reader: str) -> None:
    assert slow_ones(reader, SHAPES) == {}


@pytest.mark.chaos
@pytest.mark.usefixtures("cldr")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_text_is_planned_within_the_seconds_of_a_plan(shape: str) -> None:
    text = SHAPES[shape](MAX_SCRIPT_CHARS)
    rows = "\n".join(text.split("\n")[:MAX_LINES])
    brief = Brief(script=rows, voice=Voice("en-us", 1.0), qualities=("720p",))
    assert seconds(lambda _: plan_brief(brief, ("midnight",)), "") < MOST_OF_LARGEST_S


def test_quadratic_time_is_noticed() -> None:
    def quadratic(text: str) -> None:
        for _ in text[::4000]:
            for _ in range(len(text) * 200):
                pass

    assert too_slow(quadratic, again("a"))


def refused(text: str, why: str) -> None:
    with pytest.raises(ScriptError, match=why):
        parse_script(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("|" + "a|" * 40_000 + "\n|" + "-|" * 40_000 + "\n", f"line 1 has 40,000 columns; at most {MAX_COLUMNS}"),
        ("|" + "a|" * 90 + "\n|" + "-|" * 90 + "\n" + "|a|\n" * 9_000, "line 1 has more than 20,000 cells"),
        ("- $$\n" * 19_000, "19,001 lines; at most 10,000"),
        ("```chart bar\n" + "a," * 30_000 + "\n" + "a\n" * 3_000 + "```\n", "3,001 lines of up to 30,001"),
        ("```chart " + "a" * 190_000 + "\na,1\n```\n", "options have 190,001 characters"),
        (f"| {'long ' * 500}|\n|-|\n" + "| a |\n" * 500, f"header of a table has .* at most {MAX_HEADER_CHARS:,}"),
    ],
)
def test_what_a_few_characters_would_make_huge_is_refused_before_it_is_made(text: str, why: str) -> None:
    calls_of(lambda: refused(text, why), most=1_000_000)  # some for each line, to decide what the text is
    assert peak_bytes(lambda: refused(text, why)) < MOST_BYTES


def test_documents_of_very_many_texts_are_refused_where_they_become_too_many() -> None:
    with pytest.raises(ScriptError, match="/scenes/29/narration/970: more than 30,000 texts"):
        read_scenes({"version": 1, "scenes": [{"blocks": ["a"], "narration": ["a"] * 1_000}] * 300})


def test_ranges_of_lines_may_overlap_as_often_as_they_like() -> None:
    def highlighted(lines: str) -> object:
        return parse_script(f"```python {{{','.join([lines] * 12_000)}}}\n" + "a\n" * 5_000 + "```\n")

    assert best(highlighted, "1-5000") < 10 * best(highlighted, "1-1")
