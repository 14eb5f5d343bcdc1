"""Compares the words of a script with those that its video shows or says, so that nothing is lost in silence.

A line of the source is lost where one of its words occurs nowhere in the video, or where most pairs of neighbouring
words don't. Pairs find lost sentences of common words. Markup is no content: tags, addresses, attribute lists, names
of directives. Code has no markup: all its words count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

import attrs
from attrs import frozen

from handlers.generation.control import Warned
from handlers.generation.script.box_names import is_directive
from handlers.generation.script.comments import CodeLines
from handlers.generation.script.content import CONTINUED, Code, Script, Span, cells_of
from handlers.generation.script.inline import plain
from handlers.generation.script.shapes.characters import unescaped
from handlers.generation.script.tool_syntax import NOTHING

#: Fields of blocks whose texts are not on a page.
_UNSEEN: Final = frozenset({"kind", "style", "language", "asset", "fit", "motion", "theme", "aspect", "layout", "deck"})
_WITHOUT_TEXT: Final = (int, float, bool, int | None, float | None, bool | None, tuple[int, ...])
#: Most lines that the warning names, and characters that it quotes of each.
_MOST_NAMED: Final = 10
_MOST_QUOTED: Final = 60
#: Pairs of words that a line needs to be compared by them: one of three words may be split over two blocks.
_LEAST_PAIRS: Final = 3

#: A word, or one character of a script that has no blanks between words (Han, kana, Thai, Lao, Burmese, Khmer).
_WORD: Final = re.compile(
    r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]++"
    r"|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
#: The words of a text that is ASCII and small.
_ASCII_WORD: Final = re.compile(r"[a-z0-9]++")
#: Characters that emphasise or escape. They may stand within a word, so they are removed, not replaced.
_SIGNS: Final = re.compile(r"[*`~=^\\\u00ad\u200b-\u200d\u2060]++")
#: Markup within a line that separates what stands beside it.
_SEPARATING: Final = re.compile(
    r"</?[A-Za-z][^<>\n]*+>|\{[{%]?[^{}\n]*+[%}]?\}"
    r"|\b(?:https?|ftp|mailto|asset)://?[^\s<>\"'()]*+|\bwww\.[^\s<>\"'()]*+"
)
#: Markup within a line between whose neighbours nothing stands.
_TRANSPARENT: Final = re.compile(
    r"\]\((?:<[^<>\n]*+>|[^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)?)(?:\s++(?:\"[^\"\n]*+\"|'[^'\n]*+'))?\s*+\)"
    r"|\]\[[^\[\]\n]*+\]|\[\^[^\[\]\n]*+\]|\[![^\[\]\n]*+\][+-]?|!\[\[[^\[\]\n]*+\]\]|\[\[[^\[\]|\n]*+\||\[\[(?:[^\[\]|\n/]*+/)++|(?<=\s)\^[A-Za-z\d-]{4,40}$"
    r"|(?<![\w:]):[a-z+-][a-z0-9_+-]*+:(?![\w:])"
    r"|</?(?:a|abbr|b|big|code|del|em|font|i|ins|kbd|mark|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr)"
    r"(?:\s[^<>\n]*+)?>"
)
#: Code within a line, or the text of a role, and what is no markup in code.
_CODE: Final = re.compile(r"(?P<role>\{[A-Za-z][\w:+.-]*+\}`++[^`\n]*+`++)|(?P<run>`++)[^`\n]++(?P=run)")
_NO_MARKUP: Final = str.maketrans(dict.fromkeys("<>{}[]():/!|^&%", "\x1f"))
#: The first line of a chart's data begins with a name of the labels, which a chart doesn't have.
_CHART: Final = re.compile(r"[ \t>]*+(?:`{3,}|~{3,})[ \t]*+chart\b")
#: A fence of a directive or of a cell, and the options below it.
_DIRECTIVE: Final = re.compile(r"[ \t>]*+(?:`{3,}|~{3,})[ \t]*+\{(?P<name>[\w+:.-]++)")
_OPTION: Final = re.compile(r"[ \t>]*+(?::[A-Za-z][\w-]*+:|[#/%-]{1,2}\||---)")
#: Characters of which all of the markup above, and every character reference of HTML, has one.
_MAY_HAVE_MARKUP: Final = re.compile(r"[\[\]<{:^&]|www\.", re.IGNORECASE)
#: Lines that are markup as a whole: fences, definitions of links, imports of MDX.
_MARKUP_LINE: Final = re.compile(
    r"[ \t>]*+(?:(?:[-*+]|\d++[.)])[ \t]++)?"
    r"(?:`{3,}[^`\n]*+|~{3,}[^\n]*+|\[(?!\^)[^\[\]\n]++\]:[^\n]*+|(?:import|export) .*+"
    r"|[#/%-]{1,2}\|[^\n]*+|:[A-Za-z][\w-]*+:(?:[ \t].*+)?|%(?!%).*+"
    r"|:{3,}[ \t]*+\{(?:figure|image|video)\}.*+"
    rf"|::[a-z]++::[ \t]*+|(?:#[^\s#][^\s]*+\s*+)++|{NOTHING})$",
    re.IGNORECASE,
)
#: The beginning of a line: quotes, list markers with their boxes, ranks of headings.
_LEAD: Final = re.compile(
    r"[ \t>]*+(?:(?:[-*+•]|(?:\d{1,9}|[ivxlc]{1,5})[.)])[ \t]++(?:\[[ xX]\][ \t])?)?(?:\#{1,6}[ \t])?"
    r"(?::{3,}[ \t]*+[\w.-]*+|(?:!!!|\?\?\?\+?)[^\"\n]*+|\[\^[^\[\]\n]*+\]:|(?:Notes?|note):)?"
)


@frozen
class Lost:
    """A line of the source, counted from 1, that is neither shown nor said."""

    line: int
    text: str


def lost_lines(source: str, script: Script, accounted: Iterable[str] = ()) -> tuple[Lost, ...]:
    """Return the lines of Markdown that `script` loses. `accounted` are texts that it leaves out on purpose."""
    shown = _Seen.of((*shown_texts(script), *accounted))
    lines = ((number, line, tuple(parts)) for number, (line, parts) in enumerate(contents(source), 1))
    unseen = [each for each in lines if any(map(shown.lacks, each[2]))]
    if not unseen:  # most of what is said is shown
        return ()
    seen = shown.with_channel(said_texts(script)).with_channel(_divided(script))
    return tuple(Lost(number, line.strip()) for number, line, parts in unseen if any(map(seen.lacks, parts)))


def contents(source: str) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield each line of the source, and the parts of its content."""
    lines = source.split("\n")
    roles = list(_roles(lines))
    texts = [line if role == "text" else "" for line, role in zip(lines, roles, strict=True)]
    rest = _HYPHENATED.sub("\n", without_elements("\n".join(texts))).split("\n")
    for line, role, text in zip(lines, roles, rest, strict=True):
        match role:
            case "code":
                yield line, [line]
            case "chart":
                yield line, [line.partition(",")[2]]
            case "text":
                yield line, _parts(_CODE.sub(_without_markup, text))
            case _:
                yield line, ()


