"""Reads documents that aren't surely Markdown: prepares Markdown, or reads plain text by its lines.

Markdown is text with headings, fences, bold, links, tables, quotes or two list items. What plain text means by its
lines is read by `plain`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import is_
from typing import Any, Final

from attrs import evolve, fields, has

from eventflow.requests.limits import LONGEST_PAUSE_S
from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Callout,
    Columns,
    Note,
    Paragraph,
    Section,
    Sentence,
    Span,
)
from handlers.generation.script.inline import merged, plain
from handlers.generation.script.shapes.build import cut_sentences, title_of, unquoted, with_cuts
from handlers.generation.script.shapes.contacts import quiet
from handlers.generation.script.shapes.delivery import (
    MARKS,
    ROW,
    cut_at_marks,
    has_pauses,
    marked_s,
    with_marks,
    without_marks,
    without_tags,
)
from handlers.generation.script.shapes.furniture import without_furniture
from handlers.generation.script.shapes.plain import read_plain
from handlers.generation.script.shapes.quiz import with_time_to_think
from handlers.generation.script.shapes.reading import Reading

_MARKDOWN: Final = re.compile(
    r"^ {0,3}(?:#{1,6} \S|```|~~~|> ?\S|:{3,}|\$\$|\|.*\|[ \t]*$|!\[|Note: |\[\^?[^\]\n]{1,80}\]:|"
    r"(?:\* ?){3,}$|!!! )|\*\*[^*\s]|\]\([^)\s]|!\[|<!--|<[a-zA-Z/]|`[^`\n]{1,80}`|\$[^$\n]{1,80}\$|"
    r"\{[{:%]|"
    r"^ {0,3}(?:\*{3,}|-{3,}|_{3,})[ \t]*$",
    re.MULTILINE,
)
_ITEM: Final = re.compile(r"^ {0,3}[-*+] \S", re.MULTILINE)
_BOLD_LINE: Final = re.compile(r"(?:\*\*|__)([^*_\n]{1,80}?):?(?:\*\*|__):?[ \t]*")
_BULLET: Final = re.compile(r"^([ \t]*)[•‣◦▪●○■□➢►▸–][ \t]+(?=\S)", re.MULTILINE)
_CODE: Final = re.compile(
    r"[{}$;=<>\\|`]|\(\)|->|^\s*(?:#|//|\$|>>>|import |from |def |class |return |if |for |while |let |"
    r"const |var |func |fn |echo |cd |ls |npm |pip |git |sudo |curl |make )|:$|\w\(|\w/\w|--\w"
)
_LISTED: Final = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")
_ROW: Final = re.compile(r"[^\W\d_][^:：.!?\n]{0,40}:\s|\d{1,2}[:.]\d{2}\b|\d{1,3}\)\s")
_SETEXT: Final = re.compile(r"\s*(?:=+|-+)\s*")


def is_markdown(body: str) -> bool:
    """Tell whether a text has marks of Markdown."""
    return bool(_MARKDOWN.search(body)) or len(_ITEM.findall(body, 0)) >= 2


def read_plain_document(lines: Sequence[str], *, keep: Collection[str] = (), handed: bool = False) -> Reading:
    """Read a document: Markdown is prepared, plain text read by its lines."""
    kept, left = without_furniture(lines, keep)
    body = "\n".join(kept)
    for_voice = "cues" not in keep and has_pauses(body)
    if for_voice:
        body = with_marks(body)
    if is_markdown(body.replace("\ufdd0", "")):
        return Reading(shape="document", body=_prepared(with_time_to_think(body)), left_out=left)
    sections, title, numbers = read_plain(body.split("\n"))
    if handed:
        sections = tuple(map(_unquoted, sections))
    sections = quiet(finished(sections) if for_voice else sections)
    reading = Reading(shape="document", body=body, sections=sections, title=title_of(title), left_out=left)
    return reading.plus(numbers)


def read_plain_text(body: str) -> Reading:
    """Read a text by its lines, whatever marks it has."""
    kept, left = without_furniture(body.split("\n"))
    sections, title, numbers = read_plain(kept)
    return Reading(shape="plain", sections=sections, title=title_of(title), left_out=left).plus(numbers)


def _unquoted(section: Section) -> Section:
    """Drop the quotation marks around a whole narration that was handed over."""
    body = tuple(evolve(b, sentences=_bare(b)) if isinstance(b, Paragraph) else b for b in section.body)
    return evolve(section, body=body)


def _bare(block: Paragraph) -> tuple[Sentence, ...]:
    text = " ".join(plain(sentence.spans) for sentence in block.sentences)
    inside = unquoted(text)
    if inside == text.strip():
        return block.sentences
    return tuple(Sentence(part) for part in cut_sentences((Span(inside),)))


def _prepared(body: str) -> str:
    """Prepare Markdown: lines in bold become headings, indented prose is no code, labelled rows stay rows."""
    if "\n#" not in body and not body.startswith("#") and ("**" in body or "__" in body):
        body = _bold_headings(body)
    if any(sign in body for sign in "•‣◦▪●○■□➢►▸–") and len(_BULLET.findall(body)) >= 2:
        body = _BULLET.sub(r"\1- ", body)
    if "\n    " in body or body.startswith("    ") or "\n\t" in body:
        body = _indented_prose(body)
    return _with_rows(body)


def _bold_headings(body: str) -> str:
    lines = body.split("\n")
    alone = [
        at
        for at, line in enumerate(lines)
        if line[:2] in ("**", "__")
        and _BOLD_LINE.fullmatch(line)
        and (at == 0 or not lines[at - 1].strip())
        and (at + 1 == len(lines) or not lines[at + 1].strip())
    ]
    if len(alone) < 2:
        return body
    for at in alone:
        match = _BOLD_LINE.fullmatch(lines[at])
        lines[at] = f"## {match[1].strip()}" if match else lines[at]
    return "\n".join(lines)


def _indented_prose(body: str) -> str:
    """Indented blocks that don't look like code lose their indentation, outside of lists and fences."""
    lines = body.split("\n")
    in_list = in_fence = False
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.lstrip().startswith(("```", "~~~")):
            in_fence = not in_fence
        elif in_fence or not line.strip():
            pass
        elif _LISTED.match(line) or (in_list and line[:1] in " \t"):
            in_list = True
        elif line.startswith(("    ", "\t")) and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith(("    ", "\t"))):
                end += 1
            block = lines[at:end]
            if not any(_CODE.search(each) for each in block) and any(" " in each.strip() for each in block):
                lines[at:end] = [each.strip() for each in block]
            at = end
            continue
        else:
            in_list = False
        at += 1
    return "\n".join(lines)


