"""Characters that no font at hand can draw."""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import orjson
import typst

from handlers.generation.model import to_spec
from handlers.generation.pages.fonts import fonts, with_fallbacks
from handlers.generation.script.content import Script

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
