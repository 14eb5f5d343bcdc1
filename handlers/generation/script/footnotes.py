"""Reads footnotes: `[^label]` in the text, `[^label]: ...` on a line of its own with further indented paragraphs.

`^[text]` is a note in the place of its reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from handlers.generation.script.content import Footnote, Span, Spans

#: Keys of the parser's environment: {label: text of its paragraphs}, {label: number in the text}.
DEFINED: Final = "footnotes"
NUMBERS: Final = "footnote_numbers"
_REFERENCE: Final = re.compile(r"\[\^([^\[\]\s]{1,200})\]")
_INLINE: Final = re.compile(r"\^\[((?:[^\[\]]++|\[[^\[\]]*+\]){1,200}+)\]")
_DEFINITION: Final = re.compile(r"\[\^([^\[\]\s]{1,200})\]:[ \t]*+")
#: Columns by which a further paragraph of a note is indented.
_INDENT: Final = 4


def add_footnote_rules(parser: MarkdownIt) -> None:
    """Let `parser` read footnotes."""
    parser.block.ruler.before("reference", "footnote", _definition, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.before("link", "footnote", _reference)
    parser.inline.ruler.before("link", "inline_note", _inline_note)


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a definition at the beginning of a line, outside of lists and quotes; the first of a label counts."""
    if state.sCount[start] != 0 or (state.level > 0 and not silent):
        return False
    match = _DEFINITION.match(state.src, state.bMarks[start], state.eMarks[start])
    if match is None or silent:
        return match is not None
    paragraphs = [[state.src[match.end() : state.eMarks[start]]]]
    line = start + 1
    while line < end:
        if state.isEmpty(line):
            paragraphs.append([])
        elif state.sCount[line] >= _INDENT or (paragraphs[-1] and not _begins_block(state, line, end)):
            paragraphs[-1].append(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])
        else:
            break
        line += 1
    texts = ["\n".join(rows).strip() for rows in paragraphs]
    state.env.setdefault(DEFINED, {}).setdefault(match[1], [text for text in texts if text])
    state.line = line
    return True


def _begins_block(state: StateBlock, line: int, end: int) -> bool:
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("paragraph"))


def _reference(state: StateInline, silent: bool) -> bool:
    """Parse a reference to a note that is defined; others are text. Notes are numbered as they appear."""
    match = _REFERENCE.match(state.src, state.pos, state.posMax)
    if match is None or not state.env.get(DEFINED, {}).get(match[1]):
        return False
    if not silent:
        numbers = state.env.setdefault(NUMBERS, {})
        token = state.push("footnote_ref", "", 0)
        token.content = str(numbers.setdefault(match[1], len(numbers) + 1))
    state.pos = match.end()
    return True


def _inline_note(state: StateInline, silent: bool) -> bool:
    """Parse a note within the text, `^[text]`, as pandoc does; it may hold brackets, but no notes in brackets."""
    match = _INLINE.match(state.src, state.pos, state.posMax) if state.src.startswith("^[", state.pos) else None
    if match is None or not match[1].strip():
        return False
    if not silent:
        numbers = state.env.setdefault(NUMBERS, {})
        label = f"^ {len(numbers) + 1}"  # labels of definitions have no blanks
        state.env.setdefault(DEFINED, {})[label] = [match[1].strip()]
        token = state.push("footnote_ref", "", 0)
        token.content = str(numbers.setdefault(label, len(numbers) + 1))
    state.pos = match.end()
    return True


def notes_of(env: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the paragraphs of the notes that a parsed text refers to, by their numbers."""
    return {str(number): tuple(env[DEFINED][label]) for label, number in env.get(NUMBERS, {}).items()}


def footnote(number: str, paragraphs: Iterable[Spans]) -> Footnote:
    """Return a note whose paragraphs stand below each other."""
    spans: list[Span] = []
    for paragraph in paragraphs:
        spans += [*([Span("\n")] if spans else []), *paragraph]
    return Footnote(number, tuple(spans))


def numbers_in(value: Any) -> Iterator[str]:
    """Yield the numbers of footnotes that a block, or a sequence of blocks or spans, refers to, in their order."""
    if isinstance(value, Span):
        if value.kind == "note":
            yield value.text
    elif isinstance(value, tuple | list):
        for each in value:
            yield from numbers_in(each)
    elif hasattr(value, "__attrs_attrs__"):
        for attribute in value.__attrs_attrs__:
            yield from numbers_in(getattr(value, attribute.name))
