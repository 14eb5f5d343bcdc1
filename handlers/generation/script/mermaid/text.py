"""The parts that all of Mermaid's notations share: lines without comments, the title, and labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from handlers.generation.script.mermaid.values import MAX_LABEL_CHARS, MAX_SOURCE_CHARS, DiagramError
from handlers.generation.script.shapes.characters import unescaped

_BREAK: Final = re.compile(r"<br[ \t]*+/?+>|\\n", re.IGNORECASE)
_TAG: Final = re.compile(r"</?+[A-Za-z][^<>]*+>")
_ICON: Final = re.compile(r"\bfa[bsrl]?+:fa-[\w-]++")
#: Mermaid's own notation of characters: `#quot;`, `#35;`.
_CODE: Final = re.compile(r"#(\d{1,7}|[A-Za-z]\w{1,30});")
_BLANKS: Final = re.compile(r"[ \t\u00a0]++")
_ABOUT: Final = re.compile(r"acc(?:Title|Descr)[ \t]*+(:|\{)")
_TITLE: Final = re.compile(r"title(?:[ \t]*+:[ \t]*+|[ \t]++)(\S.*+)")


@frozen
class Row:
    """A line of a diagram, stripped; `number` counts from 1."""

    number: int
    text: str


@frozen
class Opened:
    """A diagram without its front matter, comments and descriptions."""

    rows: tuple[Row, ...]
    title: str


def opened(source: str) -> Opened:
    """Split a diagram into its lines. Raises DiagramError."""
    if len(source) > MAX_SOURCE_CHARS:
        raise DiagramError(1, f"it has {len(source):,} characters; at most {MAX_SOURCE_CHARS:,} are drawn")
    rows = [Row(number, line.strip()) for number, line in enumerate(source.split("\n"), start=1)]
    first = next((at for at, row in enumerate(rows) if row.text), len(rows))
    title = ""
    if first < len(rows) and rows[first].text == "---":
        end = next((at for at in range(first + 1, len(rows)) if rows[at].text == "---"), None)
        if end is None:
            raise DiagramError(rows[first].number, "its front matter has no end: write --- below it")
        named = (_TITLE.fullmatch(row.text) for row in rows[first + 1 : end])
        title = next((label_of(match[1]) for match in named if match), "")
        rows = rows[end + 1 :]
    return Opened(tuple(_statements(rows)), title)


def _statements(rows: list[Row]) -> Iterator[Row]:
    """Yield the lines that say something: no blank ones, comments, directives (`%%`) or descriptions for readers."""
    described = directed = False
    for row in rows:
        if described:
            described = "}" not in row.text
        elif directed or row.text.startswith("%%{"):
            directed = "}%%" not in row.text
        elif about := _ABOUT.match(row.text):
            described = about[1] == "{" and "}" not in row.text
        elif row.text and not row.text.startswith("%%"):
            yield row


def title_of(row: Row) -> str | None:
    """Return the title that a line gives, None for another line."""
    match = _TITLE.fullmatch(row.text)
    return label_of(match[1]) if match else None


def label_of(text: str) -> str:
    """Read a label: quotes, tags, icons and escapes become what they stand for; line feeds are line breaks."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if len(text) > 1 and text[0] == text[-1] == "`":  # Markdown
        text = text[1:-1].replace("**", "")
    text = _ICON.sub("", _TAG.sub("", _BREAK.sub("\n", text)))
    text = unescaped(_CODE.sub(_character, text)) if "#" in text or "&" in text else text
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)[:MAX_LABEL_CHARS]


def _character(match: re.Match[str]) -> str:
    return f"&#{match[1]};" if match[1][0].isdigit() else f"&{match[1]};"