def _with_rows(body: str) -> str:
    """Mark the ends of rows: in runs of two or more lines of a paragraph that begin with labels, times or numbers."""
    lines = body.split("\n")
    changed = in_fence = False
    for at in range(len(lines) - 1):
        line, following = lines[at], lines[at + 1]
        if line.lstrip().startswith(("```", "~~~")):
            in_fence = not in_fence
        if in_fence or not line or not following or line[0] in "#|>-*+ \t:`~<[" or following[0] in "#|>-*+ \t:`~=<":
            continue
        if len(line) < 200 and _ROW.match(line) and _ROW.match(following) and not _SETEXT.fullmatch(following):
            lines[at] = line.rstrip() + ROW
            changed = True
    return "\n".join(lines) if changed else body


def finished(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Replace the marks in sections: by the pauses of their sentences, and by rows."""
    return tuple(evolve(s, heading=_unmarked(s.heading), body=tuple(_finished(s.body))) for s in sections)


def _unmarked(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    if not any(MARKS.search(span.text) for span in spans):
        return spans
    return merged([span.with_text(without_marks(span.text)) for span in spans])


def _finished(body: Sequence[Block | Note]) -> Iterator[Block | Note]:
    for block in body:
        match block:
            case Paragraph() if any(MARKS.search(span.text) for sentence in block.sentences for span in sentence.spans):
                yield from _marked(block)
            case Bullets():
                yield Bullets(tuple(map(_paused_item, block.items)))
            case Callout():
                title = _changed(block.title, without_marks)
                yield evolve(block, title=title, blocks=tuple(_finished(block.blocks)))  # type: ignore[arg-type]
            case Columns():
                left, right = tuple(_finished(block.left)), tuple(_finished(block.right))
                yield evolve(block, left=left, right=right)  # type: ignore[arg-type]
            case Note():
                yield Note(without_marks(block.text))
            case _:
                yield _changed(block, without_marks)


def _paused_item(item: Bullet) -> Bullet:
    """An item with its pauses behind it."""
    seconds = sum(marked_s(span.text) for span in item.spans)
    return evolve(item, spans=_unmarked(item.spans), pause_s=min(item.pause_s + seconds, LONGEST_PAUSE_S))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """A block, or a part of one, with its inline text changed, and itself where nothing is."""
    if isinstance(value, Span):
        text = change(value.text) if value.kind == "text" else value.text
        return value if text == value.text else evolve(value, text=text)
    if isinstance(value, tuple):
        found = tuple(_changed(each, change) for each in value)
        return value if all(map(is_, found, value)) else found
    if not has(type(value)):
        return value
    found_of = {each.name: _changed(getattr(value, each.name), change) for each in fields(type(value)) if each.init}
    changed = {name: each for name, each in found_of.items() if each is not getattr(value, name)}
    return evolve(value, **changed) if changed else value


def untagged(reading: Reading) -> Reading:
    """Replace the tags in a script or a talk: those of pauses by silence, those of delivery by nothing."""
    if reading.sections is None:
        return reading
    marked = [
        evolve(each, heading=_changed(each.heading, with_marks), body=_changed(each.body, with_marks))
        for each in reading.sections
    ]
    return evolve(reading, sections=finished(marked), title=without_tags(reading.title))


def _marked(block: Paragraph) -> Iterator[Paragraph]:
    """Cut a paragraph at its marks."""
    if block.rows:
        if paused := _paused_rows(block.sentences):
            yield evolve(block, sentences=tuple(paused))
        return
    spans = [span for sentence in block.sentences for span in (*sentence.spans, Span(" "))]
    rows: list[list[Span]] = [[]]
    for span in spans:
        first, *rest = span.text.split(ROW)
        rows[-1].append(span.with_text(first))
        rows += [[span.with_text(text)] for text in rest]
    found: list[Sentence] = []
    for row in rows:
        found += _paused(row, whole=len(rows) > 1)
    if found:
        yield evolve(block, sentences=tuple(found), rows=len(rows) > 1)


def _paused_rows(rows: Sequence[Sentence]) -> list[Sentence]:
    """Rows cut at their pauses; those of verse, which have pauses of their own, stay whole."""
    found: list[Sentence] = []
    for row in rows:
        text = "".join(span.text for span in row.spans)
        before_s = marked_s(text[: next((at for at, character in enumerate(text) if character.isalpha()), len(text))])
        if found and before_s and not row.pause_s:
            found[-1] = evolve(found[-1], pause_s=min(found[-1].pause_s + before_s, LONGEST_PAUSE_S))
        found += [_paused_row(row)] if row.pause_s else _paused(row.spans, whole=True)
    return found


def _paused_row(row: Sentence) -> Sentence:
    """A row with its pauses behind it."""
    seconds = sum(marked_s(span.text) for span in row.spans)
    return evolve(row, spans=_unmarked(row.spans), pause_s=min(row.pause_s + seconds, LONGEST_PAUSE_S))


def _paused(row: Sequence[Span], *, whole: bool) -> list[Sentence]:
    found: list[Sentence] = []
    current: list[Span] = []

    def end(pause_s: float) -> None:
        spans = merged([span.with_text(without_marks(span.text)) for span in current])
        current.clear()
        parts = (spans,) if whole and spans else cut_sentences(spans)
        found.extend(Sentence(part) for part in parts if any(map(str.isalnum, plain(part))))
        if found and pause_s:
            found[-1] = evolve(found[-1], pause_s=min(found[-1].pause_s + pause_s, LONGEST_PAUSE_S))

    for span in row:
        for text, pause_s in cut_at_marks(span.text):
            current.append(span.with_text(text))
            if pause_s:
                end(pause_s)
    end(0.0)
    return with_cuts(found)
