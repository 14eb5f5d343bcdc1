"""The parser's rules for boxes of all dialects of Markdown, which become nodes `callout` with a `Box` in their `meta`.

- `::: name`, `:::name[Title]`, `:::{name} Title`, `::: {.class title="..."}` down to their `:::`;
- `!!! name "Title"`, `??? name`, `=== "Tab"` with an indented body;
- quotes that begin with `[!name]`, and fenced blocks with the language `{name}`.

A title is a node `callout_title`. Our own markers (`:::columns`, `:::right`, `:::outro`) are left to `inline`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from attrs import define, evolve, field, frozen
from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from handlers.generation.control import Warned
from handlers.generation.errors import ScriptError
from handlers.generation.script.box_names import Box, box_of_classes, box_of_name, is_directive, names_picture
from handlers.generation.script.comments import CodeLines

#: In the parser's `env`: the warnings of a document (a list), and how many lines stand above a text within it.
NOTICED: Final = "noticed"
ABOVE: Final = "above"
_PAIRS: Final = "pairs"
#: In `env`: how many directives the text stands in; deeper ones are listings.
_FENCES: Final = "fences"
_MOST_FENCES: Final = 5
OWN: Final = ("columns", "right", "outro")
#: How alike a name is to one of ours that counts as a misspelling of it.
_LIKENESS: Final = 0.8

_COLONS: Final = re.compile(r"[ \t>]*+(?P<colons>:{3,}+)(?P<info>.*+)")
_MYST: Final = re.compile(r"\{(?P<name>[A-Za-z][\w:+-]*+)\}(?P<title>.*+)")
_CLASSES: Final = re.compile(r"(?P<name>[A-Za-z][\w-]*+)?[ \t]*+\{(?P<attributes>[^{}]*+)\}[ \t:]*+")
_NAMED: Final = re.compile(
    r"(?P<name>[A-Za-z][\w-]*+)(?:[ \t]*+\[(?P<bracketed>[^\[\]]*+)\])?(?:[ \t]++(?P<title>[^{}]*+))?"
    r"[ \t]*+(?:\{(?P<attributes>[^{}]*+)\}[ \t]*+)?"
)
_CLASS: Final = re.compile(r"(?:^|(?<=\s))\.(?P<name>[\w-]++)")
_TITLE: Final = re.compile(r"\btitle[ \t]*+=[ \t]*+(?:\"(?P<two>[^\"]*+)\"|'(?P<one>[^']*+)')")
_OPTION: Final = re.compile(r"[ \t]*+:[A-Za-z][\w-]*+:(?:[ \t].*+)?")
#: What a description escapes, and what an address in angle brackets can't have.
_ALT: Final = re.compile(r"[\\\[\]]")
_ADDRESS: Final = re.compile(r"[<>\n]")
_ADMONITION: Final = re.compile(
    r"(?P<sign>!!!|\?\?\?\+?)[ \t]++(?P<name>[A-Za-z][\w-]*+)(?P<more>(?:[ \t]++[A-Za-z][\w-]*+)*+)"
    r"(?:[ \t]++\"(?P<title>[^\n]*+)(?<=\"))?[ \t]*+"
)
_TAB: Final = re.compile(r"===[!+]?[ \t]++\"(?P<title>[^\"\n]*+)\"[ \t]*+")
_QUOTED: Final = re.compile(
    r"\[!(?P<name>[A-Za-z][\w -]{0,40})(?:\|[^\]\n]{0,40})?\][+-]?"
    r"[ \t]*+(?P<title>[^\n]*+)(?:\n|$)"
)
_INDENT: Final = 4


@frozen(kw_only=True)
class _Opening:
    """The line above a box; `colons` is the number of its colons."""

    colons: int
    box: Box
    title: str | None
    own: str = ""
    options: bool = False


def add_callout_rules(parser: MarkdownIt) -> None:
    """Add the rules to a parser with a rule `marker`."""
    alternatives: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("marker", "container", _container, alternatives)
    parser.block.ruler.before("marker", "admonition", _admonition, alternatives)
    parser.block.ruler.before("marker", "slot", _slot, alternatives)
    parser.core.ruler.after("block", "callouts", _read_quotes_and_fences)


def notice(env: Mapping[str, Any], line: int, warned: Warned) -> None:
    """Add a warning, and name a line of a text (from 1) in it; nothing where no document is parsed."""
    if NOTICED in env:
        env[NOTICED].append(evolve(warned, message=f"line {line + env.get(ABOVE, 0)}: {warned.message}"))


def _unknown(name: str) -> Warned:
    return Warned("unknown_markup", f"{name[:40]!r} is no box that is known; it is shown as a plain one")


def opening(info: str, colons: int) -> _Opening | None:
    """Read what stands behind the colons above a box; None where it isn't one."""
    info = info.strip()
    bare = info.rstrip(":").rstrip()
    if bare.lower() in OWN:
        return _Opening(colons=colons, box=box_of_name(bare), title=None, own=bare.lower())
    if match := _MYST.fullmatch(info):
        title = match["title"].strip()
        return _Opening(colons=colons, box=box_of_name(match["name"]), title=title or None, options=True)
    if match := _CLASSES.fullmatch(info):
        attributes = match["attributes"]
        classes = [each["name"] for each in _CLASS.finditer(attributes)]
        box = box_of_name(match["name"]) if match["name"] else box_of_classes(classes)
        return _Opening(colons=colons, box=box, title=_title_in(attributes))
    if match := _NAMED.fullmatch(bare):
        title = match["bracketed"] or (match["title"] or "").strip() or _title_in(match["attributes"] or "")
        return _Opening(colons=colons, box=box_of_name(match["name"]), title=title or None)
    return None


