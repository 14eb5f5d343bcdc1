"""Marked, lowered and raised text of Markdown."""

import pytest

from handlers.generation.script.content import Span, Spans
from handlers.generation.script.inline import parse_inline


@pytest.mark.parametrize(
    ("source", "spans"),
    [
        ("a ==b c== d", (Span("a "), Span("b c", marked=True), Span(" d"))),
        ("==**b**==", (Span("b", bold=True, marked=True),)),
        ("H~2~O", (Span("H"), Span("2", shift="sub"), Span("O"))),
        ("x^2^ y", (Span("x"), Span("2", shift="sup"), Span(" y"))),
        ("~~20~~ 15", (Span("20", struck=True), Span(" 15"))),
    ],
)
def test_marks(source: str, spans: Spans) -> None:
    assert parse_inline(source) == spans


def test_emphasis_and_marks_that_cross_are_no_error() -> None:
    assert "".join(span.text for span in parse_inline("**a ==b** c== ~x**y~ **")) == "**a b** c x**y **"


@pytest.mark.parametrize(
    "text",
    [
        "~5 to ~10 euros",
        "a == b and c == d",
        "x^2 + y^2",
        "cp ~/a ~/b",
        "a === b === c",
        "2^10 and 2^ 3^",
        "if a==b",
        r"C:\PROGRA~1\X~2",
    ],
)
def test_single_signs_are_text(text: str) -> None:
    assert parse_inline(text) == (Span(text),)
