"""The content of a script: inline text, blocks, sections as written, and scenes as shown. JSON by `model_json`."""

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from attrs import evolve, field, frozen, resolve_types

#: "image": the picture fills the page, what else there is stands on it. "outro": the last page, set like the first.
Layout = Literal["title", "section", "content", "quote", "image", "outro"]


SpanKind = Literal["text", "code", "math", "key", "note"]
#: Of text that is set higher or lower than the line, and smaller.
Shift = Literal["", "sub", "sup"]


@frozen
class Span:
    """A run of inline text in one style; a line feed in text is a line break.

    "math" is LaTeX source (the subset of `formula`), "key" a key of a keyboard, "note" the number of a footnote, which
    isn't said. What is `struck` isn't said either.
    """

    text: str
    kind: SpanKind = "text"
    bold: bool = False
    italic: bool = False
    struck: bool = field(default=False, kw_only=True)
    marked: bool = field(default=False, kw_only=True)
    shift: Shift = field(default="", kw_only=True)

    @property
    def style(self) -> tuple[SpanKind, bool, bool, bool, bool, Shift]:
        """What neighbouring spans have to share to be one."""
        return self.kind, self.bold, self.italic, self.struck, self.marked, self.shift

    def with_text(self, text: str) -> "Span":
        """Return `text` in this style. Texts are cut and joined very often, which `evolve` is slow for."""
        if text == self.text:
            return self
        return Span(text, self.kind, self.bold, self.italic, struck=self.struck, marked=self.marked, shift=self.shift)


Spans = tuple[Span, ...]


@frozen
class Heading:
    """A sub-heading inside a scene."""

    spans: Spans
    step: int = 0
    kind: Literal["heading"] = "heading"


@frozen
class Sentence:
    """Part of a paragraph that is revealed (and spoken) on its own.

    `pause_s` is silence behind it, in seconds. `cut`: it goes on in the next one. A page's sentences have neither: its
    lines have them.
    """

    spans: Spans
    step: int = 0
    pause_s: float = 0.0
    cut: bool = field(default=False, kw_only=True, repr=False)


@frozen
class Paragraph:
    """Running text, revealed sentence by sentence.

    `speaker` is who says it (may be empty), shown as a small label. `rows`: each sentence stands on a row of its own.
    """

    sentences: tuple[Sentence, ...]
    kind: Literal["paragraph"] = "paragraph"
    speaker: str = field(default="", kw_only=True)
    rows: bool = field(default=False, kw_only=True)


#: Levels of lists below the first; deeper ones are set like the deepest.
MAX_DEPTH = 4


@frozen
class Bullet:
    """One list item. `number` is its label in an ordered list; `depth` counts from 0 to MAX_DEPTH.

    `done` tells whether a task is done (None: no task). A `continued` item has no mark: it goes on with the one before.
    `cut`: its text goes on in the next item, in the middle of a sentence. `pause_s` is silence behind it, in seconds. A
    page's items have neither, for its lines have them.
    """

    spans: Spans
    depth: int = 0
    number: int | None = None
    step: int = 0
    done: bool | None = field(default=None, kw_only=True)
    continued: bool = field(default=False, kw_only=True)
    cut: bool = field(default=False, kw_only=True, eq=False, repr=False)
    pause_s: float = field(default=0.0, kw_only=True, repr=False)


@frozen
class Bullets:
    """A list, revealed item by item."""

    items: tuple[Bullet, ...]
    kind: Literal["bullets"] = "bullets"


#: The beginning of the further rows of a line of code that is wrapped.
CONTINUED = "  ↪ "


@frozen
class Code:
    """A listing; `language` may be empty. `highlight` are the lines that matter, counted from 1."""

    language: str
    text: str
    step: int = 0
    highlight: tuple[int, ...] = ()
    kind: Literal["code"] = "code"


#: How the text of a column is aligned; empty: by what the column holds.
Align = Literal["", "left", "center", "right"]


@frozen
class Table:
    """A table; rows may be shorter than the header, and `align` may be shorter than both."""

    header: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    step: int = 0
    align: tuple[Align, ...] = ()
    kind: Literal["table"] = "table"


@frozen
class Math:
    """A displayed formula in LaTeX (the subset of `formula`; anything else is shown as its source)."""

    source: str
    step: int = 0
    kind: Literal["math"] = "math"


@frozen
class Quote:
    """A quotation and whom it is from (may be empty). `cut`: it goes on in the next one; none of a page's is."""

    spans: Spans
    source: Spans = ()
    step: int = 0
    kind: Literal["quote"] = "quote"
    cut: bool = field(default=False, kw_only=True, repr=False)


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


@frozen
class Diagram:
    """A flowchart or sequence diagram in Mermaid's notation (the subset of `mermaid`)."""

    source: str
    step: int = 0
    kind: Literal["diagram"] = "diagram"


@frozen
class Footnote:
    """A note below the page; `label` is its number in the text."""

    label: str
    spans: Spans


@frozen
class Footnotes:
    """The notes at the foot of a page, which aren't said."""

    notes: tuple[Footnote, ...]
    step: int = 0
    kind: Literal["footnotes"] = "footnotes"


#: What a callout is, which decides its colour and, where it has no title of its own, its title. "plain": a box.
Tone = Literal[
    "note", "info", "tip", "important", "warning", "caution", "danger", "success", "question", "example", "plain"
]


