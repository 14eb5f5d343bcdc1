"""Finds the outline in what a model has written: JSON with thoughts, fences, prose or a wrapping around it. Pure.

Exact readers come first; a lenient one follows, for commas, quotes and characters that JSON forbids. The work is
bounded: `_MOST_STARTS` tries of a text of at most MAX_TEXT_CHARS characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from handlers.generation.planner.escapes import doubled
from handlers.generation.script.lenient_json import read_leniently

_MOST_STARTS: Final = 64
_MOST_FENCES: Final = 16
_MOST_WRAPPINGS: Final = 4
_MOST_LENIENT_STARTS: Final = 3
#: Ends of what a model has thought, as DeepSeek, Qwen, gpt-oss, Mistral and others write them.
_THOUGHT: Final = re.compile(
    r"</(?:think|thinking|thought|thoughts|reasoning|reflection|analysis)>|<\|end_of_thought\|>|\[/THINK\]"
    r"|<\|channel\|>final(?:<\|constrain\|>[a-z]{1,10})?<\|message\|>|◁/think▷",
    re.IGNORECASE,
)
_FENCE: Final = re.compile(r"```+|~~~+")
_INFO: Final = re.compile(r"[A-Za-z0-9_.+-]{0,40}\s*+")
_START: Final = re.compile(r"[{\[]")
#: Where JSON begins, with the bad habits that the lenient reader takes.
_LENIENT_START: Final = re.compile(r"\{\s*+[\"'/“]|\[\s*+\{")
_WHITE: Final = re.compile(r"\s*+")


class NoJson(ValueError):
    """There is no JSON in the text. `cut`: it begins and doesn't end."""

    def __init__(self, message: str, *, cut: bool = False) -> None:
        super().__init__(message)
        self.cut = cut


def has_outline(text: str) -> bool:
    """Tell whether an outline is in `text`."""
    try:
        return _is_outline(outline_in(text))
    except NoJson:
        return False


def outline_in(text: str) -> Any:
    """Return the outline in `text`, an object with `scenes`; without one, the first JSON value. Raises NoJson."""
    text = doubled(text.strip().removeprefix("\ufeff"))
    first: list[Any] = []
    for value in _exact(text):
        if _is_outline(found := unwrapped(value)):
            return found
        if isinstance(value, dict | list):
            first.append(value)
    cut = is_cut_off(text)
    if not cut:
        for value in _lenient(text):
            if _is_outline(found := unwrapped(value)):
                return found
    if cut:
        raise NoJson("the JSON of the answer ends in the middle", cut=True)
    if first:
        return first[0]
    raise NoJson("there is no JSON object that can be read")


def _is_outline(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("scenes"), list)


def unwrapped(value: Any, depth: int = 0) -> Any:
    """Take an outline out of an object with one value, a list of one, a text that is JSON; a list of scenes is one."""
    if _is_outline(value) or depth > _MOST_WRAPPINGS:
        return value
    if isinstance(value, str):
        try:
            return unwrapped(json.loads(value), depth + 1)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, list) and value and all(isinstance(each, dict) and "narration" in each for each in value):
        return {"scenes": value}
    if isinstance(value, dict | list) and len(value) == 1:
        inner = next(iter(value.values())) if isinstance(value, dict) else value[0]
        found = unwrapped(inner, depth + 1)
        return found if _is_outline(found) else value
    return value


def _exact(text: str) -> Iterator[Any]:
    """Yield JSON values: the whole text, what follows thoughts, each fence from the last, and from each bracket."""
    if (whole := _value_at(text, 0, whole=True)) is not None:
        yield whole[0]
    if (after := _after_thoughts(text)) and (found := _value_at(text, after)) is not None:
        yield found[0]
    for start in _fences(text):
        if (found := _value_at(text, start)) is not None:
            yield found[0]
    position, begun = 0, -1
    for _ in range(_MOST_STARTS):
        match = _START.search(text, position)
        if match is None:
            return
        found = _value_at(text, match.start())
        if found is None:
            position, begun = match.end(), match.start() if begun < 0 else begun
            continue
        value, position = found
        # A list inside of an object that can't be read is a part of it, and no outline.
        if not (isinstance(value, list) and begun >= 0 and '"scenes"' in text[begun : match.start()]):
            yield value


def _after_thoughts(text: str) -> int:
    """Return where the text after the last closing tag of thoughts begins, or 0."""
    end = 0
    for match in _THOUGHT.finditer(text):
        end = match.end()
    return end


def _fences(text: str) -> list[int]:
    """Return where the contents of fences begin, the last one first. One that isn't closed ends with the text."""
    marks = [_info_end(text, match.end()) for match in _FENCE.finditer(text)]
    return [start for start in reversed(marks) if text[start : start + 1] in ("{", "[", '"')][:_MOST_FENCES]


def _info_end(text: str, start: int) -> int:
    match = _INFO.match(text, start)
    return match.end() if match else start


def _value_at(text: str, start: int, *, whole: bool = False) -> tuple[Any, int] | None:
    """Return the JSON value that begins at `start` and where it ends; `whole`: nothing may follow it."""
    begin = _WHITE.match(text, start)
    try:
        value, end = _DECODER.raw_decode(text, begin.end() if begin else start)
    except (ValueError, RecursionError):
        return None
    if whole and text[end:].strip():
        return None
    return value, end


def _lenient(text: str) -> Iterator[Any]:
    """Yield what a reader of damaged JSON makes of the text after thoughts, of fences, and from the first brackets."""
    starts = [*_fences(text), _after_thoughts(text)]
    starts += [
        match.start() for match, _ in zip(_LENIENT_START.finditer(text), range(_MOST_LENIENT_STARTS), strict=False)
    ]
    tried = set[int]()
    for place in starts:
        match = _LENIENT_START.search(text, place)
        if match is None or match.start() in tried or len(tried) > _MOST_LENIENT_STARTS:
            continue
        tried.add(match.start())
        with suppress(ValueError):
            yield read_leniently(text, match.start())


def is_cut_off(text: str) -> bool:
    """Tell whether the JSON of a text begins and doesn't end, because the model has stopped before."""
    match = _LENIENT_START.search(text, _after_thoughts(text))
    return match is not None and _depth(text, match.start()) > 0


def _depth(text: str, start: int) -> int:
    """Return how many brackets are open at the end of the text, outside of strings in double quotes."""
    depth = 0
    for match in _TOKEN.finditer(text, start):
        sign = match[0][0]
        if sign == '"':
            if len(match[0]) == 1 or not match[0].endswith('"'):
                # A quotation mark too many, where the text ends as JSON does.
                return 0 if text.rstrip("`~ \t\r\n").endswith(("}", "]")) else depth + 1
        else:
            depth += 1 if sign in "{[" else -1
            if depth <= 0:
                return 0
    return depth


#: A bracket, or a string, which may lack its end.
_TOKEN: Final = re.compile(r'[{}\[\]]|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
