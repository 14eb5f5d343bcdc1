"""Fonts of packages, of typst and of the system, and the characters that none of them can draw."""

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

#: Packages that must be installed.
_NEEDED: Final = (
    "fontpkg_inter",
    "fontpkg_jetbrains_mono",
    "fontpkg_source_serif_4",
    "fontpkg_fredoka",
    "fontpkg_nunito",
    "fontpkg_noto_sans_arabic",
    "manimgx_fonts",
)
#: Fallback families after a theme's own, in this order; after them typst takes any font that has the glyph.
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
    "Noto Color Emoji",
    "Noto Emoji",
    "Noto Sans Symbols",
    "DejaVu Sans",
    "Libertinus Serif",
)


def font_directories() -> tuple[Path, ...]:
    """Return the folders of the packaged fonts. Raises PipelineUnavailable when a package is missing."""
    found = []
    for package in _NEEDED:
        if importlib.util.find_spec(package) is not None:
            folder = Path(str(resources.files(package)))
            found.append(folder / "files" if (folder / "files").is_dir() else folder)
        else:
            name = package.replace("_", "-")
            raise PipelineUnavailable(f"the font package {name} is missing: pip install {name}")
    return tuple(found)


@cache
def fonts() -> typst.Fonts:
    """Find all fonts, once per process: packaged, built into typst, of the system. Raises PipelineUnavailable."""
    return typst.Fonts(font_paths=list(font_directories()))


@cache
def _families() -> frozenset[str]:
    return frozenset(fonts().families())


def with_fallbacks(families: Iterable[str]) -> tuple[str, ...]:
    """Append the fallback families to `families`; families that are not installed are dropped."""
    return tuple(family for family in dict.fromkeys((*families, *_FALLBACKS)) if family in _families())


#: Draws each character after a sign ("A"); the last character is in no font.
_PROBE: Final = b"""
#let chars = json(bytes(sys.inputs.chars))
#set page(width: 4000pt, height: auto, margin: 20pt)
#set text(font: json(bytes(sys.inputs.families)), size: 20pt)
#for char in chars { box[A]; box(char); [ ] }
"""
_NO_CHARACTER: Final = "\U0010fffd"
_USED: Final = re.compile(rb'<use xlink:href="#(\w+)"')
#: Unicode categories that are invisible or only drawn together with another character.
_UNSEEN: Final = {"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp", "Mn", "Me"}
_MOST_NAMED: Final = 12
#: Most characters drawn in one check, at 50 microseconds and 12 KB each: more than a video in one language uses.
_MOST_ASKED: Final = 4_000

_EAST_ASIAN: Final = re.compile(r"CJK|HIRAGANA|KATAKANA|HANGUL|BOPOMOFO|IDEOGRAPH")
#: Characters with Unicode's property Emoji (UTS #51), and those kept for further ones.
_EMOJI: Final = re.compile(
    "[©®‼⁉™ℹ↔-↙↩↪⌚⌛⌨⏏⏩-⏳⏸-⏺Ⓜ▪▫▶◀◻-◾☀-☄☎☑☔☕☘☝☠☢☣☦☪☮☯☸-☺♀♂♈-♓♟♠♣♥♦♨♻♾♿⚒-⚗⚙⚛⚜⚠⚡⚧⚪⚫⚰⚱⚽⚾⛄⛅⛈⛎⛏⛑⛓⛔⛩⛪⛰-⛵⛷-⛺⛽"
    "✂✅✈-✍✏✒✔✖✝✡✨✳✴❄❇❌❎❓-❕❗❣❤➕-➗➡➰➿⤴⤵⬅-⬇⬛⬜⭐⭕〰〽㊗㊙"
    "\U0001f004\U0001f0cf\U0001f170-\U0001f251\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0"
    "\U0001f900-\U0001faff]"
)


def shown_text(script: Script) -> str:
    """Collect all text that the pages of `script` show."""
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
    """Find the characters of `text` that no installed font can draw, in the order of their code points.

    typst draws them: it falls back to fonts of the system and of its own, whose tables only typst can read, and a
    character drawn like one that exists in no font is missing (decision 91). Checks the first 4,000 different
    characters. Blocking, some 20 ms for text beyond Latin.
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
    if len(groups) != len(asked) + 1:  # a character was drawn as the sign itself: no conclusion
        return ()
    nothing = groups[-1]
    return tuple(char for char, glyphs in zip(asked, groups, strict=False) if glyphs == nothing)


def describe_missing(missing: tuple[str, ...]) -> str:
    """Explain to the requester which characters can't be drawn, and which packages have them."""
    named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    wanted = sorted({_package_for(char) for char in missing})
    return f"no font has {named}{more}: boxes are shown instead; install {', '.join(wanted)} on the rendering machine"


def _package_for(char: str) -> str:
    if _EMOJI.match(char):
        return "fonts-noto-color-emoji (Debian)"
    if _EAST_ASIAN.search(unicodedata.name(char, "")):
        return "fonts-noto-cjk (Debian)"
    return "fonts-noto-core (Debian)"


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
