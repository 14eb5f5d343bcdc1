"""Tables of Markdown, refused where they are too large: a short row has as many cells as the header, so that a few
characters may make many cells."""

import re
from typing import Final

from markdown_it.rules_block import StateBlock, table

from handlers.generation.errors import ScriptError

MAX_COLUMNS: Final = 100
#: More than 300 pages can show.
MAX_CELLS: Final = 20_000
#: The line between the header and the rows.
_DELIMITERS: Final = re.compile(r"[-:| \t]*+")


def table_in_limits(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule of markdown-it for tables. Raises ScriptError before it reads one that is too large."""
    if start + 2 <= end and (columns := _columns(state, start + 1)):
        if columns > MAX_COLUMNS:
            raise ScriptError(_too_large(start, f"{columns:,} columns; at most {MAX_COLUMNS} are possible"))
        row = start + 2
        while row < end and not state.isEmpty(row):
            row += 1
            if (row - start) * columns > MAX_CELLS:
                raise ScriptError(_too_large(start, f"more than {MAX_CELLS:,} cells"))
    return table(state, start, end, silent)


def _columns(state: StateBlock, line: int) -> int:
    """The columns that a line between header and rows tells of; 0 where it is another line."""
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    if "-" not in text or not _DELIMITERS.fullmatch(text):
        return 0
    return len(text.strip().strip("|").split("|"))


def _too_large(start: int, what: str) -> str:
    return f"the table on line {start + 1} has {what}"
