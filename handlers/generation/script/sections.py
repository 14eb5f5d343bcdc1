"""Between what somebody wrote and what is shown: sections, before they are laid out on pages."""

from __future__ import annotations

from attrs import frozen

from handlers.generation.script.content import Block, Layout, Spans


@frozen
class Note:
    """Spoken after the block before it; not shown."""

    text: str


@frozen
class Said:
    """A line of narration; as it begins, all up to the reveal number `reveal` is shown (None: one more)."""

    text: str
    reveal: int | None = None


@frozen
class Section:
    """A heading of `level` 1 or 2 (0: none, or not told) and what stands under it.

    `layout` None: as its content suggests. `narration` takes the place of what would be said: a text to be spread over
    the reveals, or lines. `part` of `parts` is kept where it goes on from another section.
    """

    level: int
    heading: Spans
    body: tuple[Block | Note, ...]
    layout: Layout | None = None
    narration: str | tuple[Said, ...] | None = None
    part: int = 1
    parts: int = 1
