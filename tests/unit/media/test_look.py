"""Themes can be read, and name what they are; charts, words and pages' rooms are worked out right."""

import math
import re
from importlib import resources

import pytest

from handlers.generation.aspects import ASPECTS
from handlers.generation.errors import UnknownTheme
from handlers.generation.pages.charts import chart_data, number, short
from handlers.generation.pages.contrast import GRAPHICS, TEXT, contrast, mixed
from handlers.generation.pages.page_data import frame_of
from handlers.generation.pages.themes import DEFAULT, THEMES, Theme, theme_of
from handlers.generation.pages.typography import breakable, is_rtl, shortened, widest_word
from handlers.generation.script.content import Bullet, Bullets, Chart, Code, Series, Span, Table
from handlers.generation.script.paging import capacity_of, paginate
from handlers.media.errors import RequestError

SHEETS = {
    path.name: path.read_text()
    for path in resources.files("handlers.generation.pages.sheets").iterdir()
    if path.name.endswith(".typ")
}


def themes() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known near miss
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"


@themes()
def test_text_can_be_read_on_every_ground(theme: Theme) -> None:
    assert not [
        f"{what}: {colour} on {ground} has {contrast(colour, ground):.2f}"
        for what, colour, ground in theme.texts()
        if contrast(colour, ground) < TEXT
    ]


@themes()
@pytest.mark.parametrize("picture", ["#ffffff", "#000000", "#ff0000", "#00ff00", "#0000ff", "#808080"])
def test_text_can_be_read_on_every_picture(theme: Theme, picture: str) -> None:
    behind = mixed(theme.scrim.colour, picture, theme.scrim.opacity)
    assert min(contrast(c, behind) for c in (theme.scrim.text, theme.scrim.soft, theme.scrim.accent)) >= TEXT


@themes()
def test_what_carries_a_meaning_is_seen(theme: Theme) -> None:
    assert min(contrast(colour, ground) for _, colour, ground in theme.graphics()) >= GRAPHICS
    assert len(set(theme.series)) >= 6


def test_themes_by_name() -> None:
    assert len(THEMES) >= 4
    assert {theme.dark for theme in THEMES.values()} == {True, False}
    assert theme_of(DEFAULT) is THEMES[DEFAULT]
    with pytest.raises(UnknownTheme, match="available: midnight, paper, editorial, playful") as caught:
        theme_of("neon")
    assert isinstance(caught.value, RequestError)
    assert caught.value.code == "unknown_theme"


def test_the_sheets_evaluate_nothing_and_read_only_pictures() -> None:
    assert len(SHEETS) == 7 + len(THEMES)
    for name, source in SHEETS.items():
        assert not re.search(r"\b(eval|read|include|import|plugin|yaml|csv|xml|cbor)\s*\(|#import|#include", source), (
            name
        )
    assert re.findall(r"\bimage\(([^,]*),", "".join(SHEETS.values())) == ["it.file"]


@pytest.mark.parametrize("aspect", ASPECTS)
def test_safe_margins(aspect: str) -> None:
    frame = frame_of(aspect)
    assert min(frame.left, frame.right) >= 0.05 * frame.width
    assert frame.top >= 0.05 * frame.height
    assert frame.bottom <= (0.82 if aspect == "9:16" else 0.95) * frame.height


@pytest.mark.parametrize("aspect", ASPECTS)
def test_pages_hold_what_their_aspect_allows_and_lose_nothing(aspect: str) -> None:
    room = capacity_of(aspect)
    code = Code("python", "\n".join(["x" * 200] * 40))
    table = Table(((Span("a"),),) * 9, (((Span("b"),),) * 9,) * 30)
    items = Bullets(tuple(Bullet((Span(f"{n} " + "word " * 30),)) for n in range(20)))
    pages = paginate([items, code, table], room)
    blocks = [block for page in pages for block in page]
    listings = [line for block in blocks if isinstance(block, Code) for line in block.text.split("\n")]
    assert max(map(len, listings)) <= room.code_columns
    assert sum(line.count("x") for line in listings) == 8_000
    assert max(len(block.header) for block in blocks if isinstance(block, Table)) <= room.table_columns
    told = [item.spans[0].text for block in blocks if isinstance(block, Bullets) for item in block.items]
    assert [text.split()[0] for text in told] == [str(n) for n in range(20)]


def test_narrow_pages_hold_less_of_a_line() -> None:
    long = [Bullets(tuple(Bullet((Span("word " * 30),)) for _ in range(12)))]
    wide, square = (len(paginate(long, capacity_of(aspect))) for aspect in ("16:9", "1:1"))
    assert square > wide


def chart(style: str, *rows: tuple[float | None, ...], labels: tuple[str, ...] = ("a", "b", "c")) -> Chart:
    return Chart(style, labels, tuple(Series(str(n), row) for n, row in enumerate(rows)))  # type: ignore[arg-type]


def test_bars_stand_on_zero_with_round_ticks() -> None:
    data = chart_data(chart("bar", (-4.0, 12.0, None)), narrow=False)
    assert [tick["text"] for tick in data["ticks"]] == ["−5", "0", "5", "10", "15"]
    assert data["zero"] == pytest.approx(0.25)
    assert data["groups"][0][0] == {"at": pytest.approx(0.05), "text": "−4"}
    assert data["groups"][2] == [None]


def test_lines_break_at_gaps() -> None:
    data = chart_data(chart("line", (1.0, None, 3.0)), narrow=False)
    assert [[point["x"] for point in run] for run in data["lines"][0]] == [[0], [2]]
    assert data["ends"][0]["text"] == "3"


def test_shares_are_parts_of_the_whole() -> None:
    data = chart_data(chart("pie", (1.0, 3.0, -2.0)), narrow=False)
    assert [(s["label"], s["part"], s["share"]) for s in data["slices"]] == [("a", 0.25, "25 %"), ("b", 0.75, "75 %")]


@pytest.mark.parametrize(
    "values", [(), (0.0, 0.0), (math.nan, math.inf, -math.inf), (None, None), (1e300, -1e300), (5.0,) * 9]
)
@pytest.mark.parametrize("style", ["bar", "line", "pie"])
def test_charts_of_odd_values(style: str, values: tuple[float | None, ...]) -> None:
    data = chart_data(chart(style, values), narrow=True)
    assert all(math.isfinite(tick["at"]) for tick in data.get("ticks", ()))
    assert len(data.get("ticks", ())) <= 12


def test_numbers() -> None:
    assert [number(v) for v in (0.0, 1234567.0, -2.5, 0.125, 1e15, 1e-7)] == [
        "0",
        "1,234,567",
        "−2.5",
        "0.125",
        "1e+15",
        "1e-07",
    ]
    assert [short(v) for v in (950.0, 25_000.0, 1_500_000.0, -2e9)] == ["950", "25k", "1.5M", "−2B"]


def test_words() -> None:
    assert breakable("x" * 50, 32) == "x" * 25 + "\u200b" + "x" * 25
    assert breakable("short words stay", 8) == "short words stay"
    assert is_rtl("(1) مرحبا")
    assert not is_rtl("Hello مرحبا")
    assert widest_word("漢字漢字漢字 ab") < widest_word("abcdef")
    assert shortened("a" * 100, 10).endswith("…")
    assert shortened("short", 10) == "short"
