"""Themes: colours by role, fonts, and the grounds that each text stands on; and the built-in themes by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import asdict, frozen

from handlers.generation.errors import UnknownTheme


@frozen(kw_only=True)
class Palette:
    """The colours of a theme by role, as "#rrggbb" (decision 90).

    Grounds: `ground` of the page, `panel` under text (in most themes the ground), `card` of listings, `lit` behind
    highlighted lines of a listing, `faint` behind every second row and in the backdrop, `stage` of the coloured parts
    of title and section pages.
    Text: `bright` for the line being spoken, `soft` for lines spoken before, `muted` for asides, `accent` and `spent`
    (an accent spoken before), `inline` for code within text; `on_stage` and `on_accent` on these grounds.
    `edge` and `outline` are lines, `art` decorative shapes; `behind` are colours of the backdrop under headings.
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


@frozen(kw_only=True)
class CodeColours:
    """The colours of a listing; `dim` is for lines that are not highlighted where others are."""

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


@frozen(kw_only=True)
class Scrim:
    """The veil between a picture and the text on it: `colour` with at least `opacity`, so that text is legible."""

    colour: str
    opacity: float
    text: str
    soft: str
    accent: str


@frozen(kw_only=True)
class Faces:
    """Font families by use, in order of preference per glyph; weights as in CSS, tracking in em, `size` a factor."""

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


@frozen(kw_only=True)
class Theme:
    """A look of pages: colours, fonts, and its own typst sheet. `radius` of cards and `padding` of panels in points."""

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
        """Return the theme as data for the sheets."""
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
        """Yield (name, colour, ground) of every text on every ground it may stand on, except pictures."""
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
        """Yield (name, colour, ground) of every shape that carries meaning."""
        for at, colour in enumerate(self.series):
            yield f"series {at + 1}", colour, self.palette.panel
        yield "progress", self.palette.accent, self.palette.ground


DEFAULT: Final = "midnight"

_MONO: Final = ("JetBrains Mono", "DejaVu Sans Mono")

MIDNIGHT: Final = Theme(
    name="midnight",
    title="Midnight",
    description="Dark blue with a mint accent, clean sans-serif type and orbits: technical, calm.",
    dark=True,
    palette=Palette(
        ground="#0b1122",
        panel="#0b1122",
        card="#131c35",
        lit="#22305a",
        faint="#18223e",
        stage="#0b1122",
        bright="#f4f7ff",
        soft="#c3cde4",
        muted="#93a1c1",
        accent="#5ee6c8",
        spent="#3c9f91",
        inline="#ffc777",
        on_stage="#f4f7ff",
        on_accent="#0b1122",
        edge="#263354",
        outline="#1c2848",
        art=("#5ee6c8", "#ffc777", "#b79cff", "#6fc3ff"),
        behind=("#18223e", "#1c2848"),
    ),
    code=CodeColours(
        plain="#dfe6f7",
        dim="#8291b3",
        comment="#94a3c6",
        string="#ffc777",
        number="#ff9e80",
        keyword="#bfa8ff",
        operator="#8fd6ff",
        function="#7fcaff",
        type="#5ee6c8",
        parameter="#ffd8a8",
    ),
    series=("#5ee6c8", "#ffc777", "#8f9dff", "#ff8fa3", "#6fc3ff", "#d3a4ff"),
    scrim=Scrim(colour="#070b17", opacity=0.74, text="#f8faff", soft="#dde5f7", accent="#74f0d4"),
    faces=Faces(
        display=("Inter",),
        body=("Inter",),
        mono=_MONO,
        quote=("Libertinus Serif", "Source Serif 4"),
        display_weight=700,
        title_weight=800,
        body_weight=400,
        strong_weight=700,
        tracking=-0.022,
    ),
    radius=18,
)

PAPER: Final = Theme(
    name="paper",
    title="Paper",
    description="Light paper, cobalt and sun yellow, plain shapes on a strict grid: clear, friendly, for daylight.",
    dark=False,
    palette=Palette(
        ground="#f6f5f1",
        panel="#f6f5f1",
        card="#ffffff",
        lit="#e6ebfc",
        faint="#ebe9e2",
        stage="#2443c9",
        bright="#161a26",
        soft="#474d5c",
        muted="#636978",
        accent="#2443c9",
        spent="#5065bd",
        inline="#a8320f",
        on_stage="#ffffff",
        on_accent="#ffffff",
        edge="#dbd8ce",
        outline="#161a26",
        art=("#2443c9", "#f5b82e", "#161a26", "#ef6a47", "#c9d3fa", "#e9e5d8"),
    ),
    code=CodeColours(
        plain="#1e2433",
        dim="#6b7180",
        comment="#626978",
        string="#1a6a3e",
        number="#9a3a08",
        keyword="#7a28b8",
        operator="#3b5360",
        function="#1d4fd0",
        type="#0b6577",
        parameter="#80460c",
    ),
    series=("#2443c9", "#c76900", "#0f8a6d", "#d6456b", "#7a5ad6", "#4b5565"),
    scrim=Scrim(colour="#0e1428", opacity=0.72, text="#ffffff", soft="#e9ecf6", accent="#ffd76e"),
    faces=Faces(
        display=("Inter",),
        body=("Inter",),
        mono=_MONO,
        quote=("Inter",),
        display_weight=700,
        title_weight=800,
        body_weight=400,
        strong_weight=700,
        tracking=-0.028,
    ),
    radius=6,
)

