"""Finds and parses the metadata at the top of a document, in the notations of common tools.

YAML between `---` (or `---` and `...`), TOML between `+++`, JSON in braces or between `;;;`, and pandoc's title block
(`% Title`). The result are entries, which `frontmatter` interprets. Values stay as they are written: `no`, `1.0` and
`2024-01-01` are texts (decision 180).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import yaml
from attrs import frozen

from handlers.generation.errors import ScriptError
from handlers.generation.script.comments import BEGIN, blanked, comment_end

MAX_CHARS: Final = 10_000
MAX_DEPTH: Final = 20
#: Most unreadable parts that a message names.
MAX_FAULTS: Final = 20
_RULE: Final = re.compile(r"-{3,}[ \t]*|---[ \t]*(?P<notation>[A-Za-z]+)[ \t]*")
_END: Final = re.compile(r"(?:-{3,}|\.\.\.)[ \t]*")
#: The beginning of `key: value`; a key is one word.
_KEY: Final = re.compile(r"(?P<quote>[\"']?)(?P<key>\w[\w./-]*+)(?P=quote)[ \t]*+:(?=\s|$)")
#: Metadata lines of other formats: Org, reStructuredText, AsciiDoc.
_ELSEWHERE: Final = re.compile(r"#\+\w+:|:[\w-]+:(?=[ \t]|$)")
#: A key in TOML or JSON.
_NAMED: Final = re.compile(r"(?:^[ \t\[]*+[\"']?|\")(?P<key>\w[\w./-]*+)[\"']?[ \t\]]*+(?:[:=]|$)", re.MULTILINE)
_BLANK: Final = re.compile(r"\s*+")


@frozen
class Entry:
    """A key in lower case with its value as text, None for a list or mapping; `line` counts from 1.

    `members` are the texts of a list, each with an empty text, or the keys of a mapping with their texts.
    """

    key: str
    value: str | None
    line: int
    members: tuple[tuple[str, str], ...] = ()


@frozen
class Preamble:
    """A document's metadata and the `body` below it. `doubts` are (line, doubt) of text that looks like metadata.

    In the body, blank lines replace removed text, so that lines keep their numbers.
    """

    entries: tuple[Entry, ...]
    body: str
    doubts: tuple[tuple[int, str], ...] = ()


def split(text: str, own: Collection[str]) -> Preamble:
    """Split the preamble off a document. `own` are the known keys, which decide doubtful cases (decision 182).

    Raises ScriptError for a preamble that can't be parsed.
    """
    at = _beginning(text)
    lines = text[at:].split("\n")
    before = text.count("\n", 0, at)
    head = _Head(lines, before, own)
    found = head.read()
    if found is None:
        return Preamble((), text, tuple(head.doubts()))
    entries, taken = found
    body = "\n" * (before + taken) + "\n".join(lines[taken:]) if taken < len(lines) else ""
    return Preamble(tuple(entries), body, tuple(head.noticed))


def _beginning(text: str) -> int:
    """Return the start of the first line that is neither blank nor comment."""
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        start = blank.end() if blank else at
        if not text.startswith(BEGIN, start):
            return text.rfind("\n", 0, start) + 1
        end = comment_end(text, start)
        if end is None:
            return start
        at = end


Found = tuple[list[Entry], int]


class _Head:
    """The top of a document: its lines, the first of which isn't blank, after `before` blank or comment lines."""

    def __init__(self, lines: Sequence[str], before: int, own: Collection[str]) -> None:
        self._lines, self._before, self._own = lines, before, own
        self.noticed: list[tuple[int, str]] = []

    def read(self) -> Found | None:
        """Parse the entries; returns them with the number of lines, or None without metadata. Raises ScriptError."""
        first = self._lines[0]
        if rule := _RULE.fullmatch(first):
            return self._fenced(rule["notation"])
        if first.rstrip() in ("+++", ";;;"):
            return self._between(first.rstrip(), self._toml if first[0] == "+" else self._json)
        if first.startswith("{"):
            return self._braces()
        if first.startswith("% "):
            return self._pandoc()
        return None

    def doubts(self) -> Iterator[tuple[int, str]]:
        """Yield doubts about text that may have been meant as metadata."""
        yield from self.noticed
        first = self._lines[0]
        above = self._paragraph()
        pairs = [found["key"].lower() for line in above if (found := _KEY.match(line))]
        all_pairs = len(pairs) == len(above) > 1 and any(key in self._own for key in pairs)
        if _ELSEWHERE.match(first) or ";;;" in above or all_pairs:
            yield self._line(0), "looks like metadata and is shown as text; write it between two lines of ---"

    def _paragraph(self) -> list[str]:
        end = next((n for n, line in enumerate(self._lines) if not line.strip()), len(self._lines))
        return list(self._lines[:end])

    def _line(self, index: int) -> int:
        return self._before + index + 1

    def _fenced(self, notation: str | None) -> Found | None:
        """Between `---` and `---` or `...`, where the first line that is neither blank nor a comment has a key."""
        end = next((n for n, line in enumerate(self._lines) if n and _END.fullmatch(line)), None)
        read = {None: self._yaml, "yaml": self._yaml, "toml": self._toml, "json": self._json}.get(
            notation and notation.lower(), self._unknown
        )
        if notation is not None:
            return None if end is None else (read(self._block(end)), end + 1)
        first = self._first_content()
        if first is None or ":" not in self._lines[first] or (end is not None and end < first):
            return None
        key = _KEY.match(self._lines[first])
        if end is None:
            if key:
                self._doubt_end(key["key"].lower())
            return None
        block = self._block(end)
        if key and not self._may_be_markdown(first):
            return self._yaml(block), end + 1
        try:
            entries = self._yaml(block)
        except ScriptError:
            return None
        if any(entry.key in self._own for entry in entries):
            return entries, end + 1
        what = "may be front matter and is shown as text; if it is, write a key such as title: on the line below ---"
        self.noticed.append((self._line(first), what))
        return None

    def _first_content(self) -> int | None:
        for number, line in enumerate(self._lines):
            shown = line.strip()
            if number and shown and not shown.startswith(("#", BEGIN)):
                return number
        return None

    def _may_be_markdown(self, first: int) -> bool:
        """Whether a heading and a paragraph stand below the rule: a line with `#`, a blank one, and then a text."""
        above = [line.strip() for line in self._lines[1:first]]
        return bool(above) and not above[-1] and any(line.startswith("#") for line in above)

    def _doubt_end(self, key: str) -> None:
        """Of front matter that begins with this key and doesn't end. Raises ScriptError for a key of ours."""
        if key in self._own:
            raise ScriptError(f"the front matter that begins on line {self._line(0)} doesn't end: write --- below it")
        self.noticed.append((self._line(1), "looks like front matter without an end, and is shown as text"))

    def _block(self, end: int) -> str:
        """The lines from 1 to `end`, their comments blanked."""
        lines = list(self._lines[1:end])
        chars = sum(map(len, lines))
        if chars > MAX_CHARS:
            raise ScriptError(f"the front matter has {chars:,} characters; at most {MAX_CHARS:,} are possible")
        return blanked("\n".join(lines))

    def _between(self, sign: str, read: Any) -> Found | None:
        end = next((n for n, line in enumerate(self._lines) if n and line.rstrip() == sign), None)
        if end is None:
            self.noticed.append(
                (self._line(0), f"looks like front matter without an end ({sign}), and is shown as text")
            )
            return None
        return read(self._block(end)), end + 1

    def _unknown(self, block: str) -> list[Entry]:
        self.noticed.append((self._line(0), "front matter in this notation isn't read; YAML, TOML and JSON are"))
        return []

    def _yaml(self, block: str) -> list[Entry]:
        return yaml_entries(block, self._line(1))

    def _toml(self, block: str) -> list[Entry]:
        try:
            return self._listed(tomllib.loads(block, parse_float=str), block)
        except (ValueError, RecursionError) as error:  # a number may be too long to be written in decimal
            raise _unreadable(self._line(0), "TOML", error) from None

    def _json(self, block: str) -> list[Entry]:
        text = block.strip()
        try:
            values, _ = _JSON.raw_decode(text if text.startswith("{") else f"{{{text}}}")
        except (ValueError, RecursionError) as error:
            raise _unreadable(self._line(0), "JSON", error) from None
        return self._listed(values, block)

    def _listed(self, values: dict[str, Any], block: str) -> list[Entry]:
        """The entries of an object that has been read, with the lines on which their keys stand in the block."""
        lines: dict[str, int] = {}
        for named in _NAMED.finditer(block):
            if named["key"] in values and named["key"] not in lines:
                lines[named["key"]] = self._line(1 + block.count("\n", 0, named.start("key")))
        return [
            Entry(key.lower(), _as_text(value), lines.get(key, self._line(0)), _members(value))
            for key, value in values.items()
        ]

    def _braces(self) -> Found | None:
        """A JSON object at the top, which ends with its line."""
        following = next((line.strip() for line in self._lines[1:] if line.strip()), "")
        meant = re.match(r"\{\s*\"", self._lines[0]) or (self._lines[0].rstrip() == "{" and following[:1] == '"')
        if not meant:
            return None
        text = "\n".join(self._lines)
        try:
            values, end = _JSON.raw_decode(text)
        except (ValueError, RecursionError) as error:
            raise _unreadable(self._line(0), "JSON", error) from None
        last = text.count("\n", 0, end)
        if text[end : _line_end(text, end)].strip() or not isinstance(values, dict):
            return None
        block = "\n".join(self._lines[1 : last + 1])
        if len(block) > MAX_CHARS:
            raise ScriptError(f"the front matter has {len(block):,} characters; at most {MAX_CHARS:,} are possible")
        return self._listed(values, block), last + 1

    def _pandoc(self) -> Found | None:
        """`% title`, `% author`, `% date`, with a blank line below; lines that are indented go on."""
        block = self._paragraph()
        parts = sum(line.startswith("%") for line in block)
        if parts > 3 or not all(line.startswith(("%", " ")) for line in block):
            return None
        entries: list[Entry] = []
        for number, line in enumerate(block):
            if line.startswith("%"):
                entries.append(Entry(("title", "author", "date")[len(entries)], line[1:].strip(), self._line(number)))
            else:
                last = entries.pop()
                entries.append(Entry(last.key, f"{last.value} {line.strip()}", last.line))
        return [entry for entry in entries if entry.value], len(block)


