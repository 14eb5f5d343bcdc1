"""Finds the lines of a text that the reader of a shape other than a document loses.

Such texts have words that are no content: labels, keys, names of commands. So a line counts as lost where several of
its words in a row, behind its label, are neither shown nor said nor listed as left out. Shorter losses aren't found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from handlers.generation.script.comments import blanked
from handlers.generation.script.completeness import (
    RAW,
    Lost,
    contents,
    is_telling,
    said_texts,
    shown_texts,
    without_elements,
    words_of,
)
from handlers.generation.script.content import Script
from handlers.generation.script.graphemes import unspaced
from handlers.generation.script.shapes.reading import MAX_SHOWN_CHARS, Reading
from handlers.generation.script.shapes.screenplay import without_notes
from handlers.generation.script.shapes.video import clean_title

#: Pairs of neighbouring words that occur nowhere, from which on a line counts as lost. A character of a script without
#: blanks counts as a third of a word.
_LEAST: Final = 3.0
_OF_CHARACTER: Final = 1 / 3
#: What a label at the beginning of a line, or the key of a value, may be.
_LABEL: Final = re.compile(r"[^:：\n]{0,46}+[:：]")
#: A path to a file, which has no words.
_PATH: Final = re.compile(r"(?<![^\s\[\](){}\"'|:/])[^\s\[\](){}\"'|:/]*+/[^\s\[\](){}\"'|]*+")
#: The row below the names of a table's columns.
_DELIMITERS: Final = re.compile(r"[-:| \t]*+")
#: Text without content in each notation: comments, keys, roles and targets.
_NOISE: Final[Mapping[str, re.Pattern[str]]] = {
    "scene_list": re.compile(r"(?:^|(?<=\s))#.*|\"[^\"\n]{1,40}+\"\s*+:|[{}\[\]]"),
    "latex": re.compile(r"(?<!\\)%.*"),
    "org": re.compile(r"^\s*+#(?:\s|\+).*"),
    "asciidoc": re.compile(r"^//.*"),
    "rst": re.compile(r"^\.\.\s+(?![\w-]{1,40}::).*|:[a-z:+-]{1,30}+(?=`)|<[^<>\n]*+>(?=`)"),
}
#: Elements that the reader of HTML lists as left out, in part.
_FURNITURE: Final = ("nav", "footer", "aside", "form", "button", "select", "noscript", "head", "dialog", "object")
#: Of notebooks the reader takes all cells, and lists the beginnings of outputs.
_WHOLE: Final = ("notebook",)


def unread_lines(source: str, script: Script, reading: Reading) -> tuple[Lost, ...]:
    """Return the lines of a text that its reading loses."""
    if reading.shape in _WHOLE:
        return ()
    texts = (
        shown_texts(script),
        said_texts(script),
        (each.text for each in reading.left_out),
        (reading.title, *reading.facts.values(), *reading.speakers),
        (scene.hint for scene in script.scenes),
    )
    seen = {pair for channel in texts for pair in _pairs(channel)}
    listed = {each.line for each in reading.left_out if len(each.text) >= MAX_SHOWN_CHARS}  # whose ends aren't there
    found: list[Lost] = []
    for number, (line, parts) in enumerate(contents(_bare(source, reading.shape)), 1):
        pieces = (piece for part in parts for piece in _without_label(part).split("\t"))
        if number not in listed and any(_loses(piece, seen) for piece in pieces) and not _is_title(line, reading):
            found.append(Lost(number, line.strip()))
    return tuple(found)


def _is_title(line: str, reading: Reading) -> bool:
    """Tell whether a line is the title of the video, with or without words such as "Video script:"."""
    return bool(reading.title) and clean_title(line.strip("#*_ \t")) == reading.title


def _bare(source: str, shape: str) -> str:
    """Return the text without the parts that have no content; lines keep their numbers."""
    if shape in ("html", "ssml"):
        source = without_elements(blanked(source), (*RAW, *_FURNITURE))
    lines = source.split("\n")
    if shape == "screenplay":
        lines, _ = without_notes(lines)
    for at in range(1, len(lines)):
        if "|" in lines[at - 1] and "-" in lines[at] and _DELIMITERS.fullmatch(lines[at]):
            lines[at - 1] = ""
    noise = _NOISE.get(shape)
    return "\n".join(noise.sub("\t", line) for line in lines) if noise else "\n".join(lines)


def _without_label(text: str) -> str:
    label = _LABEL.match(text)
    return _PATH.sub("\t", text[label.end() :] if label else text)


def _telling(texts: Iterable[str]) -> list[str]:
    """Return the words of texts but numbers and single letters, which occur everywhere."""
    return [word for text in texts for word in words_of(text) if is_telling(word)]


def _pairs(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    return pairwise(_telling(texts))


def _loses(text: str, seen: set[tuple[str, str]]) -> bool:
    run = 0.0
    for pair in _pairs([text]):
        weight = _OF_CHARACTER if len(pair[1]) == 1 and unspaced(pair[1]) else 1.0
        run = 0.0 if pair in seen else run + weight
        if run >= _LEAST:
            return True
    return False
