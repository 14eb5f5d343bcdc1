"""Reads scripts in tables: columns for times, pictures, speech and texts; a scene a row.

Tables are those of Markdown, rows with tabs as sheets give them, and CSV.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import frozen

from handlers.generation.script.shapes.build import Draft, rows, sections_of, speakers_of, title_of, unquoted
from handlers.generation.script.shapes.label_words import COMMON, folded, listed
from handlers.generation.script.shapes.lines import bare, kind_of, read_line, without_times
from handlers.generation.script.shapes.reading import LeftOut, Reading
from handlers.generation.script.shapes.video import clean_title

_DELIMITERS: Final = re.compile(r"\s*\|?[-:| \t]*-[-:| \t]*+")
_CELL: Final = re.compile(r"(?:[^|\\]|\\.)*+")
_BREAKS: Final = re.compile(r"\s*(?:<br\s{0,3}/?\s{0,3}>|[·•;；/]\s|\n)\s*", re.IGNORECASE)
_NOTHING: Final = frozenset(
    (
        "",
        "-",
        "–",
        "—",
        "--",
        "n/a",
        "none",
        "keine",
        "keins",
        "aucun",
        "aucune",
        "ninguno",
        "nenhum",
        "nessuno",
        "无",
        "なし",
        "없음",
        "нет",
        "yok",
        "brak",
        "geen",
        "inget",
        "/",
        "…",
        "...",
    )
)
_NUMBERS: Final = frozenset(
    listed(
        "#|no|no.|nr|nr.|n°|nº|scene|shot|szene|einstellung|scène|plan|escena|toma|cena|scena|inquadratura|scén|záběr|сцена|кадр|№|n|镜号|序号|场景|镜头|カット|シーン|番号|장면|컷|번호|sahne|σκηνή|المشهد|दृश्य|stt|beeld nr"
    )
)
#: Columns of what is heard: speech where no other column is.
_HEARD: Final = frozenset(
    listed(
        "ton|audio|sound|son|som|sonido|suono|geluid|ljud|lyd|ääni|dźwięk|zvuk|звук|ses|ήχος|الصوت|ध्वनि|声音|聲音|音声|소리|오디오"
    )
)
#: Of the longest header of a table, in cells.
_MOST_COLUMNS: Final = 20
_LONGEST_TITLE: Final = 200


@frozen
class ScriptTable:
    """A script in a table: the kinds of its columns, its rows with their lines (from 0), and where it stands."""

    kinds: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    first: int
    end: int


def script_tables(lines: Sequence[str]) -> list[ScriptTable]:
    """The tables that are scripts: those with a column of speech and one of pictures, times, texts or sounds."""
    found: list[ScriptTable] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if "|" not in line and "\t" not in line and not (at < 40 and line.count(",") >= 1):
            at += 1
            continue
        table = _piped(lines, at) if "|" in line else _tabbed(lines, at) if "\t" in line else _commas(lines, at)
        if table is not None:
            found.append(table)
        at = table.end if table is not None else at + 1
    return found


def _cells(line: str) -> tuple[str, ...]:
    text = line.strip().removeprefix("|").removesuffix("|")
    return tuple(part.strip() for part in re.split(r"(?<!\\)\|", text))


def _piped(lines: Sequence[str], at: int) -> ScriptTable | None:
    if at + 1 >= len(lines) or not _DELIMITERS.fullmatch(lines[at + 1]):
        return None
    header = _cells(lines[at])
    if _kinds(header) is None:
        return None
    end = at + 2
    while end < len(lines) and lines[end].strip() and "|" in lines[end]:
        end += 1
    return _table(header, [(n, _cells(lines[n])) for n in range(at + 2, end)], at, end)


def _tabbed(lines: Sequence[str], at: int) -> ScriptTable | None:
    header = tuple(cell.strip() for cell in lines[at].split("\t"))
    end = at + 1
    while end < len(lines) and "\t" in lines[end]:
        end += 1
    return _table(header, [(n, tuple(map(str.strip, lines[n].split("\t")))) for n in range(at + 1, end)], at, end)


def _commas(lines: Sequence[str], at: int) -> ScriptTable | None:
    header = next(csv.reader([lines[at]]), [])
    if not 2 <= len(header) <= _MOST_COLUMNS or _kinds(tuple(header)) is None:
        return None
    found, number = [], at + 1
    reader = csv.reader(islice(lines, at + 1, None))
    for row in reader:
        if len(row) < 2:
            break
        found.append((number, tuple(map(str.strip, row))))
        number = at + 1 + reader.line_num
    return _table(tuple(header), found, at, number)


def _table(
    header: tuple[str, ...], found: Sequence[tuple[int, tuple[str, ...]]], at: int, end: int
) -> ScriptTable | None:
    kinds = _kinds(header)
    if kinds is None or not found:
        return None
    speech = kinds.index("speech")
    said = [row[speech] for _, row in found if len(row) > speech and folded(row[speech]) not in _NOTHING]
    if len(said) * 3 < len(found) or sum(map(_is_text, said)) * 2 < len(said):
        return None
    return ScriptTable(kinds, tuple(found), at, end)


def _is_text(cell: str) -> bool:
    return len(cell.split()) >= 3 or sum(ord(character) > 0x2E80 for character in cell) >= 5


def _kinds(header: tuple[str, ...]) -> tuple[str, ...] | None:
    """The kinds of the columns of a script's table; None where it isn't one."""
    if not 2 <= len(header) <= _MOST_COLUMNS:
        return None
    names = [folded(re.sub(r"\s*[(（].*$", "", bare(cell))) for cell in header]
    kinds = ["number" if name in _NUMBERS else kind_of(name) or ("picture" if not name else "other") for name in names]
    kinds = ["text" if kind == "caption" else kind for kind in kinds]
    if "speech" not in kinds:
        kinds = ["speech" if name in _HEARD else kind for name, kind in zip(names, kinds, strict=True)]
    speech = [at for at, kind in enumerate(kinds) if kind == "speech"]
    surely = [at for at in speech if names[at] not in COMMON]
    if not speech:
        return None
    chosen = (surely or speech)[0]
    kinds = ["speaker" if at in speech and at != chosen else kind for at, kind in enumerate(kinds)]
    others = {kind for kind in kinds if kind in ("visual", "text", "sound", "length")}
    if not others or (not surely and not others & {"visual", "text"}):
        return None
    return tuple(kinds)


def read_tables(lines: Sequence[str], tables: Sequence[ScriptTable]) -> Reading:
    """Read scripts in tables, with the title above them."""
    drafts: list[Draft] = []
    left: list[LeftOut] = []
    facts: dict[str, str] = {}
    title = ""
    for at, line in _outside(lines, tables):
        found = read_line(line)
        if found.kind in ("blank", "rule"):
            continue
        if found.kind == "title" and found.rest:
            title = unquoted(found.rest)
        elif (
            not title
            and not drafts
            and found.kind in ("plain", "unknown", "role", "scene")
            and len(found.text) <= _LONGEST_TITLE
        ):
            title = found.text
            continue
        elif found.kind == "length" and (seconds := found.length_s or _span_s(found.rest)):
            facts.setdefault("wished_s", f"{seconds:g}")
        left.append(
            LeftOut.of(at + 1, line, "fact" if found.kind in ("length", "title", "fact", "tags") else "unlabelled")
        )
    for table in tables:
        for number, row in table.rows:
            drafts.append(_row(table.kinds, row))
            hidden = [
                cell
                for cell, kind in zip(row, table.kinds, strict=False)
                if kind in ("visual", "sound") and folded(cell) not in _NOTHING
            ]
            left += [LeftOut.of(number + 1, cell, "direction") for cell in hidden]
    title = title_of(clean_title(title))
    sections = sections_of(drafts, title)
    return Reading(
        shape="video_script", sections=sections, title=title, left_out=tuple(left), facts=facts,
        speakers=speakers_of(sections),
    )  # fmt: skip


def _outside(lines: Sequence[str], tables: Sequence[ScriptTable]) -> Iterator[tuple[int, str]]:
    inside = {at for table in tables for at in range(table.first, table.end)}
    return ((at, line) for at, line in enumerate(lines) if at not in inside)


def _span_s(text: str) -> float | None:
    _, span, length = without_times(text)
    if span is not None and span[1] is not None:
        return span[1] - span[0]
    return length


def _row(kinds: Sequence[str], row: Sequence[str]) -> Draft:
    draft = Draft()
    speaker = ""
    for kind, cell in sorted(zip(kinds, row, strict=False), key=lambda each: each[0] != "speech"):
        if folded(cell) in _NOTHING:
            continue
        match kind:
            case "speaker":
                speaker = bare(cell)
            case "speech":
                draft.say(cell)
            case "text":
                _show(draft, [part for part in _BREAKS.split(cell) if part])
            case "length":
                draft.wished_s = _span_s(cell)
            case "visual":
                _see(draft, cell)
    if speaker and len(speaker) <= 60:
        draft.said = [type(line)(line.text, speaker=speaker, pause_s=line.pause_s) for line in draft.said]
    return draft


def _show(draft: Draft, texts: Sequence[str]) -> None:
    shown = rows([unquoted(text) for text in texts])
    if shown.sentences:
        draft.show(shown)


def _see(draft: Draft, cell: str) -> None:
    """Pictures, and texts that are named among them."""
    for part in _BREAKS.split(cell):
        found = read_line(part)
        if found.kind == "text" and found.rest:
            _show(draft, [found.rest])
        elif part.strip():
            draft.hint(bare(part))
