"""Formulas become trees of known nodes; what is outside the subset is refused, never passed on."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.generation.script.formula import MathError, parse_math, say_math
from tests.support.formulas import FORMULAS, SUBSET

KINDS = {"seq", "sym", "num", "text", "op", "space", "frac", "binom", "root", "attach", "accent", "bold", "lr"}
KINDS |= {"matrix", "aligned"}


@pytest.mark.parametrize(("source", "words"), FORMULAS.items())
def test_formulas_are_said_in_words(source: str, words: str) -> None:
    assert say_math(source) == words


@pytest.mark.parametrize("source", SUBSET)
def test_the_subset_is_parsed(source: str) -> None:
    assert set(_kinds(parse_math(source))) <= KINDS


@pytest.mark.parametrize(
    "source",
    [
        '#read("/etc/passwd")', r"\input{/etc/passwd}", r"\def\x{y}", r"\unknown", "{", "}", r"\frac{a}", "x^1^2",
        r"\begin{evil}\end{evil}", r"\left(", "$", "&", "x \u0301", "\u202e", "{" * 100, "x" * 2001,
        r"\begin{pmatrix} a \end{bmatrix}", r"\mathbb{1}", r"\text{a",
    ],
)  # fmt: skip
def test_everything_else_is_refused(source: str) -> None:
    with pytest.raises(MathError):
        parse_math(source)
    assert say_math(source) == ""


@given(
    st.lists(
        st.sampled_from(
            [r"\frac", r"\sqrt", "{", "}", "^", "_", "x", "2", r"\left(", r"\right)", "&", r"\\", r"\begin{cases}",
             r"\end{cases}", "'", r"\alpha", r"\sum", r"\text{hi}", " ", "[", "]", "#", '"', r"\hat", "-", r"\|"]
        ),
        max_size=14,
    ).map("".join)
    | st.text(max_size=60)
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_any_formula_is_a_tree_or_a_math_error(source: str) -> None:
    say_math(source)
    try:
        tree = parse_math(source)
    except MathError:
        return
    assert set(_kinds(tree)) <= KINDS
    assert json.loads(json.dumps(tree)) == tree
    assert all(unicodedata.category(sign)[0] in "LNSP" or sign == "~" for sign in _signs(tree))


def _nodes(node: object) -> list[dict[str, object]]:
    if isinstance(node, list):
        return [found for item in node for found in _nodes(item)]
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in _nodes(value))]
    return []


def _kinds(node: object) -> list[object]:
    return [found["k"] for found in _nodes(node)]


def _signs(node: object) -> list[str]:
    return [str(found["v"]) for found in _nodes(node) if found["k"] == "sym"]
