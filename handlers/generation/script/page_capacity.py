"""How much of a script a page holds, by aspect ratio."""

from typing import Final

from attrs import frozen

from handlers.generation.aspects import aspect_of


@frozen
class Capacity:
    """What a page holds. `lines` is its height in lines of body text, `*_chars` the characters of such a line."""

    lines: float
    bullet_chars: int
    text_chars: int
    quote_chars: int
    table_chars: int
    code_columns: int
    code_lines: int
    table_rows: int
    table_columns: int
    #: Characters of a piece of text that is never shared among pages.
    piece_chars: int
    #: Columns stand below each other.
    stacked: bool = False


_CAPACITIES: Final = {
    "16:9": Capacity(10.5, 72, 78, 58, 84, 88, 17, 7, 6, 420),
    "9:16": Capacity(13.5, 36, 40, 30, 40, 54, 24, 8, 3, 260, stacked=True),
    "1:1": Capacity(10.0, 44, 50, 36, 50, 56, 17, 7, 4, 300),
}


def capacity_of(aspect: str) -> Capacity:
    """Raises UnknownAspect."""
    return _CAPACITIES[aspect_of(aspect).name]
