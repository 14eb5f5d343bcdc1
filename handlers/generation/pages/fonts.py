"""The fonts: those of packages, those inside typst and those of the system.

Characters that no font at hand can draw.
"""

import importlib.util
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import orjson
import typst

from handlers.generation.errors import PipelineUnavailable
from handlers.generation.model_json import to_spec
from handlers.generation.script.content import Script

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


#: A page of each character after a sign of its own; the last one is in no font.
_PROBE: Final = b"""
#let chars = json(bytes(sys.inputs.chars))
#set page(width: 4000pt, height: auto, margin: 20pt)
#set text(font: json(bytes(sys.inputs.families)), size: 20pt)
#for char in chars { box[A]; box(char); [ ] }
"""
_NO_CHARACTER: Final = "\U0010fffd"
_USED: Final = re.compile(rb'<use xlink:href="#(\w+)"')
#: What is drawn as nothing, or only together with another character.
_UNSEEN: Final = {"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp", "Mn", "Me"}
_MOST_NAMED: Final = 12
#: Characters that typst is asked for, some 50 microseconds and 12 KB each: more than a language uses in a video.
_MOST_ASKED: Final = 4_000

_PACKAGE_OF_SCRIPT: Final = (
    (re.compile(r"CJK|HIRAGANA|KATAKANA|HANGUL|BOPOMOFO|IDEOGRAPH"), "fonts-noto-cjk"),
    (re.compile(r"EMOJI|FACE|HEART|HAND"), "fonts-noto-color-emoji"),
)
_FONTPKG_OF_SCRIPT: Final = {
    "DEVANAGARI": "fontpkg-noto-sans-devanagari",
    "KHMER": "fontpkg-noto-sans-khmer",
    "TAMIL": "fontpkg-noto-sans-tamil",
    "TELUGU": "fontpkg-noto-sans-telugu",
    "THAI": "fontpkg-noto-sans-thai",
}


def shown_text(script: Script) -> str:
    """All text that the pages of `script` show."""
    return "\n".join(text for scene in script.scenes for text in _texts({**to_spec(scene), "lines": ()}))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def missing_glyphs(text: str) -> tuple[str, ...]:
    """The characters of `text` that no font at hand can draw, in the order of their code points.

    typst itself is asked, since it falls back to fonts of the system and to those inside it, whose tables nobody else
    can read: a character that is drawn like one that can't exist has no glyph. Of a text with very many different
    characters, the first ones are asked for. Blocking, some 20 ms where there is anything beyond Latin.
    """
    found = dict.fromkeys(c for c in text if ord(c) > 0x17F and unicodedata.category(c) not in _UNSEEN)
    asked = sorted(itertools.islice(found, _MOST_ASKED))
    if not asked:
        return ()
    inputs = {"chars": orjson.dumps([*asked, _NO_CHARACTER]).decode(), "families": _dumps(with_fallbacks(()))}
    svg = typst.Compiler(input=_PROBE, font_paths=fonts(), sys_inputs=inputs).compile(format="svg")
    used = _USED.findall(svg if isinstance(svg, bytes) else b"".join(svg or ()))
    groups: list[list[bytes]] = []
    for glyph in used:
        if glyph == used[0]:
            groups.append([])
        else:
            groups[-1].append(glyph)
    if len(groups) != len(asked) + 1:  # a character drawn as the sign itself: then nothing is known
        return ()
    nothing = groups[-1]
    return tuple(char for char, glyphs in zip(asked, groups, strict=False) if glyphs == nothing)


def describe_missing(missing: tuple[str, ...]) -> str:
    """For the requester: which characters can't be drawn, and what to install."""
    named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    wanted = sorted({_package_for(char) for char in missing})
    return f"no font has {named}{more}: boxes are shown instead; install {', '.join(wanted)} where videos are rendered"


def _package_for(char: str) -> str:
    name = unicodedata.name(char, "")
    for script, package in _FONTPKG_OF_SCRIPT.items():
        if name.startswith(script):
            return f"{package} (PyPI)"
    for pattern, package in _PACKAGE_OF_SCRIPT:
        if pattern.search(name):
            return f"{package} (Debian)"
    return "fonts-noto-core (Debian)"


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