def _without_markup(code: re.Match[str]) -> str:
    return str(code[0]) if code["role"] else str(code[0]).translate(_NO_MARKUP)


def _roles(lines: Iterable[str]) -> Iterator[str]:
    """Yield what each line is: "text", "code", "mark" (a fence, an option of one) or "chart" (the head of a chart)."""
    scan, role = CodeLines(), ""
    for line in lines:
        within = scan.in_fence
        if not scan.is_code(line):
            yield "text"
        elif within != scan.in_fence:
            yield "mark"
            directive = _DIRECTIVE.match(line)
            role = "chart" if _CHART.match(line) else "options" if directive else "code"
            role = "text" if directive and is_directive(directive["name"]) else role
        elif not within:  # indented: code, or what is in a box or a list
            yield "text"
        elif role == "options" and _OPTION.match(line):
            yield "mark"
        else:
            role = "code" if role == "options" else role
            yield role
            role = "code" if role == "chart" else role


#: The two parts of a word that is divided at the end of a line, and is shown as one.
_HYPHENATED: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]++-\n[ \t]*+[^\W\d_]++")
_LONG_TAG: Final = re.compile(r"<[A-Za-z][^<>]*+>")
#: Elements of HTML whose content is no text.
RAW: Final = ("script", "style", "template", "svg", "iframe")
_TAG: Final = re.compile(r"<([a-z]++)(?=[\s>])", re.IGNORECASE)


def without_elements(source: str, names: Collection[str] = RAW) -> str:
    """Remove these elements of HTML, and tags over several lines; lines keep their numbers."""
    source = _LONG_TAG.sub(lambda tag: "\n" * tag[0].count("\n") if "\n" in tag[0] else tag[0], source)
    kept: list[str] = []
    at = 0
    unclosed: set[str] = set()
    for match in _TAG.finditer(source):
        name = match[1].lower()
        if name not in names or match.start() < at or name in unclosed:
            continue
        end = re.compile(f"</{name}", re.IGNORECASE).search(source, match.end())
        if end is None:
            unclosed.add(name)
            continue
        kept += [source[at : match.start()], "\n" * source.count("\n", match.start(), end.start())]
        at = end.start()
    return "".join([*kept, source[at:]])