_JSON: Final = json.JSONDecoder(parse_float=str, parse_int=str)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _unreadable(line: int, notation: str, error: Exception) -> ScriptError:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
    return ScriptError(f"the front matter that begins on line {line} can't be read as {notation}: {reason}")


def _members(value: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(value, dict):
        return tuple((str(key), text) for key, each in value.items() if (text := _as_text(each)) is not None)
    return tuple((text, "") for each in value if (text := _as_text(each))) if isinstance(value, list) else ()


def _node_members(node: yaml.Node) -> tuple[tuple[str, str], ...]:
    if isinstance(node, yaml.SequenceNode):
        return tuple((each.value, "") for each in node.value if isinstance(each, yaml.ScalarNode))
    if not isinstance(node, yaml.MappingNode):
        return ()
    return tuple(
        (k.value, v.value) for k, v in node.value if isinstance(k, yaml.ScalarNode) and isinstance(v, yaml.ScalarNode)
    )


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if isinstance(value, dict | list) else "null" if value is None else str(value)


def yaml_entries(block: str, first_line: int) -> list[Entry]:
    """Parse a YAML mapping that begins on line `first_line`.

    A single line that isn't YAML, such as `title: Rivers: a view` or `title: {{name}}`, is taken as it is written.
    Raises ScriptError.
    """
    try:
        return _mapping(block, first_line)
    except yaml.YAMLError:
        pass
    entries: list[Entry] = []
    faults: list[str] = []
    for number, part in _parts(block, first_line):
        try:
            entries += _mapping(part, number)
        except yaml.YAMLError as error:
            line = _written(part, number)
            if line is None:
                faults.append(_fault(part, number, error))
            else:
                entries.append(line)
    if faults:
        raise ScriptError("; ".join(faults[:MAX_FAULTS]))
    return entries


def _mapping(block: str, first_line: int) -> list[Entry]:
    """Parse a mapping by PyYAML's nodes, which hold plain texts (decision 180). Raises YAMLError."""
    try:
        node = _node(block)
    except (ValueError, OverflowError) as error:  # of chr()
        raise yaml.YAMLError("it escapes a character that Unicode doesn't have") from error
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise yaml.YAMLError("it has no keys")
    entries = []
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else block[key.start_mark.index : key.end_mark.index]
        text = value.value if isinstance(value, yaml.ScalarNode) else _on_one_line(block, value)
        entries.append(Entry(name.lower(), text, first_line + key.start_mark.line, _node_members(value)))
    return entries


def _node(block: str) -> yaml.Node | None:
    """Raises YAMLError; ValueError and OverflowError, which PyYAML lets through for escapes beyond U+10FFFF."""
    depth = 0
    for event in yaml.parse(block, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested more than {MAX_DEPTH} deep")
    node: yaml.Node | None = yaml.compose(block, Loader=yaml.BaseLoader)
    return node


def _on_one_line(block: str, node: yaml.Node) -> str | None:
    written = block[node.start_mark.index : node.end_mark.index]
    return None if "\n" in written.strip() else written.strip()


def _parts(block: str, first_line: int) -> Iterator[tuple[int, str]]:
    """(line, text) of each part that begins in the first column, with what belongs to it."""
    begun, part = first_line, list[str]()
    for number, line in enumerate(block.split("\n"), first_line):
        if part and line and line[0] not in " \t#-]}),":
            yield begun, "\n".join(part)
            part = []
        if part or line.strip():
            begun = number if not part else begun
            part.append(line)
    if part:
        yield begun, "\n".join(part)


def _written(part: str, number: int) -> Entry | None:
    """A single line of `key: value` as it is written, without a comment or quotes around it."""
    lines = [line for line in part.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    key = _KEY.match(lines[0]) if len(lines) == 1 else None
    if key is None:
        return None
    value = re.split(r"(?<=[ \t])#", lines[0][key.end() :], maxsplit=1)[0].strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return Entry(key["key"].lower(), value, number)


def _fault(part: str, number: int, error: yaml.YAMLError) -> str:
    if not _KEY.match(part):
        return f"line {number} of the front matter isn't `key: value`: {part.strip()[:60]!r}"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    line = number + (mark.line if mark is not None else 0)
    return f"line {line} of the front matter can't be read as YAML: {problem}"
