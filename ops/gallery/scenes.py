"""Sample scenes: one for each layout and block, and some that are hard to set."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Chart,
    Clip,
    Code,
    Columns,
    Diagram,
    Heading,
    Image,
    Layout,
    Line,
    Math,
    Paragraph,
    Quote,
    Scene,
    Sentence,
    Series,
    Span,
    Table,
)
from ops.gallery.pictures import BRIGHT, CLIP, UPRIGHT, WIDE

_DECK = "How rivers shape the land"
_LISTING = '''def flow(width: float, depth: float) -> float:
    """Cubic metres in a second."""
    if depth <= 0:
        raise ValueError("a dry river")
    area = width * depth  # a box, to begin with
    return area * 1.2'''


@frozen
class Sample:
    """A scene of the gallery and its purpose."""

    name: str
    scene: Scene


def samples(theme: str, aspect: str) -> tuple[Sample, ...]:
    """Make all samples in one theme and aspect, in the order of a video."""
    made = [*_titles(), *_texts(), *_listings(), *_pictures(), *_charts(), *_diagrams(), *_others()]
    return tuple(
        evolve(sample, scene=evolve(sample.scene, index=at, count=len(made), theme=theme, aspect=aspect))
        for at, sample in enumerate(made)
    )


def _span(text: str) -> Span:
    """`*` around the text makes it bold, backquotes make it code, dollars a formula."""
    if text[:1] == text[-1:] and text[:1] in ("*", "`", "$") and len(text) > 1:
        kinds = {"*": "text", "`": "code", "$": "math"}
        return Span(text[1:-1], kinds[text[0]], bold=text[0] == "*")  # type: ignore[arg-type]
    return Span(text)


def _spans(text: str) -> tuple[Span, ...]:
    return tuple(_span(part) for part in text.split("|") if part)


def _sample(name: str, layout: Layout, heading: str, *blocks: Block, step: int = 0) -> Sample:
    return Sample(name, Scene(0, 1, _DECK, layout, _spans(heading), blocks, (Line(step, ""),)))


def _paragraph(*sentences: str) -> Paragraph:
    return Paragraph(tuple(Sentence(_spans(sentence)) for sentence in sentences))


def _bullets(*items: str, numbered: bool = False, stepped: bool = False) -> Bullets:
    """Items that begin with a dash are one level deeper."""
    return Bullets(
        tuple(
            Bullet(
                _spans(item.removeprefix("-")),
                depth=int(item.startswith("-")),
                number=at + 1 if numbered else None,
                step=at if stepped else 0,
            )
            for at, item in enumerate(items)
        )
    )


def _titles() -> Iterator[Sample]:
    yield _sample("title", "title", _DECK, _paragraph("Water, patience and a little gravity."))
    yield _sample(
        "title, long",
        "title",
        "Everything you always wanted to know about sedimentation in meandering rivers",
        _paragraph("A short course for people who have never held a trowel.", "With numbers, pictures and a quiz."),
    )
    yield _sample("section", "section", "From spring to sea")
    yield _sample("outro", "outro", "Thank you", _paragraph("Questions, corrections and maps: rivers@example.org"))


def _texts() -> Iterator[Sample]:
    some = (
        "Rain falls on *|*high ground*",
        "It gathers in `|`channels`| and speeds up",
        "It slows, and drops what it carries",
    )
    items = tuple(item.replace("*|*", "|*").replace("`|`", "|`") for item in some)
    yield _sample("bullets, second spoken", "content", "Three stages", _bullets(*items, stepped=True), step=1)
    yield _sample(
        "bullets, nested",
        "content",
        "What a river carries",
        _bullets(
            "In solution",
            "-Salts and lime",
            "In suspension",
            "-Silt and clay, which settle in still water",
            "Along the bed",
        ),
    )
    yield _sample(
        "bullets, numbered",
        "content",
        "How to read a bank",
        _bullets("Find the steep side", "Look for layers", "Date the lowest", numbered=True),
    )
    yield _sample(
        "paragraph",
        "content",
        "Meanders",
        Heading(_spans("Why rivers bend")),
        _paragraph(
            "Water on the outside of a bend runs faster and eats into the bank.",
            "On the inside it slows down and drops its sand, so that every bend grows until the river cuts it off.",
        ),
    )
    yield _sample(
        "quote",
        "quote",
        "In one sentence",
        Quote(_spans("No man ever steps in the same river twice."), _spans("Heraclitus")),
    )
    yield _sample(
        "quote among text",
        "content",
        "What they said",
        _paragraph("It is the oldest remark about rivers that we have."),
        Quote(_spans("Everything flows, and nothing stays."), _spans("Plato, on Heraclitus")),
    )


def _listings() -> Iterator[Sample]:
    yield _sample("code", "content", "Flow in a channel", Code("python", _LISTING))
    yield _sample("code, lines that matter", "content", "Flow in a channel", Code("python", _LISTING, highlight=(5, 6)))
    narrow = Code("rust", "let area = width * depth;\nlet flow = area * speed;\nassert!(flow > 0.0);", highlight=(2,))
    yield _sample("code beside text", "content", "In Rust", _bullets("Area first", "Then the flow"), narrow)
    rows = (("Amazon", "6,400", "209,000"), ("Congo", "4,700", "41,200"), ("Rhine", "1,233", "2,900"))
    header = tuple(_spans(name) for name in ("River", "Length (km)", "Flow (m³/s)"))
    yield _sample(
        "table", "content", "Three rivers", Table(header, tuple(tuple(_spans(cell) for cell in row) for row in rows))
    )
    yield _sample(
        "math",
        "content",
        "Manning's formula",
        Math(r"v = \frac{1}{n} R^{2/3} \sqrt{S}"),
        _bullets("$R$| is the hydraulic radius", "$S$| is the slope"),
    )


def _pictures() -> Iterator[Sample]:
    yield _sample("image", "content", "The upper valley", Image(WIDE, "Evening over the upper valley"))
    yield _sample(
        "image beside text",
        "content",
        "Morning",
        _bullets("Cold air flows down like water", "Fog marks where it stops", "By ten it has gone"),
        Image(UPRIGHT, "The same valley at seven"),
    )
    yield _sample("image, cover", "content", "", Image(WIDE, fit="cover"))
    yield _sample(
        "image layout",
        "image",
        "Where it begins",
        Image(WIDE),
        _paragraph("A spring at 2,340 metres, under snow until June."),
    )
    yield _sample(
        "image layout, white", "image", "Snow", Image(BRIGHT), _bullets("Half of the water", "None of the noise")
    )
    yield _sample(
        "clip",
        "content",
        "In motion",
        _paragraph("The same bend, filmed for a year."),
        Clip(CLIP, "One year in five seconds"),
    )


def _charts() -> Iterator[Sample]:
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    level = (2.1, 2.3, 3.0, 4.2, 5.1, 4.4, 3.2, 2.4, 1.9, 2.0, 2.2, 2.4)
    yield _sample(
        "chart, bars",
        "content",
        "Water level",
        Chart("bar", months, (Series("Level", level),), unit="metres above the datum"),
    )
    groups = (Series("1990", (12.0, 31.0, 22.0)), Series("2020", (17.5, 24.0, None)))
    yield _sample(
        "chart, groups",
        "content",
        "Days of flood",
        Chart("bar", ("Spring", "Summer", "Autumn"), groups, _spans("Per decade")),
    )
    names = ("Hydroelectric power", "Irrigation of fields", "Drinking water", "Industry and cooling")
    yield _sample(
        "chart, long names",
        "content",
        "Who takes the water",
        Chart("bar", names, (Series("", (41.0, 38.5, 12.0, 8.5)),), unit="%"),
    )
    years = tuple(str(year) for year in range(2010, 2022))
    one = tuple(1.2 + 0.2 * at + (0.4 if at % 3 == 0 else 0.0) for at in range(12))
    two = tuple(2.9 - 0.12 * at + (0.3 if at % 4 == 1 else 0.0) for at in range(12))
    gap = (*two[:5], None, *two[6:])
    yield _sample(
        "chart, lines",
        "content",
        "Sand and silt",
        Chart("line", years, (Series("Sand", one), Series("Silt", gap)), unit="million tonnes"),
    )
    parts = ("Ocean", "Ice", "Ground", "Lakes and rivers")
    yield _sample(
        "chart, shares", "content", "Where water is", Chart("pie", parts, (Series("", (62.0, 21.0, 12.0, 5.0)),))
    )
    yield _sample(
        "chart beside text",
        "content",
        "A dry decade",
        _bullets(
            "Snow comes later every year and leaves earlier",
            "The summer flow has halved since 1990",
            "Reservoirs fill in one year out of three",
        ),
        Chart("bar", ("1990", "2000", "2010", "2020"), (Series("", (-4.0, 12.0, 9.0, -7.0)),)),
    )


def _diagrams() -> Iterator[Sample]:
    yield _sample(
        "diagram, flow",
        "content",
        "Where rain goes",
        Diagram(
            "flowchart TD\n  R([Rain]) --> G{Does the ground<br/>take it?}\n  G -->|yes| S[(Ground water)]\n"
            "  G -->|no| B[Brook]\n  subgraph away [On the surface]\n    B --> V[River]\n  end\n"
            "  S -.->|in years| V\n  V ==> O((Sea))"
        ),
    )
    yield _sample(
        "diagram, sequence",
        "content",
        "How a flood is announced",
        Diagram(
            "sequenceDiagram\n  actor G as Gauge\n  participant S as Station\n  participant T as Towns\n"
            "  loop every ten minutes\n    G->>S: level\n  end\n  alt it rises fast\n    S->>T: warning\n"
            "    T-->>S: ready\n  end\n  Note over S,T: by radio as well"
        ),
    )


def _others() -> Iterator[Sample]:
    yield _sample(
        "columns",
        "content",
        "Young and old",
        Columns(
            (Heading(_spans("Young")), _bullets("Steep and straight", "Cuts down", "Carries boulders")),
            (Heading(_spans("Old")), _bullets("Flat and winding", "Cuts sideways", "Carries silt")),
        ),
    )
    long = "The bed rises a little with every flood, because what the water drops is more than what it takes away again"
    yield _sample(
        "much text",
        "content",
        "A page that is full to its last line, and a heading that needs two",
        _bullets(*[long] * 7),
    )
    yield _sample(
        "Arabic",
        "content",
        "كيف تشكل الأنهار الأرض",
        _bullets("يسقط المطر على المرتفعات", "تتجمع المياه في القنوات", "ثم تبطئ وتترك ما تحمله", numbered=True),
    )
    yield _sample(
        "Cyrillic and Greek",
        "content",
        "Как реки меняют землю",
        _bullets("Вода собирается в русле", "Τα πάντα ῥεῖ και ουδέν μένει"),
    )
    yield _sample(
        "giant word",
        "section",
        "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz and Donaudampfschifffahrt",
    )
