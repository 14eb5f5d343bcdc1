"""The themes by name, with what a chooser shows of each."""

from __future__ import annotations

from typing import Any

from attrs import frozen


@frozen
class ThemeFacts:
    """`colours` are CSS colours by role (ground, text, accent); `dark` whether the ground is."""

    name: str
    description: str
    dark: bool
    colours: dict[str, str]

    @property
    def facts(self) -> dict[str, Any]:
        return {"dark": self.dark, "colours": self.colours}


def themes() -> tuple[ThemeFacts, ...]:
    """All themes, the default one first."""
    return (
        ThemeFacts(
            "midnight",
            "Bright type on a deep blue night, with mint and amber accents.",
            dark=True,
            colours={"ground": "#0b1122", "text": "#f4f7ff", "accent": "#5ee6c8"},
        ),
    )


def theme_names() -> tuple[str, ...]:
    return tuple(theme.name for theme in themes())
