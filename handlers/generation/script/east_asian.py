"""Reads Chinese and Japanese where CommonMark has no rule for them: emphasis beside full-width marks, joined lines.

Emphasis follows the amendment for Chinese, Japanese and Korean that markdown-cjk-friendly describes: a mark of these
scripts beside asterisks is no punctuation, so that `**《史记》**的` is bold. A line end between two characters of
scripts without blanks is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

_EAST_ASIAN: Final = re.compile(
    r"[\u1100-\u11ff\u2e80-\u303f\u3040-\u30ff\u3100-\u318f\u31a0-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    r"\ufe30-\ufe4f\uff00-\uffef\U00016fe0-\U00018cff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
#: Han characters, kana and the marks among them: Korean has blanks between words.
_WITHOUT_BLANKS: Final = re.compile(
    r"[\u2e80-\u303f\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\U00020000-\U0003ffff]"
)


def add_east_asian_rules(parser: MarkdownIt) -> None:
    """Let `parser` read emphasis beside full-width marks, and join lines without a blank."""
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.core.ruler.after("text_join", "joined_lines", _join_lines)


def _emphasis(state: StateInline, silent: bool) -> bool:
    """markdown-it's rule, with other conditions beside characters of East Asia."""
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    end = state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    opens, closes = _flanks(state.src[state.pos - 1] if state.pos else " ", _at(state, end), marker)
    length = end - state.pos
    for _ in range(length):
        token = state.push("text", "", 0)
        token.content = marker
        place = len(state.tokens) - 1
        state.delimiters.append(
            Delimiter(marker=ord(marker), length=length, token=place, end=-1, open=opens, close=closes)
        )
    state.pos = end
    return True


def _at(state: StateInline, place: int) -> str:
    return state.src[place] if place < state.posMax else " "


@lru_cache(10_000)
def _flanks(before: str, after: str, marker: str) -> tuple[bool, bool]:
    """Tell whether markers between two characters can open and close emphasis (CommonMark 0.31, 6.2)."""
    east = bool(_EAST_ASIAN.match(before) or _EAST_ASIAN.match(after))
    marks = [_is_mark(before), _is_mark(after)]
    blanks = [isWhiteSpace(ord(before)), isWhiteSpace(ord(after))]
    hard = [mark and not _EAST_ASIAN.match(each) for mark, each in zip(marks, (before, after), strict=True)]
    left = not blanks[1] and (not hard[1] or blanks[0] or hard[0] or east)
    right = not blanks[0] and (not hard[0] or blanks[1] or hard[1] or east)
    if marker == "*":
        return left, right
    return left and (not right or marks[0]), right and (not left or marks[1])


def _is_mark(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def _join_lines(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.children and not token.content.isascii() and "\n" in token.content:
            for pause in _needless(token.children):
                pause.type, pause.content = "text", ""


def _needless(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the ends of lines between two characters of scripts without blanks."""
    last, waiting = "", None
    for token in tokens:
        if token.type == "softbreak":
            waiting = token
        elif token.content:
            if waiting is not None and _WITHOUT_BLANKS.match(last) and _WITHOUT_BLANKS.match(token.content):
                yield waiting
            last, waiting = token.content[-1], None
