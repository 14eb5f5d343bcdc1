"""What a theme is: colours by the part they play, fonts, and which text stands on which ground."""

from collections.abc import Iterator
from typing import Any

from attrs import asdict, frozen


@frozen
class Palette:
    """Colours as "#rrggbb".

    Grounds: `ground` of the page, `panel` that text stands on (the ground, in most themes), `card` of listings,
    `lit` behind lines of a listing that matter, `faint` behind every second row and in the backdrop, `stage` of
    the coloured parts of title and section pages.
    Text: `bright` is what is being said, `soft` what was said, `muted` what stands aside, `accent` and `spent` (the
    same, said already), `inline` code within text; `on_stage` and `on_accent` on these.
    `edge` and `outline` are lines, `art` shapes without a meaning; `behind` are those of the backdrop that a heading
    may run over.
    """

    ground: str
    panel: str
    card: str
    lit: str
    faint: str
    stage: str
    bright: str
    soft: str
    muted: str
    accent: str
    spent: str
    inline: str
    on_stage: str
    on_accent: str
    edge: str
    outline: str
    art: tuple[str, ...]
    behind: tuple[str, ...] = ()


@frozen
class CodeColours:
    """Of a listing; `dim` is for lines that don't matter."""

    plain: str
    dim: str
    comment: str
    string: str
    number: str
    keyword: str
    operator: str
    function: str
    type: str
    parameter: str


@frozen
class Scrim:
    """What lies between a picture and the text on it: `colour` with at least `opacity`, whatever the picture is."""

    colour: str
    opacity: float
    text: str
    soft: str
    accent: str


@frozen
class Faces:
    """Font families by use, the first that has a glyph is taken; weights as CSS has them, tracking in em."""

    display: tuple[str, ...]
    body: tuple[str, ...]
    mono: tuple[str, ...]
    quote: tuple[str, ...]
    display_weight: int
    title_weight: int
    body_weight: int
    strong_weight: int
    tracking: float
    size: float = 1.0


@frozen
class Theme:
    """`sheet` is its typst source in `sheets`; `radius` of cards and `padding` within a panel in points."""

    name: str
    title: str
    description: str
    dark: bool
    palette: Palette
    code: CodeColours
    series: tuple[str, ...]
    scrim: Scrim
    faces: Faces
    radius: float
    padding: float = 0.0

    @property
    def sheet(self) -> str:
        return f"{self.name}.typ"

    def data(self) -> dict[str, Any]:
        """What the sheets draw from."""
        return {
            "palette": asdict(self.palette),
            "code": asdict(self.code),
            "series": self.series,
            "scrim": asdict(self.scrim),
            "faces": asdict(self.faces),
            "radius": self.radius,
            "padding": self.padding,
        }

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """(what it is, colour, ground) of every text on every ground it may stand on, pictures apart."""
        p = self.palette
        for name in ("bright", "soft", "muted", "accent", "spent", "inline"):
            for ground in dict.fromkeys((p.ground, p.panel)):
                yield name, getattr(p, name), ground
        for name in ("bright", "soft", "inline"):
            yield f"{name} in a table", getattr(p, name), p.faint
        for ground in p.behind:
            yield "bright on the backdrop", p.bright, ground
            yield "soft on the backdrop", p.soft, ground
        yield "on stage", p.on_stage, p.stage
        yield "on accent", p.on_accent, p.accent
        yield "language of a listing", p.muted, p.card
        for name, colour in asdict(self.code).items():
            yield f"code: {name}", colour, p.card
            if name != "dim":
                yield f"lit code: {name}", colour, p.lit

    def graphics(self) -> Iterator[tuple[str, str, str]]:
        """(what it is, colour, ground) of every shape that carries a meaning."""
        for at, colour in enumerate(self.series):
            yield f"series {at + 1}", colour, self.palette.panel
        yield "progress", self.palette.accent, self.palette.ground