TONES: tuple[Tone, ...] = get_args(Tone)
#: Callouts in each other; deeper ones are their blocks.
MAX_CALLOUTS = 2


@frozen
class Callout:
    """A box with a title that sets its blocks apart; `title` None: that of its tone, in the language of the voice.

    Its blocks are revealed as any others, the box with the first of them.
    """

    tone: Tone
    blocks: tuple["Cell", ...]
    title: Spans | None = None
    kind: Literal["callout"] = "callout"


#: What stands in a column or a callout: anything but columns and clips.
Cell = Heading | Paragraph | Bullets | Code | Table | Math | Quote | Image | Chart | Diagram | Footnotes | Callout
resolve_types(Callout)


@frozen
class Columns:
    """Two columns beside each other (below each other where the page is narrow); the left one is revealed first."""

    left: tuple[Cell, ...]
    right: tuple[Cell, ...]
    kind: Literal["columns"] = "columns"


Block = Cell | Clip | Columns
#: What is revealed as a whole.
Whole = Heading | Code | Table | Math | Quote | Image | Chart | Diagram | Footnotes | Clip


@frozen
class Line:
    """One spoken line; the picture of reveal step `step` appears as it begins.

    `pause_s` is further silence behind it, in seconds. `voice` is the name of the speaker's voice, empty for the
    video's. `cut`: its sentence goes on in the next line.
    """

    step: int
    text: str
    speaker: str = field(default="", kw_only=True)
    voice: str = field(default="", kw_only=True)
    pause_s: float = field(default=0.0, kw_only=True)
    cut: bool = field(default=False, kw_only=True, repr=False)


@frozen
class Scene:
    """One page of the video and what is said over it.

    `index` counts from 0, `count` is the number of scenes; `part` of `parts` tells the pages of one
    long section apart (1 of 1 ordinarily). `deck` is the title of the whole video, `theme` and `aspect` how it looks.
    `hint` says what is to be seen, in the words of the script's directions; `wished_s` is the length that the script
    gives the page, in seconds.
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
    hint: str = field(default="", kw_only=True)
    wished_s: float | None = field(default=None, kw_only=True)

    @property
    def assets(self) -> tuple[str, ...]:
        """The ids of the assets that the scene shows."""
        return tuple(dict.fromkeys(block.asset for block in cells_of(self.blocks) if isinstance(block, Image | Clip)))

    @property
    def steps(self) -> int:
        """Number of reveal states, at least 1."""
        return 1 + max((line.step for line in self.lines), default=0)

    @property
    def title(self) -> str:
        """The heading as plain text, else the beginning of the first line, else the deck."""
        plain = "".join(span.text for span in self.heading if span.kind != "note").replace("\n", " ").strip()
        return plain or (self.lines[0].text[:80] if self.lines else "") or self.deck


@frozen
class Script:
    """What the video shows and says, in order."""

    title: str
    scenes: tuple[Scene, ...]


@frozen
class Note:
    """A note of the author: spoken after the block before it, not shown. `line` is where it is written."""

    text: str
    line: int = field(default=0, kw_only=True, eq=False)


@frozen
class Said:
    """A line of narration; its start reveals all items up to number `reveal` (None: one more item).

    `speaker`, `voice`, `pause_s` and `cut` are those of its `Line`.
    """

    text: str
    reveal: int | None = None
    speaker: str = field(default="", kw_only=True)
    voice: str = field(default="", kw_only=True)
    pause_s: float = field(default=0.0, kw_only=True)
    cut: bool = field(default=False, kw_only=True, repr=False)


@frozen
class Section:
    """A heading of `level` 1 or 2 (0: none, or unknown) and the blocks under it.

    `layout` None: chosen by the content. `narration` replaces the generated one: a text to be spread over the reveals,
    or lines. `part` of `parts` is set in a section that continues another one. `hint` and `wished_s` are those of its
    scenes.
    """

    level: int
    heading: Spans
    body: tuple[Block | Note, ...]
    layout: Layout | None = None
    narration: str | tuple[Said, ...] | None = None
    part: int = 1
    parts: int = 1
    hint: str = field(default="", kw_only=True)
    wished_s: float | None = field(default=None, kw_only=True)


def backdrop_of(scene: Scene) -> Image | Clip | None:
    """Return the picture or clip that fills the page: the first one in the layout "image"."""
    if scene.layout != "image":
        return None
    return next((block for block in scene.blocks if isinstance(block, Image | Clip)), None)


def cells_of(blocks: Sequence[Block]) -> Iterator[Whole | Paragraph | Bullets]:
    """Yield the blocks of a page in reading order, those of columns (the left one first) and callouts, too."""
    for block in blocks:
        match block:
            case Columns():
                yield from cells_of((*block.left, *block.right))
            case Callout():
                yield from cells_of(block.blocks)
            case _:
                yield block


def items_of(block: Block) -> tuple[Bullet | Sentence, ...]:
    """Return the items of a block that are revealed one by one; none if it is revealed as a whole."""
    match block:
        case Bullets():
            return block.items
        case Paragraph():
            return block.sentences
        case _:
            return ()


def with_look(script: Script, theme: str, aspect: str) -> Script:
    """Return the script with every scene in a theme and an aspect."""
    return evolve(script, scenes=tuple(evolve(scene, theme=theme, aspect=aspect) for scene in script.scenes))
