"""The themes by name, with what a chooser shows of each."""

from __future__ import annotations

from typing import Any

from handlers.generation.look.themes import THEMES


def themes() -> tuple[dict[str, Any], ...]:
    """All themes, the default one first; `colours` are CSS colours by role, `dark` whether the ground is."""
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
    return tuple(THEMES)
