"""Formulas in LaTeX's notation: with the words that say them, and of each kind that is understood."""

from __future__ import annotations

FORMULAS = {
    "E = mc^2": "E equals m c squared",
    r"L = \lambda \cdot W": "L equals lambda times W",
    r"\frac{a}{b}": "a over b",
    r"\sqrt{b^2 - 4ac}": "the square root of b squared minus 4 a c",
    r"\sum_{i=1}^{n} x_i": "the sum, from i equals 1 to n, of x i",
    r"\lim_{x \to 0} \frac{\sin x}{x} = 1": "lim as x to 0, sin x over x equals 1",
    r"f'(x) = 3.5\%": "f prime x equals 3.5 percent",
}

SUBSET = [
    r"\left( \frac{x}{y} \right]", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", r"x_1^{2}",
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}", r"\mathbb{R}", r"\hat{x}", r"\sqrt[3]{x}",
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"\|x\|", r"\binom{n}{k}", r"\operatorname{rank} A",
    "你 = 好",
]  # fmt: skip
