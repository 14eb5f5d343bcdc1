"""The fonts: those of packages, those inside typst and those of the system."""

import importlib.util
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import typst

from handlers.generation.errors import PipelineUnavailable

#: Without them nothing is drawn.
_NEEDED: Final = (
    "fontpkg_inter",
    "fontpkg_jetbrains_mono",
    "fontpkg_source_serif_4",
    "fontpkg_fredoka",
    "fontpkg_nunito",
    "fontpkg_noto_sans_arabic",
)
#: Taken where they are installed.
_WELCOME: Final = (
    "fontpkg_noto_sans",
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_khmer",
    "fontpkg_noto_sans_tamil",
    "fontpkg_noto_sans_telugu",
    "fontpkg_noto_sans_thai",
)
#: Families after a theme's own, in this order wherever they are there; then typst takes any that has the glyph.
_FALLBACKS: Final = (
    "Inter",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "DejaVu Sans",
    "Libertinus Serif",
)


def font_directories() -> tuple[Path, ...]:
    """Where the packaged fonts are. Raises PipelineUnavailable when a package is missing."""
    found = []
    for package in (*_NEEDED, *_WELCOME):
        if importlib.util.find_spec(package) is not None:
            found.append(Path(str(resources.files(package))) / "files")
        elif package in _NEEDED:
            name = package.replace("_", "-")
            raise PipelineUnavailable(f"the font package {name} is missing: pip install {name}")
    return tuple(found)


@cache
def fonts() -> typst.Fonts:
    """All fonts at hand. Looked for once in a process. Raises PipelineUnavailable."""
    return typst.Fonts(font_paths=list(font_directories()))


@cache
def _families() -> frozenset[str]:
    return frozenset(fonts().families())


def with_fallbacks(families: Iterable[str]) -> tuple[str, ...]:
    """`families` and after them what takes the place of missing glyphs, as far as they are there."""
    return tuple(family for family in dict.fromkeys((*families, *_FALLBACKS)) if family in _families())