EDITORIAL: Final = Theme(
    name="editorial",
    title="Editorial",
    description="A magazine: serif type, ivory, ink and crimson, rules and big initials. For stories and essays.",
    dark=False,
    palette=Palette(
        ground="#fbf7ee",
        panel="#fbf7ee",
        card="#f3ecdd",
        lit="#ead9bf",
        faint="#f3ecde",
        stage="#a3182c",
        bright="#1d1715",
        soft="#4e443f",
        muted="#71645c",
        accent="#a3182c",
        spent="#a0525b",
        inline="#7a3b10",
        on_stage="#fff8ec",
        on_accent="#fff8ec",
        edge="#dccfb9",
        outline="#1d1715",
        art=("#a3182c", "#1d1715", "#d8b98a", "#efe5d1"),
        behind=("#efe5d1",),
    ),
    code=CodeColours(
        plain="#2b2320",
        dim="#71665b",
        comment="#675b51",
        string="#3d5b21",
        number="#8f3d0b",
        keyword="#98162a",
        operator="#54483f",
        function="#1d4a7a",
        type="#11575a",
        parameter="#6d3f13",
    ),
    series=("#a3182c", "#28536b", "#b7791f", "#5b7a3a", "#6d4b7d", "#4e443f"),
    scrim=Scrim(colour="#140d0b", opacity=0.74, text="#fffaf0", soft="#f1e8da", accent="#ffc9a3"),
    faces=Faces(
        display=("Source Serif 4", "Libertinus Serif"),
        body=("Source Serif 4", "Libertinus Serif"),
        mono=_MONO,
        quote=("Source Serif 4", "Libertinus Serif"),
        display_weight=600,
        title_weight=700,
        body_weight=400,
        strong_weight=700,
        tracking=-0.018,
        size=1.06,
    ),
    radius=0,
)

PLAYFUL: Final = Theme(
    name="playful",
    title="Playful",
    description="Round letters on cards with bold outlines, lavender, coral, sun and teal. For lessons.",
    dark=False,
    palette=Palette(
        ground="#efe7ff",
        panel="#fffdf8",
        card="#f4effd",
        lit="#ffe9a8",
        faint="#f3eefe",
        stage="#5a2fd0",
        bright="#2a1a57",
        soft="#53437f",
        muted="#625590",
        accent="#5a2fd0",
        spent="#714dcb",
        inline="#b01d55",
        on_stage="#ffffff",
        on_accent="#ffffff",
        edge="#2a1a57",
        outline="#2a1a57",
        art=("#ffcf3f", "#ff7a6b", "#2fc6b4", "#ff9ad1", "#8f6bff", "#ffffff"),
        behind=("#ffcf3f",),
    ),
    code=CodeColours(
        plain="#2a1a57",
        dim="#6f6396",
        comment="#645890",
        string="#0b6a51",
        number="#a83a00",
        keyword="#a3157e",
        operator="#4b3f7d",
        function="#4326c4",
        type="#0a6280",
        parameter="#86400b",
    ),
    series=("#5a2fd0", "#e5533f", "#0f8f80", "#c9349a", "#b86e00", "#2f6fd6"),
    scrim=Scrim(colour="#22124f", opacity=0.78, text="#ffffff", soft="#f1ebff", accent="#ffdc6b"),
    faces=Faces(
        display=("Fredoka", "Nunito"),
        body=("Nunito",),
        mono=_MONO,
        quote=("Fredoka", "Nunito"),
        display_weight=700,
        title_weight=700,
        body_weight=600,
        strong_weight=800,
        tracking=-0.005,
        size=1.04,
    ),
    radius=28,
    padding=52,
)

THEMES: Final = {theme.name: theme for theme in (MIDNIGHT, PAPER, EDITORIAL, PLAYFUL)}


def theme_of(name: str) -> Theme:
    """Return the theme of that name. Raises UnknownTheme."""
    try:
        return THEMES[name]
    except KeyError:
        raise UnknownTheme(name, THEMES) from None


def themes() -> tuple[dict[str, Any], ...]:
    """Describe all themes, the default one first; `colours` are CSS colours by role, `dark` tells of the ground."""
    return tuple(
        {
            "name": theme.name,
            "description": theme.description,
            "dark": theme.dark,
            "colours": {
                "ground": theme.palette.ground,
                "text": theme.palette.bright,
                "accent": theme.palette.accent,
            },
        }
        for theme in THEMES.values()
    )


def theme_names() -> tuple[str, ...]:
    """List the names of all themes, the default one first."""
    return tuple(THEMES)