def warn_of(lost: Iterable[Lost]) -> tuple[Warned, ...]:
    """Return one warning that names the lost lines; none where nothing is lost."""
    lines = tuple(lost)
    if not lines:
        return ()
    named = "; ".join(f"line {each.line}: {_quoted(each.text)}" for each in lines[:_MOST_NAMED])
    more = f"; and {len(lines) - _MOST_NAMED} more lines" if len(lines) > _MOST_NAMED else ""
    return (Warned("not_shown", f"the video neither shows nor says {named}{more}"),)


def _quoted(text: str) -> str:
    return text if len(text) <= _MOST_QUOTED else text[: _MOST_QUOTED - 1].rstrip() + "…"


@frozen
class _Seen:
    """The words of a video, and the pairs of words that follow each other."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, channel: Iterable[str]) -> _Seen:
        stream = [word for text in channel for word in words_of(text)]
        return cls(frozenset(stream), frozenset(pairwise(stream)))

    def with_channel(self, channel: Iterable[str]) -> _Seen:
        more = _Seen.of(channel)
        return _Seen(self.words | more.words, self.pairs | more.pairs)

    def lacks(self, part: str) -> bool:
        words = words_of(part)
        if any(map(is_telling, set(words) - self.words)):
            return True
        pairs = list(pairwise(words))
        return len(pairs) >= _LEAST_PAIRS and 2 * sum(map(self.pairs.__contains__, pairs)) < len(pairs)


def is_telling(word: str) -> bool:
    """Tell whether a word tells texts apart: numbers and single letters don't."""
    return not word.isdigit() and (len(word) > 1 or not word.isascii())


def words_of(text: str) -> list[str]:
    """Return the words of a text, in small letters and without signs of emphasis."""
    bare = _SIGNS.sub("", text)
    return _ASCII_WORD.findall(bare.lower()) if bare.isascii() else _WORD.findall(bare.casefold())


def _parts(line: str) -> Iterator[str]:
    """Yield the content of a line of Markdown, split where markup separates it."""
    if not line or line.isspace() or _MARKUP_LINE.match(line):
        return
    bare = line[_LEAD.match(line).end() :]  # type: ignore[union-attr]
    if _MAY_HAVE_MARKUP.search(bare):
        bare = unescaped(_SEPARATING.sub("|", _TRANSPARENT.sub("", bare)))
    yield from bare.split("|")


def said_texts(script: Script) -> Iterator[str]:
    """Yield all that is said."""
    for scene in script.scenes:
        for line in scene.lines:
            yield line.text


def shown_texts(script: Script) -> Iterator[str]:
    """Yield all texts on the pages of a script."""
    yield script.title
    for scene in script.scenes:
        yield from _texts(scene.heading)
        yield from _texts(scene.blocks)


def _divided(script: Script) -> Iterator[str]:
    """Yield the lines of listings that are divided among pages, each as a whole."""
    parts: list[str] = []
    for cell in (cell for scene in script.scenes for cell in cells_of(scene.blocks) if isinstance(cell, Code)):
        first, *more = _unwrapped(cell).split("\n")
        if first.startswith(CONTINUED):
            parts.append(first.removeprefix(CONTINUED))
        if more or not first.startswith(CONTINUED):
            yield "".join(parts)
            parts = [more[-1] if more else first]
    yield "".join(parts)


def _unwrapped(listing: Code) -> str:
    """Return the text of a listing with its wrapped lines, which have an arrow before each further part, joined."""
    return listing.text.replace(f"\n{CONTINUED}", "")


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts of a value of a page in their order, inline text in one piece."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Code):
        yield _unwrapped(value)
    elif isinstance(value, tuple):
        if value and isinstance(value[0], Span):
            yield plain(value)
        else:
            for each in value:
                yield from _texts(each)
    else:
        for name in _fields_of(value.__class__):
            yield from _texts(getattr(value, name))


@cache
def _fields_of(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a block that may hold text; none where `kind` isn't a block."""
    if not attrs.has(kind):
        return ()
    return tuple(
        each.name for each in attrs.fields(kind) if each.name not in _UNSEEN and each.type not in _WITHOUT_TEXT
    )
