"""Reads scripts in tables: columns for times, pictures, speech and texts; a scene a row.

Tables are those of Markdown, rows with tabs as sheets give them, and CSV.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import evolve, frozen

from handlers.generation.script.shapes.build import Draft, rows, sections_of, speakers_of, title_of, unquoted
from handlers.generation.script.shapes.label_words import COMMON, folded, listed
from handlers.generation.script.shapes.lines import ScriptLine, bare, kind_of, read_line, without_times
from handlers.generation.script.shapes.reading import LeftOut, Reading, Why
from handlers.generation.script.shapes.video import clean_title

_DELIMITERS: Final = re.compile(r"\s*\|?[-:| \t]*-[-:| \t]*+")
_BREAKS: Final = re.compile(r"\s*(?:<br\s{0,3}/?\s{0,3}>|[·•;；/]\s|\n)\s*", re.IGNORECASE)
_ROWS: Final = re.compile(r"\s*(?:<br\s{0,3}/?\s{0,3}>|\n)\s*", re.IGNORECASE)
#: Between columns that are set with blanks.
_GAP: Final = re.compile(r"(?<=\S) {3,}(?=\S)")
_NARROW_GAP: Final = re.compile(r"(?<=\S) {2,}(?=\S)")
#: Behind the name of somebody who speaks.
_OFF: Final = re.compile(r"(?:v\.?o\.?|o\.?s\.?|o\.?c\.?|off|voice-?over)\.?", re.IGNORECASE)
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
        "#|no|no.|nr|nr.|n°|nº|scene|shot|szene|einstellung|scène|plan|escena|toma|cena|scena|inquadratura|"
        "scén|záběr|сцена|кадр|№|n|镜号|序号|场景|镜头|カット|シーン|番号|장면|컷|번호|sahne|σκηνή|المشهد|"
        "दृश्य|stt|beeld nr"
    )
)
#: Columns of what is heard: speech where no other column is.
_HEARD: Final = frozenset(
    listed(
        "ton|audio|sound|son|som|sonido|suono|geluid|ljud|lyd|ääni|dźwięk|zvuk|звук|ses|ήχος|الصوت|ध्वनि|"
        "声音|聲音|音声|소리|오디오"
    )
)
#: Columns of what is seen; in a line, texts have these labels.
_ON_SCREEN: Final = frozenset(("on screen", "on-screen", "onscreen"))
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
        if "|" in line:
            table = _piped(lines, at)
        elif "\t" in line:
            table = _tabbed(lines, at)
        elif "   " in line.strip():
            table = _spaced(lines, at)
        else:
            table = _commas(lines, at) if at < 40 and "," in line else None
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
    if _kinds(header) is None:
        return None
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


def _spaced(lines: Sequence[str], at: int) -> ScriptTable | None:
    """Read columns set with blanks; a line without a first cell is a further line of the row above."""
    header = tuple(cell.strip() for cell in _GAP.split(lines[at].strip()))
    if not 2 <= len(header) <= _MOST_COLUMNS or _kinds(header) is None:
        return None
    starts = [lines[at].find(header[0])]
    for cell in header[1:]:
        starts.append(lines[at].find(cell, starts[-1] + 1))
    found: list[tuple[int, tuple[str, ...]]] = []
    end, blank = at + 1, 0
    while end < len(lines) and blank < 2:
        line = lines[end]
        blank = 0 if line.strip() else blank + 1
        if line == lines[at]:
            break
        if line.strip() and not set(line) <= set("-=_ "):
            cells = _at_columns(line, starts)
            if found and not cells[0]:
                number, above = found[-1]
                found[-1] = (
                    number,
                    tuple(f"{a}\n{b}" if a and b else a or b for a, b in zip(above, cells, strict=True)),
                )
            elif not any(cells[1:]) and not found:
                return None
            else:
                found.append((end, cells))
        end += 1
    return _table(header, found, at, end - blank)


def _at_columns(line: str, starts: Sequence[int]) -> tuple[str, ...]:
    """The cells of a line: cut where the header's columns begin, or else at blanks."""
    line = line.rstrip()
    if all(len(line) <= start or (start and line[start - 1] == " ") for start in starts[1:]):
        ends = [*starts[1:], len(line)]
        return tuple(line[start:end].strip() for start, end in zip((0, *starts[1:]), ends, strict=True))
    cells = [cell.strip() for cell in _NARROW_GAP.split(line.strip(), len(starts) - 1)]
    return (*cells, *("" for _ in range(len(starts) - len(cells))))


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
    kinds = ["visual" if name in _ON_SCREEN else kind for name, kind in zip(names, kinds, strict=True)]
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
            and at < tables[0].first
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
        labelled = _labels_speech(table)
        for number, row in table.rows:
            draft, dropped = _row(table.kinds, row, labelled)
            drafts.append(draft)
            left += [LeftOut.of(number + 1, part, why) for part, why in dropped]
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


def _labels_speech(table: ScriptTable) -> bool:
    """Whether what is said has labels of its own within its column."""
    column = table.kinds.index("speech")
    cells = (row[column] for _, row in table.rows if len(row) > column)
    return any(
        read_line(part).kind == "speech" and read_line(part).rest for cell in cells for part in _ROWS.split(cell)
    )


def _row(kinds: Sequence[str], row: Sequence[str], labelled: bool) -> tuple[Draft, list[tuple[str, Why]]]:
    """The scene of a row, and what is left out of its column of speech."""
    draft = Draft()
    dropped: list[tuple[str, Why]] = []
    speaker = ""
    for kind, cell in sorted(zip(kinds, row, strict=False), key=lambda each: each[0] != "speech"):
        if folded(cell) in _NOTHING:
            continue
        match kind:
            case "speaker":
                speaker = bare(cell)
            case "speech" if labelled:
                dropped += _say_labelled(draft, cell)
            case "speech":
                draft.say(cell)
            case "text":
                _show(draft, [part for part in _BREAKS.split(cell) if part])
            case "length":
                draft.wished_s = _span_s(cell)
            case "visual":
                _see(draft, cell)
    if speaker and len(speaker) <= 60:
        draft.said = [evolve(line, speaker=speaker) for line in draft.said]
    return draft, dropped


def _say_labelled(draft: Draft, cell: str) -> list[tuple[str, Why]]:
    """Say what has a label of speech or the name of a speaker, or none; returns what is left out."""
    dropped: list[tuple[str, Why]] = []
    for part in _ROWS.split(cell):
        found = read_line(part)
        if found.kind == "speech" and found.rest:
            draft.say(found.rest)
        elif found.kind == "text" and found.rest:
            _show(draft, [found.rest])
        elif found.kind in ("sound", "visual", "cut") or found.direction:
            dropped.append((part, "sound" if found.kind == "sound" else "direction"))
        elif found.kind == "pause":
            draft.pause(found.length_s or 0.0)
        elif found.kind == "unknown" and found.rest and (name := _speaker(found)):
            draft.say(found.rest, speaker=name)
        else:
            draft.say_on(part)
    return dropped


def _speaker(line: ScriptLine) -> str:
    """The name of who speaks, in capitals or with "(V.O.)" behind it; empty where a label is none."""
    behind = line.text[len(line.word) :].lstrip().removeprefix("(").partition(")")[0]
    return line.word if line.word.isupper() or _OFF.fullmatch(behind.strip()) else ""


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
