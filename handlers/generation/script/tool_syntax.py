"""The parser's rules for what other tools write into Markdown, most of which is about a page and nothing here.

Attribute lists, contents and page breaks, roles, links of wikis, keys, tags of site generators, imports of MDX. The
rules hold in documents only, not in the texts of scenes.
"""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from eventflow.requests.limits import MERGE_NAME
from handlers.generation.control import Warned
from handlers.generation.script.attribute_lists import ATTRIBUTES, is_sure
from handlers.generation.script.callouts import NOTICED, notice
from handlers.generation.script.html_inline import STYLE
from handlers.generation.script.picture_rules import LINE

_TOC: Final = re.compile(r"\{:[ \t]*+toc[ \t]*+\}|\{::[^{}\n]*+\}")
_TAG: Final = re.compile(r"\{%(?P<tag>(?:[^%]|%(?!\}))*+)%\}|\{\{[<%](?:[^>%]|[>%](?!\}\}))*+[>%]\}\}")
_EXPRESSION: Final = re.compile(r"\{\{-?[ \t]*+[\w$.'\"(][^{}\n]*?(?:[.|(][^{}\n]*+)?\}\}")
_FIELD: Final = re.compile(rf"\{{\{{[ \t]*+{MERGE_NAME}[ \t]*+\}}\}}")
_ROLE: Final = re.compile(r"\{(?P<name>[A-Za-z][\w:+.-]*+)\}(?P<ticks>`++)(?P<text>[^`]++)(?P=ticks)(?!`)")
_TARGET: Final = re.compile(r"[ \t]*+<[^<>]*+>[ \t]*+$")
_WIKI: Final = re.compile(r"\[\[(?P<target>[^\[\]|\n]*+)(?:\|(?P<alias>[^\[\]\n]*+))?\]\]")
_KEYS: Final = re.compile(r"\+\+(?P<keys>[\w\"'-]++(?:\+[\w\"'-]++)*+)\+\+")
_BLOCK_NAME: Final = re.compile(r"\^[A-Za-z\d-]{4,40}[ \t]*+(?=\n|$)")
#: Lines of their own that are nothing: contents, page breaks, pauses, names, inclusions, abbreviations.
NOTHING: Final = (
    r"(?:@?\[toc\]|\[\[_?toc_?\]\]|\$\{toc\}"
    r"|\\(?:newpage|pagebreak|clearpage|cleardoublepage|tableofcontents|maketitle|bigskip|medskip|smallskip|vfill|vspace"
    r"|hspace|appendix|centering|noindent)\b(?:\[[^\]\n]*+\])?(?:\{[^{}\n]*+\})?"
    r"|\. \. \.|\([A-Za-z][\w:.-]*+\)=|;?-{2,}8<-{2,}.*+|\*\[[^\[\]\n]++\]:.*+|\^[A-Za-z\d-]++)[ \t]*+"
)
_NOTHING: Final = re.compile(NOTHING, re.IGNORECASE)
#: What only MyST has, where a line with `%` is a comment and one of `+++` ends a block.
_MYST: Final = re.compile(
    r"^(?::{3,}|`{3,})\{[a-z]|^\([A-Za-z][\w:.-]*+\)=[ \t]*$|\{(?:ref|doc|term|numref|eq)\}`", re.MULTILINE
)
_IMPORT: Final = re.compile(r"import[ \t]++(?:[^'\"\n;]*?\bfrom[ \t]*+)?['\"][^'\"\n]++['\"][ \t]*+;?[ \t]*+")
_IMPORT_BEGIN: Final = re.compile(r"import[ \t]*+(?:[\w$]++[ \t]*+,[ \t]*+)?\{[^}'\"]*+$")
_EXPORT: Final = re.compile(r"export[ \t]++(?:const|let|var|function|default|async|class)\b.*+")
_HIGHLIGHT: Final = re.compile(
    r"\{%-?[ \t]*+highlight[ \t]++(?P<one>[\w+#-]++)[^%\n]*+%\}"
    r"|\{\{[<%][ \t]*+highlight[ \t]++\"?(?P<two>[\w+#-]++)[^\n]*+"
)
_HIGHLIGHT_END: Final = re.compile(
    r"\{%-?[ \t]*+endhighlight[ \t]*+-?%\}|\{\{[<%][ \t]*+/[ \t]*+highlight[ \t]*+[>%]\}\}"
)
_IS_MYST: Final = "myst"
_UNENDED: Final = "unended"
_BEHIND: Final = "])`*_"