def _title_in(attributes: str) -> str | None:
    match = _TITLE.search(attributes)
    return None if match is None else (match["two"] if match["two"] is not None else match["one"])


@define
class _Pairs:
    """The boxes between colons of a text: the line above each, with the line that ends it (None: no line does)."""

    boxes: dict[int, tuple[_Opening, int | None]] = field(factory=dict)
    #: Lines of colons that end nothing.
    stray: set[int] = field(factory=set)


def _pairs(text: str) -> _Pairs:
    """Pair the lines of colons: a line ends the innermost box with as many colons, else the innermost box."""
    found = _Pairs()
    scan, opened = CodeLines(), list[tuple[int, _Opening]]()
    for number, line in enumerate(text.split("\n")):
        if scan.is_code(line) or ":::" not in line:
            continue
        match = _COLONS.fullmatch(line)
        if match is None:
            continue
        colons, info = len(match["colons"]), match["info"].strip()
        if info:
            scan.in_paragraph = False
            begun = opening(info, colons)
            if begun is not None:
                _open(found, opened, number, begun)
        else:
            _close(found, opened, number, colons)
    for number, begun in opened:
        if not begun.own:
            found.boxes[number] = (begun, None)
    return found


def _open(found: _Pairs, opened: list[tuple[int, _Opening]], number: int, begun: _Opening) -> None:
    if begun.own == "right":
        return
    if begun.box.role == "column" and opened and opened[-1][1].own == "columns":
        at, above = opened[-1]  # pandoc's columns, not ours
        opened[-1] = (at, _Opening(colons=above.colons, box=box_of_classes(["columns"]), title=None))
    opened.append((number, begun))


def _close(found: _Pairs, opened: list[tuple[int, _Opening]], number: int, colons: int) -> None:
    if not opened:
        if found.boxes:
            found.stray.add(number)
        return
    depth = len(opened) - 1
    if opened[depth][1].colons != colons:
        near = range(depth, max(-1, depth - 20), -1)
        depth = next((at for at in near if opened[at][1].colons == colons), depth)
    for at, begun in opened[depth:]:
        if not begun.own:
            found.boxes[at] = (begun, number)
    del opened[depth:]


