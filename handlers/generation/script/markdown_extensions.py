"""What our Markdown has beyond the usual: pictures and clips of one's own, charts, listings with lines that matter."""

from __future__ import annotations

import re
import shlex
from typing import Any, Final

from eventflow.domain.values import is_asset_id
from handlers.generation.errors import ScriptError
from handlers.generation.script.chartdata import MAX_UNIT_CHARS, STYLES, ChartError, check_chart, read_rows
from handlers.generation.script.content import Chart, Clip, Code, Image, Math
from handlers.generation.script.inline import parse_inline

FITS: Final = ("contain", "cover")
MOTIONS: Final = ("none", "zoom", "pan")
LANGUAGE: Final = re.compile(r"[^\s`{}]{1,40}")
#: Of what stands behind the name of a chart or listing.
MAX_OPTIONS_CHARS: Final = 1_000
_ON_OFF: Final = {"on": True, "off": False}
#: Of one listing; a range may be written larger than the listing is.
_HIGHLIGHT = re.compile(r"\{\s*(\d{1,5}(?:\s*-\s*\d{1,5})?(?:\s*,\s*\d{1,5}(?:\s*-\s*\d{1,5})?)*)\s*\}")


def media(address: str, options: str, alt: str, line: int) -> Image | Clip:
    """The picture or clip of `![alt](asset:ID "fit=cover motion=zoom")`, or `"clip sound=off"`. Raises ScriptError."""
    where = f"the picture on line {line}"
    asset = address.removeprefix("asset:")
    if address == asset:
        way_out = "send it to POST /api/v1/assets and write ![...](asset:ID)"
        raise ScriptError(f"{where} is at {address[:80]!r}; only uploaded ones can be shown: {way_out}")
    if not is_asset_id(asset):
        raise ScriptError(f"{where}: {asset[:80]!r} is not the id of an asset (as_ and 32 hex digits)")
    words = options.split()
    clip = "clip" in words
    chosen: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        known: dict[str, Any] = {"sound": _ON_OFF} if clip else {"fit": FITS, "motion": MOTIONS}
        if word == "clip":
            continue
        if name not in known or value not in known[name]:
            there_is = " ".join(f"{option}={'|'.join(values)}" for option, values in known.items())
            raise ScriptError(f"{where} has the option {word[:40]!r}; there is: {there_is}{'' if clip else ' clip'}")
        chosen[name] = _ON_OFF[value] if clip else value
    return Clip(asset, alt, **chosen) if clip else Image(asset, alt, **chosen)


def fenced(info: str, content: str, line: int) -> Code | Math | Chart | None:
    """What a fenced block is; None where it is empty. Raises ScriptError for a chart that isn't any."""
    language, _, more = info.strip().partition(" ")
    language, brace, rest = language.partition("{")
    language, more = language.lower(), brace + rest + " " + more
    if language == "chart":
        return _chart(more, content, line)
    text = content.expandtabs(4).rstrip().lstrip("\n")
    if not text.strip():
        return None
    if language == "math":
        return Math(text)
    skipped = len(content) - len(content.lstrip("\n"))
    marked = _HIGHLIGHT.search(more)
    lines = lines_of(marked[1], text.count("\n") + 1 + skipped) if marked else ()
    language = language if LANGUAGE.fullmatch(language) else ""
    return Code(language, text, highlight=tuple(n - skipped for n in lines if n > skipped))


def lines_of(ranges: str, count: int) -> tuple[int, ...]:
    """The numbers from 1 to `count` in ranges such as "2,4-6", in order."""
    spans = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        spans.append((max(1, int(first)), min(int(last or first), count)))
    found: list[int] = []
    for begin, end in sorted(spans):
        found += range(max(begin, found[-1] + 1 if found else 1), end + 1)
    return tuple(found)


def _chart(options: str, content: str, line: int) -> Chart:
    where = f"the chart on line {line}"
    if len(options) > MAX_OPTIONS_CHARS:
        raise ScriptError(f"{where}: its options have {len(options):,} characters; {MAX_OPTIONS_CHARS:,} are possible")
    try:
        words = shlex.split(options)
    except ValueError:
        raise ScriptError(f'{where}: a quote in its options doesn\'t end; write title="..."') from None
    style, title, unit = "", "", ""
    for word in words:
        name, equals, value = word.partition("=")
        if word in STYLES and not style:
            style = word
        elif equals and name == "title" and len(value) <= 200:
            title = value
        elif equals and name == "unit" and len(value) <= MAX_UNIT_CHARS:
            unit = value
        else:
            way_out = 'write chart bar|line|pie title="..." unit=...'
            raise ScriptError(f"{where}: {word[:40]!r} is not understood; {way_out}")
    if not style:
        raise ScriptError(f"{where} has no style; write chart {'|'.join(STYLES)}")
    try:
        labels, series = read_rows(content)
        check_chart(style, labels, series)
    except ChartError as error:
        raise ScriptError(f"{where}: {error}") from None
    return Chart(style, labels, series, parse_inline(title), unit)  # type: ignore[arg-type]
