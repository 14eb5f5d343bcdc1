"""What the parser of formulas takes, the sheets draw: each name, each construct, each as deep as it may be."""

import io
from importlib import resources
from itertools import pairwise

import numpy as np
import orjson
import pytest
import typst
from attrs import evolve
from PIL import Image

from handlers.generation.pages.draw import ScenePages
from handlers.generation.pages.fonts import fonts
from handlers.generation.pages.page_data import frame_of, page_data
from handlers.generation.pages.themes import THEMES
from handlers.generation.script import formula_symbols as known
from handlers.generation.script.content import Columns, Math
from handlers.generation.script.formula import MathError, parse_math
from handlers.generation.script.script import parse_script
from tests.support.formulas import FORMULAS, SUBSET

SHEETS = resources.files("handlers.generation.pages.sheets")
#: A page for each formula, as it is displayed or in a line, in black on white.
PAGES = """
#set page(width: 600pt, height: auto, margin: 8pt, fill: white)
#set text(fill: black, size: 20pt)
#let trees = json(bytes(sys.inputs.trees))
#for (n, tree) in trees.enumerate() {
  if n > 0 { pagebreak() }
  let displayed = sys.inputs.displayed == "yes"
  if displayed { math.equation(block: true, formula(tree)) } else { box(math.equation(formula(tree))) }
}
"""
INK = 225
EMPTY = [
    r"\frac{}{2}", r"\sqrt[]{}", "x^{}", "{}^2", "_{}^{2}", r"x\hat{}", r"x\mathbf{}", r"\binom{}{}", r"x\text{}",
    r"x\operatorname{}", r"\left(\right)", r"\left.x\right.", r"x\begin{aligned}\end{aligned}", r"x\mathbb{}",
    r"x\begin{matrix}\end{matrix}", r"\begin{cases}\end{cases}", r"x\begin{aligned}&\\&\end{aligned}",
    r"\begin{pmatrix}a&\\&b\end{pmatrix}",
]  # fmt: skip
NAMES = [
    *(rf"\{name}" for name in (*known.GREEK, *known.OPERATORS, *known.BIG, *sorted(known.FUNCTIONS | known.ESCAPED))),
    *(rf"a\{name} b" for name in (*known.SPACES, *sorted(known.IGNORED))),
    *(rf"\{name}{{x}}" for name in known.ACCENTS),
    *(rf"\mathbb{{{letter}}}" for letter in known.BLACKBOARD),
    *(rf"\mathcal{{{letter}}}" for letter in known.CALLIGRAPHIC),
    *(sign for sign in known.SPOKEN_SIGNS if sign not in "{}&%~"),
    *(
        rf"\left{left} x \right{right}"
        for left, right in ("()", "[]", "||", "<>", "/.", (r"\{", r"\}"), (r"\|", r"\|"))
    ),
]
CONSTRUCTS = [
    r"\begin{align} a &= b \\ c &= d \end{align}", r"\begin{matrix} a & b \end{matrix}",
    r"\begin{bmatrix} a & b \end{bmatrix}", r"\begin{vmatrix} a & b \end{vmatrix}", r"\dfrac{a}{b} \tfrac{a}{b}",
    r"\boldsymbol{x} \mathbf{x}", r"\mathrm{d}x", r"\textrm{if} \mbox{so}", "x''_2", "a ~ b", r"\sum\limits_a^b",
    r"\left\{ \begin{aligned} a &= b & c &= d \\ e &= f \end{aligned} \right.",
]  # fmt: skip
#: What stands before and behind something nested.
NESTED = [
    (r"{\frac{1}{", "}}^2"), (r"\sqrt[", "]{2}"), (r"\left(", r"\right)^2"), ("x^{", "}"), (r"\hat{", "}_1"),
    (r"\begin{cases}", r"\end{cases}^2"), (r"\begin{aligned} a &= ", r"\end{aligned}_1"),
    (r"\left(\begin{cases}\hat{", r"}_1\end{cases}\right)^2"),
]  # fmt: skip


