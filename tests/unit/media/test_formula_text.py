"""Formulas as lines of text, in languages that don't read them out."""

import pytest

from handlers.generation.script.formula import say_math
from handlers.generation.script.formula_text import write_math
from handlers.generation.script.script import parse_script


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"(x_1, y_1), \dots, (x_n, y_n)", "(x₁, y₁), …, (xₙ, yₙ)"),
        (r"\bar{x}", "x̄"),
        (r"r_i = y_i - a - b x_i", "rᵢ = yᵢ − a − bxᵢ"),
        (r"S=\sum_{i=1}^n (y_i-a)^2", "S = ∑ᵢ₌₁ⁿ(yᵢ − a)²"),
        (r"\frac{\partial S}{\partial a} = 0", "(∂S)/(∂a) = 0"),
        (r"\mathbf{x} \in \mathbb{R}^n", "x ∈ ℝⁿ"),
        (r"x^{2k+1} \le \sqrt{y}", "x²ᵏ⁺¹ ≤ √y"),
        (r"\text{if } a > 0", "if a > 0"),
        (r"e^{-x^2}", "e^(−x²)"),
        (r"\left( \frac12 \right)", "(1/2)"),
        (r"\sin x + \lim_{n\to\infty} a_n", "sin x + lim_(n→∞) aₙ"),
        ("-x", "−x"),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", "1 0; 0 1"),
        (r"\foo{x} + 1", "foo{x} + 1"),
    ],
)
def test_a_formula_is_a_line_of_text(source: str, text: str) -> None:
    assert write_math(source) == text


def test_captions_of_other_languages_have_signs() -> None:
    (line,) = parse_script(r"Máme body $(x_1, y_1), \dots, (x_n, y_n)$.", "cs").scenes[0].lines
    assert line.text == "Máme body (x₁, y₁), …, (xₙ, yₙ)."


def test_a_fraction_of_digits_needs_no_braces() -> None:
    assert say_math(r"\frac12 + \sqrt2") == "1 over 2 plus the square root of 2"