def _pairs_of(state: StateBlock) -> _Pairs:
    known: dict[str, _Pairs] = state.env.setdefault(_PAIRS, {})
    if state.src not in known:
        known[state.src] = _pairs(state.src)
    return known[state.src]


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _container(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a box between lines of colons."""
    if not state.src.startswith(":::", state.bMarks[start] + state.tShift[start]) or state.is_code_block(start):
        return False
    pairs = _pairs_of(state)
    if start in pairs.stray:
        state.line = start + (0 if silent else 1)
        return True
    if start not in pairs.boxes:
        return False
    if silent:
        return True
    begun, close = pairs.boxes[start]
    last = end if close is None else min(close, end)
    first = start + 1
    while begun.options and first < last and _OPTION.fullmatch(_line(state, first)):
        first += 1
    _check_name(state, start, begun.box)
    above = list(_above_body(begun, [_line(state, number) for number in range(start + 1, first)], start))
    _push_box(state, begun.box, above, (start, last), first)
    state.line = last if close is None or close >= end else last + 1
    return True


def _check_name(state: StateBlock, start: int, box: Box) -> None:
    """Warn of a name that isn't known. Raises ScriptError for one that is nearly ours."""
    if box.known:
        return
    if near := get_close_matches(box.name[:40].lower(), OWN, n=1, cutoff=_LIKENESS):
        line = start + 1 + state.env.get(ABOVE, 0)
        raise ScriptError(f"line {line}: unknown marker :::{box.name[:40]}; did you mean :::{near[0]}?")
    notice(state.env, start + 1, _unknown(box.name))


def _admonition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a box or tab of MkDocs, whose body is indented."""
    at = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith(("!!!", "???", "==="), at) or state.is_code_block(start):
        return False
    line = _line(state, start)
    match = _ADMONITION.fullmatch(line) or _TAB.fullmatch(line)
    if match is None:
        return False
    inner = state.sCount[start] + _INDENT
    last = start + 1
    while last < end and (state.isEmpty(last) or state.sCount[last] >= inner):
        last += 1
    title = match["title"]
    if title is None and all(state.isEmpty(number) for number in range(start + 1, last)):
        return False  # a sentence that begins with signs
    if silent:
        return True
    if "name" in match.groupdict():
        box = box_of_name(match["name"])
        title = title.removesuffix('"') if title is not None else None
    else:
        box = Box(name="tab", role="tab")
    _check_name(state, start, box)
    indent, state.blkIndent = state.blkIndent, inner
    above = [] if title is None else list(_title_tokens(title, start))
    _push_box(state, box, above, (start, last), start + 1)
    state.blkIndent = indent
    state.line = last
    return True


_SLOT: Final = re.compile(r"::(?P<name>left|right|bottom|default)::[ \t]*+")


def _slot(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse the beginning of a part of a slide, as Slidev writes it: `::right::`."""
    if not state.src.startswith("::", state.bMarks[start]) or (state.level > 0 and not silent):
        return False
    match = _SLOT.fullmatch(state.src, state.bMarks[start], state.eMarks[start])
    if match is None:
        return False
    if not silent:
        token = state.push("slot", "", 0)
        token.content, token.map = match["name"], [start, start + 1]
        state.line = start + 1
    return True


def _push_box(state: StateBlock, box: Box, above: list[Token], lines: tuple[int, int], first: int) -> None:
    """Push the tokens of a box: those above its body, and those of the body from line `first` on."""
    token = state.push("callout_open", "div", 1)
    token.map, token.meta = list(lines), {"box": box}
    for each in above:
        each.level += state.level
        state.tokens.append(each)
    parent, most = state.parentType, state.lineMax
    state.parentType, state.lineMax = "container", lines[1]
    state.md.block.tokenize(state, first, lines[1])
    state.parentType, state.lineMax = parent, most
    state.push("callout_close", "div", -1)


def _title_tokens(title: str, line: int) -> Iterator[Token]:
    yield Token("callout_title_open", "p", 1, map=[line, line + 1])
    yield Token("inline", "", 0, content=title.strip(), map=[line, line + 1], children=[])
    yield Token("callout_title_close", "p", -1)


def _above_body(begun: _Opening, options: list[str], line: int) -> Iterator[Token]:
    """Yield what stands above the body of a box: its title, or the picture that a directive names."""
    if begun.title is None:
        return
    if not begun.options or not names_picture(begun.box.name):
        yield from _title_tokens(begun.title, line)
        return
    alt = next((option.strip()[len(":alt:") :].strip() for option in options if option.strip().startswith(":alt:")), "")
    described = _ALT.sub(lambda match: "\\" + match[0], alt)
    content = f"![{described}](<{_ADDRESS.sub('', begun.title)}>)"
    yield Token("paragraph_open", "p", 1, map=[line, line + 1])
    yield Token("inline", "", 0, content=content, map=[line, line + 1], children=[])
    yield Token("paragraph_close", "p", -1)


def _read_quotes_and_fences(state: StateCore) -> None:
    """The parser's rule: quotes that begin with `[!name]` and fenced blocks of directives become boxes."""
    made: list[Token] = []
    boxes: list[bool] = []  # of the open quotes, which are boxes
    skipped = -1
    for at, token in enumerate(state.tokens):
        if at <= skipped:
            continue
        if token.type == "blockquote_open":
            match = _box_above(state.tokens, at)
            boxes.append(match is not None)
            if match is not None:
                skipped = _turn_quote(state, at, match, made)
                continue
        elif token.type == "blockquote_close" and boxes and boxes.pop():
            token.type = "callout_close"
        elif token.type == "fence" and token.info.lstrip().startswith("{") and _turn_fence(state, token, made):
            continue
        made.append(token)
    state.tokens = made


def _box_above(tokens: list[Token], at: int) -> re.Match[str] | None:
    first = tokens[at + 1] if at + 2 < len(tokens) else None
    if first is None or first.type != "paragraph_open" or not tokens[at + 2].content.startswith("[!"):
        return None
    return _QUOTED.match(tokens[at + 2].content)


def _turn_quote(state: StateCore, at: int, match: re.Match[str], made: list[Token]) -> int:
    """Make a box of a quote; returns the position of the last token that was used."""
    token, paragraph, inline = state.tokens[at : at + 3]
    line = token.map[0] if token.map else 0
    token.type, token.meta = "callout_open", {"box": box_of_name(match["name"].strip())}
    if not token.meta["box"].known:
        notice(state.env, line + 1, _unknown(match["name"]))
    made.append(token)
    title = match["title"].strip()
    if title or not token.meta["box"].known:
        made.extend(_title_tokens(title or match["name"].strip().capitalize(), line))
    inline.content = inline.content[match.end() :]
    if not inline.content.strip():
        return at + 3
    if inline.map:
        inline.map = [inline.map[0] + 1, inline.map[1]]
    if paragraph.map:
        paragraph.map = [paragraph.map[0] + 1, paragraph.map[1]]
    return at


def _turn_fence(state: StateCore, token: Token, made: list[Token]) -> bool:
    """Make a box of a fenced block with the language `{name}`, where it is a directive; tells whether it is."""
    match = _MYST.fullmatch(token.info.strip())
    depth = state.env.get(_FENCES, 0)
    if match is None or not is_directive(match["name"]) or depth >= _MOST_FENCES:
        return False
    line = token.map[0] if token.map else 0
    rows = token.content.split("\n")
    taken = 0
    while taken < len(rows) and _OPTION.fullmatch(rows[taken]):
        taken += 1
    above = state.env.get(ABOVE, 0)
    state.env[ABOVE], state.env[_FENCES] = above + line + 1, depth + 1
    inner: list[Token] = []
    state.md.block.parse("\n" * taken + "\n".join(rows[taken:]), state.md, state.env, inner)
    nested = StateCore("", state.md, state.env, inner)
    if any(each.type in ("fence", "blockquote_open") for each in inner):
        _read_quotes_and_fences(nested)
    state.env[ABOVE], state.env[_FENCES] = above, depth
    opened = Token("callout_open", "div", 1, map=token.map, meta={"box": box_of_name(match["name"])})
    made.append(opened)
    begun = opening(token.info, len(token.markup))
    if begun is not None:
        made.extend(_above_body(begun, rows[:taken], line))
    for each in nested.tokens:
        if each.map:
            each.map = [row + line + 1 for row in each.map]
        each.level += token.level + 1
        made.append(each)
    made.append(Token("callout_close", "div", -1))
    return True
