"""The colours of the theme can be read."""

import re
from importlib import resources

import pytest

SOURCE = resources.files("handlers.generation").joinpath("theme.typ").read_text()
COLOURS = dict(re.findall(r'#let (\w+) = rgb\("(#[0-9a-f]{6})"\)', SOURCE))
CODE_COLOURS = re.findall(r'rule\("[^"]+", "(#[0-9a-f]{6})"\)', SOURCE)


def luminance(colour: str) -> float:
    def channel(at: int) -> float:
        value = int(colour[at : at + 2], 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("text", ["bright", "soft", "muted", "accent", "amber"])
@pytest.mark.parametrize("behind", ["ground", "faint"])
def test_text_has_contrast(text: str, behind: str) -> None:
    assert contrast(COLOURS[text], COLOURS[behind]) >= 4.5


def test_numbers_of_spent_items_have_contrast() -> None:
    assert contrast(COLOURS["spent"], COLOURS["ground"]) >= 4.5


@pytest.mark.parametrize("colour", CODE_COLOURS)
def test_code_has_contrast(colour: str) -> None:
    assert contrast(colour, COLOURS["card"]) >= 4.5


def test_the_theme_evaluates_nothing() -> None:
    assert not re.search(r"\b(eval|read|include|import|plugin)\s*\(|#import|#include", SOURCE)