def drawn(*sources: str, displayed: bool = True) -> list[np.ndarray]:
    """The ink of each formula."""
    theme, scene = next(iter(THEMES.values())), parse_script("# A").scenes[0]
    inputs = {
        "scene": orjson.dumps(page_data(scene, theme, frame_of("16:9"), {})).decode(),
        "trees": orjson.dumps([parse_math(source) for source in sources]).decode(),
        "displayed": "yes" if displayed else "no",
    }
    sheet = b"\n".join([*(SHEETS.joinpath(name).read_bytes() for name in ("base.typ", "text.typ")), PAGES.encode()])
    pages = typst.Compiler(font_paths=fonts()).compile(sheet, format="png", ppi=72.0, sys_inputs=inputs)
    shown = [
        np.asarray(Image.open(io.BytesIO(p)).convert("L"))  # type: ignore[arg-type]
        for p in (pages if isinstance(pages, list) else [pages])
    ]
    assert len(shown) == len(sources)
    return [page < INK for page in shown]


def rows_of(ink: np.ndarray) -> list[np.ndarray]:
    """The inked columns of each row, from top to bottom; the two bars of an equals sign are one row."""
    lines = np.flatnonzero(ink.any(axis=1))
    cuts = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(lines)) if other - one > 8), len(lines)]
    return [np.flatnonzero(ink[lines[start:end]].any(axis=0)) for start, end in pairwise(cuts)]


@pytest.mark.parametrize("displayed", [True, False], ids=["displayed", "in-a-line"])
def test_whatever_is_parsed_is_drawn(displayed: bool) -> None:
    sources = [*FORMULAS, *SUBSET, *CONSTRUCTS, *EMPTY, *NAMES]
    for source, ink in zip(sources, drawn(*sources, displayed=displayed), strict=True):
        assert ink.any() or source in EMPTY, source


@pytest.mark.parametrize("displayed", [True, False], ids=["displayed", "in-a-line"])
def test_aligned_rows_stand_one_below_the_other(displayed: bool) -> None:
    rows = (r"a &= \\ dddd &=", r"&= b \\ &= cccc", r"a &= b & cc &= \\ d &= eee & f &=")
    sources = [rf"\begin{{aligned}} {each} \end{{aligned}}" for each in rows]
    (short, long), (narrow, wide), (one, other) = map(rows_of, drawn(*sources, displayed=displayed))
    assert short[-1] == pytest.approx(long[-1], abs=1)
    assert short[0] > long[0] + 10
    assert narrow[0] == pytest.approx(wide[0], abs=1)
    assert narrow[-1] < wide[-1] - 10
    assert one[-1] == pytest.approx(other[-1], abs=1)


def test_what_follows_aligned_rows_stands_beside_them_all() -> None:
    [ink] = drawn(r"\begin{aligned} a &= b \\ c &= d \\ e &= f \end{aligned} + x")
    lines, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    last = np.flatnonzero(ink[:, columns[-1] - 6 : columns[-1] + 1].any(axis=1))
    assert (last[0] + last[-1]) / 2 == pytest.approx((lines[0] + lines[-1]) / 2, abs=8)


@pytest.mark.parametrize("nested", NESTED, ids=[before for before, _ in NESTED])
def test_a_formula_is_drawn_however_deep_the_parser_lets_it_be(nested: tuple[str, str]) -> None:
    before, behind = nested
    deepest = max(n for n in range(30) if parses(before * n + "x" + behind * n))
    assert deepest >= 4
    columns = Columns((Math(before * deepest + "x" + behind * deepest),), ())
    scene = evolve(parse_script("# A").scenes[0], layout="content", blocks=(columns,), lines=())
    assert ScenePages(scene, detail=0.05).draw(0).size


def parses(source: str) -> bool:
    try:
        parse_math(source)
    except MathError:
        return False
    return True
