"""What a script is made of: inline text, blocks, scenes. Plain frozen values, JSON by `model.dump`."""

from typing import Literal

from attrs import frozen

#: "image": the picture fills the page, what else there is stands on it. "outro": the last page, set like the first.
Layout = Literal["title", "section", "content", "quote", "image", "outro"]


@frozen
class Span:
    """A run of inline text in one style; `math` is LaTeX source (the subset of `mathtree`)."""

    text: str
    kind: Literal["text", "code", "math"] = "text"
    bold: bool = False
    italic: bool = False


Spans = tuple[Span, ...]


@frozen
class Heading:
    """A sub-heading inside a scene."""

    spans: Spans
    step: int = 0
    kind: Literal["heading"] = "heading"


@frozen
class Sentence:
    """Part of a paragraph that is revealed (and spoken) on its own."""

    spans: Spans
    step: int = 0


@frozen
class Paragraph:
    """Running text, revealed sentence by sentence."""

    sentences: tuple[Sentence, ...]
    kind: Literal["paragraph"] = "paragraph"


@frozen
class Bullet:
    """One list item. `number` is its label in an ordered list; `depth` counts from 0."""

    spans: Spans
    depth: int = 0
    number: int | None = None
    step: int = 0


@frozen
class Bullets:
    """A list, revealed item by item."""

    items: tuple[Bullet, ...]
    kind: Literal["bullets"] = "bullets"


@frozen
class Code:
    """A listing; `language` may be empty. `highlight` are the lines that matter, counted from 1."""

    language: str
    text: str
    step: int = 0
    highlight: tuple[int, ...] = ()
    kind: Literal["code"] = "code"


@frozen
class Table:
    """A table; rows may be shorter than the header."""

    header: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    step: int = 0
    kind: Literal["table"] = "table"


@frozen
class Math:
    """A displayed formula in LaTeX (the subset of `mathtree`; what it does not know is shown as text)."""

    source: str
    step: int = 0
    kind: Literal["math"] = "math"


@frozen
class Quote:
    """A quotation and whom it is from (may be empty)."""

    spans: Spans
    source: Spans = ()
    step: int = 0
    kind: Literal["quote"] = "quote"


@frozen
class Image:
    """A picture of the user's own: `asset` is its id, `alt` what it shows (may be empty).

    `fit`: "contain" shows all of it, "cover" fills its room. `motion` is slow, over the time that the picture is shown.
    """

    asset: str
    alt: str = ""
    fit: Literal["contain", "cover"] = "contain"
    motion: Literal["none", "zoom", "pan"] = "none"
    step: int = 0
    kind: Literal["image"] = "image"


@frozen
class Clip:
    """A moving picture of the user's own, by the id of its asset; `sound` whether its sound is heard."""

    asset: str
    alt: str = ""
    sound: bool = True
    step: int = 0
    kind: Literal["clip"] = "clip"


@frozen
class Series:
    """Values of a chart, one for each label; None is a gap."""

    name: str
    values: tuple[float | None, ...]


@frozen
class Chart:
    """Data as a picture. A pie has one series; `unit` stands behind the numbers (may be empty)."""

    style: Literal["bar", "line", "pie"]
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    title: Spans = ()
    unit: str = ""
    step: int = 0
    kind: Literal["chart"] = "chart"


#: What stands in a column: anything but columns and clips.
Cell = Heading | Paragraph | Bullets | Code | Table | Math | Quote | Image | Chart


@frozen
class Columns:
    """Two columns beside each other (below each other where the page is narrow); the left one is revealed first."""

    left: tuple[Cell, ...]
    right: tuple[Cell, ...]
    kind: Literal["columns"] = "columns"


Block = Heading | Paragraph | Bullets | Code | Table | Math | Quote | Image | Chart | Clip | Columns


@frozen
class Line:
    """One spoken line; the picture of reveal step `step` appears as it begins."""

    step: int
    text: str


@frozen
class Scene:
    """One page of the video and what is said over it.

    `index` counts from 0, `count` is the number of scenes; `part` of `parts` tells the pages of one
    long section apart (1 of 1 ordinarily). `deck` is the title of the whole video, `theme` and `aspect` how it looks.
    """

    index: int
    count: int
    deck: str
    layout: Layout
    heading: Spans
    blocks: tuple[Block, ...]
    lines: tuple[Line, ...]
    part: int = 1
    parts: int = 1
    theme: str = "midnight"
    aspect: str = "16:9"

    @property
    def assets(self) -> tuple[str, ...]:
        """The ids of the assets that the scene shows."""
        blocks = [*self.blocks, *(cell for b in self.blocks if isinstance(b, Columns) for cell in (*b.left, *b.right))]
        return tuple(dict.fromkeys(block.asset for block in blocks if isinstance(block, Image | Clip)))

    @property
    def steps(self) -> int:
        """Number of reveal states, at least 1."""
        return 1 + max((line.step for line in self.lines), default=0)

    @property
    def title(self) -> str:
        """The heading as plain text, else the beginning of the first line, else the deck."""
        plain = "".join(span.text for span in self.heading).strip()
        return plain or (self.lines[0].text[:80] if self.lines else "") or self.deck


@frozen
class Script:
    """What the video shows and says, in order."""

    title: str
    scenes: tuple[Scene, ...]