def add_tool_rules(parser: MarkdownIt) -> None:
    """Add the rules to a parser with CommonMark's own."""
    alternatives: RuleOptionsType = {"alt": []}
    parser.block.ruler.before("fence", "nothing", _nothing, alternatives)
    parser.block.ruler.before("fence", "modules", _modules, alternatives)
    parser.block.ruler.before("fence", "highlight", _highlight, {"alt": ["paragraph"]})
    parser.inline.ruler.before("link", "braces", _braces)
    parser.inline.ruler.before("link", "styled_span", _styled_span)
    parser.inline.ruler.before("link", "wiki_link", _wiki_link)
    parser.inline.ruler.before("link", "keys", _keys)
    parser.inline.ruler.before("link", "block_name", _block_name)


def _row(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _nothing(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Skip a line that is nothing."""
    if NOTICED not in state.env or state.is_code_block(start):
        return False
    row = _row(state, start)
    if row[:1] in "%+":
        found = (row.rstrip() == "+++" or (row[0] == "%" and row[1:2] != "%")) and _is_myst(state)
    else:
        found = row[:1] in "[\\.(;-*^$@" and _NOTHING.fullmatch(row) is not None
    if found and not silent:
        state.line = start + 1
    return found


def _is_myst(state: StateBlock) -> bool:
    known: dict[str, bool] = state.env.setdefault(_IS_MYST, {})
    if state.src not in known:
        known[state.src] = _MYST.search(state.src) is not None
    return known[state.src]


def _modules(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Skip imports and exports of MDX."""
    if NOTICED not in state.env or not state.src.startswith(("import", "export"), state.bMarks[start]):
        return False
    row = _row(state, start)
    last = start + 1
    if not _IMPORT.fullmatch(row):
        if not _EXPORT.fullmatch(row) and not _IMPORT_BEGIN.fullmatch(row):
            return False
        while last < end and not state.isEmpty(last):
            last += 1
        if row.startswith("import") and not re.search(r"from[ \t]*+['\"]", _row(state, last - 1)):
            return False
    if not silent:
        state.line = last
    return True


def _highlight(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a listing of Jekyll's or Hugo's: `{% highlight ruby %}` down to `{% endhighlight %}`."""
    if NOTICED not in state.env or not state.src.startswith(("{%", "{{"), state.bMarks[start] + state.tShift[start]):
        return False
    match = _HIGHLIGHT.match(_row(state, start))
    if match is None or state.env.get(_UNENDED) == state.src:
        return False
    close = next((n for n in range(start + 1, end) if _HIGHLIGHT_END.match(_row(state, n))), None)
    if close is None:
        state.env[_UNENDED] = state.src
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.info, token.map = match["one"] or match["two"], [start, close + 1]
        token.content = state.getLines(start + 1, close, state.sCount[start], keepLastLF=True)
        state.line = close + 1
    return True


def _ends_line(state: StateInline, at: int) -> bool:
    while at < state.posMax and state.src[at] in " \t":
        at += 1
    return at >= state.posMax or state.src[at] in "\n|"


def _braces(state: StateInline, silent: bool) -> bool:
    """Skip attribute lists and tags of site generators; read roles of MyST."""
    if state.src[state.pos] != "{" or NOTICED not in state.env:
        return False
    if match := _TOC.match(state.src, state.pos, state.posMax) or _TAG.match(state.src, state.pos, state.posMax):
        return _skip(state, match.end(), silent)
    if match := ATTRIBUTES.match(state.src, state.pos, state.posMax):
        behind = state.pos > 0 and state.src[state.pos - 1] in _BEHIND
        if behind or (is_sure(match) and _ends_line(state, match.end())):
            return _skip(state, match.end(), silent, blanks=not behind)
        return False
    if match := _ROLE.match(state.src, state.pos, state.posMax):
        if not silent:
            _push_role(state, match["name"], match["text"])
        state.pos = match.end()
        return True
    if state.src.startswith("{{", state.pos) and not _FIELD.match(state.src, state.pos, state.posMax):
        match = _EXPRESSION.match(state.src, state.pos, state.posMax)
        if match is not None:
            if not silent:
                line = state.env.get(LINE, 1) + state.src.count("\n", 0, state.pos)
                message = f"{match[0][:60]} is filled in by another tool; it is left out"
                notice(state.env, line, Warned("site_expression", message))
            return _skip(state, match.end(), silent)
    return False


def _skip(state: StateInline, end: int, silent: bool, *, blanks: bool = False) -> bool:
    if not silent and blanks:
        state.pending = state.pending.rstrip(" \t")
    state.pos = end
    return True


def _push_role(state: StateInline, name: str, text: str) -> None:
    """Push what a role means: `{kbd}`, `{sub}` and others in their style, references as their text."""
    kind = name.lower().rpartition(":")[2]
    if kind == "math":
        state.push("math_inline", "math", 0).content = text.strip()
        return
    if kind in ("code", "func", "meth", "class", "mod", "attr", "data", "exc", "file", "literal", "samp"):
        state.push("code_inline", "code", 0).content = _TARGET.sub("", text)
        return
    style = {"kbd": {"kind": "key"}, "sub": {"shift": "sub"}, "sup": {"shift": "sup"}, "del": {"struck": True}}.get(
        kind
    )
    token = state.push("styled_text", "", 0)
    token.content = text if style else _TARGET.sub("", text).replace(" --> ", " › ")
    if style:
        token.meta = {STYLE: style}


def _styled_span(state: StateInline, silent: bool) -> bool:
    """Parse `[text]{.class}` as its text."""
    if state.src[state.pos] != "[" or NOTICED not in state.env or "]{" not in state.src:
        return False
    end = state.md.helpers.parseLinkLabel(state, state.pos)
    if end < 0:
        return False
    match = ATTRIBUTES.match(state.src, end + 1, state.posMax)
    if match is None:
        return False
    if not silent:
        most, state.pos = state.posMax, state.pos + 1
        state.posMax = end
        state.md.inline.tokenize(state)
        state.posMax = most
    state.pos = match.end()
    return True


def _wiki_link(state: StateInline, silent: bool) -> bool:
    """Parse `[[Note|words]]` as its words; an embedded note, `![[Note]]`, is left out."""
    embeds = state.src.startswith("![[", state.pos)
    if NOTICED not in state.env or not (embeds or state.src.startswith("[[", state.pos)):
        return False
    match = _WIKI.match(state.src, state.pos + embeds, state.posMax)
    if match is None or not any(letter.isalpha() for letter in match["target"]):
        return False
    if not silent:
        if embeds:
            line = state.env.get(LINE, 1) + state.src.count("\n", 0, state.pos)
            message = f"{match['target'][:60]!r} is embedded from elsewhere; it is left out"
            notice(state.env, line, Warned("note_elsewhere", message))
        else:
            place = match["target"].strip().strip("#").replace("#", " › ").rpartition("/")[2]
            state.push("styled_text", "", 0).content = (match["alias"] or "").strip() or place
    state.pos = match.end()
    return True


def _keys(state: StateInline, silent: bool) -> bool:
    """Parse `++ctrl+s++` as keys."""
    if not state.src.startswith("++", state.pos) or NOTICED not in state.env:
        return False
    before = state.src[state.pos - 1] if state.pos else " "
    match = _KEYS.match(state.src, state.pos, state.posMax)
    if match is None or before.isalnum() or before == "+":
        return False
    if not silent:
        for at, key in enumerate(match["keys"].split("+")):
            if at:
                state.pending += "+"
            token: Token = state.push("styled_text", "", 0)
            token.content, token.meta = key.strip("\"'").capitalize(), {STYLE: {"kind": "key"}}
    state.pos = match.end()
    return True


def _block_name(state: StateInline, silent: bool) -> bool:
    """Skip the name of a block, as Obsidian writes it at its end: ` ^weed-table`."""
    if state.src[state.pos] != "^" or NOTICED not in state.env:
        return False
    before = state.src[state.pos - 1] if state.pos else " "
    match = _BLOCK_NAME.match(state.src, state.pos, state.posMax)
    if match is None or before not in " \t\n" or not _ends_line(state, match.end()):
        return False
    return _skip(state, match.end(), silent, blanks=True)
