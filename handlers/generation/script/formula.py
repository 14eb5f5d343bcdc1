"""Parses a subset of LaTeX mathematics into trees of plain data, and reads trees out in English.

The typst sheets build formulas from trees by a fixed set of constructors, so no text of a user is ever evaluated
(decision 15). Anything outside of the subset raises `MathError`; callers then show the source as text.

The subset: letters, digits, signs, `^ _ { }`, `\\frac \\sqrt[n]{} \\binom \\text{} \\left( \\right)`, Greek letters,
the names in `formula_symbols`, `\\mathbb \\mathcal \\mathbf \\mathrm \\operatorname`, accents, and the environments
matrix, pmatrix, bmatrix, vmatrix, cases and aligned.
"""

import re
import unicodedata
from typing import Any

from handlers.generation.script import formula_symbols as known

#: A node is a JSON object with the constructor's name under "k".
Node = dict[str, Any]

MAX_CHARS = 2_000
#: Levels of a tree. typst allows 80 nested function calls; the sheets take three for a level and four for an
#: environment, which counts as two, besides those of the page (decision 159).
MAX_DEPTH = 16

_TOKEN = re.compile(r"\\([A-Za-z]+)\*?|\\(.)|([0-9]+(?:\.[0-9]+)?)|(\s+)|(.)", re.DOTALL)
_MATRICES = {"matrix": "", "pmatrix": "(", "bmatrix": "[", "vmatrix": "|", "cases": "{"}
_DELIMITERS = {"(", ")", "[", "]", "|", ".", "/", "<", ">", "‖"}


class MathError(ValueError):
    """The formula is outside of the subset; the message names the cause."""


def parse_math(source: str) -> Node:
    """Parse a formula into a tree. Raises MathError."""
    if len(source) > MAX_CHARS:
        raise MathError(f"a formula has at most {MAX_CHARS} characters, not {len(source)}")
    parser = _Parser(_signs(source))
    node = parser.sequence(0, ())
    if parser.peek() is not None:
        raise MathError(f"unexpected {parser.peek()!r}")
    return node


def _signs(source: str) -> list[str]:
    """Split a source into signs: commands keep their backslash, `\\text{}`'s text is one sign, blanks are dropped."""
    signs: list[str] = []
    position = 0
    while match := _TOKEN.match(source, position):
        position = match.end()
        name, escaped, number, space, other = match.groups()
        if name in ("text", "textrm", "mathrm", "operatorname", "mbox"):
            raw = re.compile(r"\s*\{([^{}]*)\}").match(source, position)
            if raw is None:
                raise MathError(f"\\{name} needs {{text}}")
            signs += ["\\operatorname" if name in ("operatorname", "mathrm") else "\\text", raw[1]]
            position = raw.end()
        elif name is not None:
            signs.append("\\" + name)
        elif escaped is not None:
            signs.append("\\" + escaped)
        elif space is None:
            signs.append(number or other)
    return signs


class _Parser:
    """A recursive descent parser over signs; bounded depth protects the stack."""

    def __init__(self, signs: list[str]) -> None:
        self._signs = signs
        self._at = 0

    def peek(self) -> str | None:
        return self._signs[self._at] if self._at < len(self._signs) else None

    def take(self) -> str:
        sign = self.peek()
        if sign is None:
            raise MathError("the formula ends too early")
        self._at += 1
        return sign

    def expect(self, sign: str) -> None:
        if (found := self.take()) != sign:
            raise MathError(f"expected {sign!r}, found {found!r}")

    def sequence(self, depth: int, until: tuple[str, ...]) -> Node:
        if depth > MAX_DEPTH:
            raise MathError(f"nested deeper than {MAX_DEPTH}")
        items: list[Node] = []
        while (sign := self.peek()) is not None and sign not in until:
            if sign in ("}", "&", "\\\\", "\\right", "\\end"):
                raise MathError(f"unexpected {sign!r}")
            if sign in ("\\limits", "\\nolimits") or sign.lstrip("\\") in known.IGNORED:
                self.take()
                continue
            items.append(self.scripts(depth))
        return {"k": "seq", "items": items}

    def scripts(self, depth: int) -> Node:
        """Parse an atom with its sub- and superscripts."""
        base = {"k": "seq", "items": []} if self.peek() in ("^", "_") else self.atom(depth)
        lower: Node | None = None
        upper: Node | None = None
        while (sign := self.peek()) in ("^", "_", "'"):
            self.take()
            if sign == "_" and lower is None:
                lower = self.argument(depth)
            elif sign == "^" and upper is None:
                upper = self.argument(depth)
            elif sign == "'":
                prime = {"k": "sym", "v": "′", "say": "prime"}
                upper = prime if upper is None else {"k": "seq", "items": [upper, prime]}
            else:
                raise MathError(f"two {sign!r} in a row")
        if lower is None and upper is None:
            return base
        return {"k": "attach", "base": base, "b": lower, "t": upper}

    def argument(self, depth: int) -> Node:
        """Parse a group in braces, or a single atom."""
        if self.peek() == "{":
            self.take()
            node = self.sequence(depth + 1, ("}",))
            self.expect("}")
            return node
        return self.atom(depth + 1)

    def part(self, depth: int) -> Node:
        """Parse an argument of a fraction or root: without braces, the first digit of a number, as in `\\frac12`."""
        sign = self.peek() or ""
        if len(sign) > 1 and sign.isdigit():
            self._signs[self._at] = sign[1:]
            return {"k": "sym", "v": sign[0], "say": sign[0]}
        return self.argument(depth)

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise MathError(f"nested deeper than {MAX_DEPTH}")
        if self.peek() == "{":
            return self.argument(depth)
        sign = self.take()
        if sign.startswith("\\") and len(sign) > 1:
            return self.command(sign[1:], depth)
        if sign == "~":
            return {"k": "space", "em": 0.33}
        if sign in ("}", "&", "\\", "#", "$", "^", "_"):
            raise MathError(f"unexpected {sign!r}")
        if not ((sign.isascii() and sign.isprintable()) or sign.isalpha() or unicodedata.category(sign) == "Sm"):
            raise MathError(f"unknown sign {sign!r}")
        sign = "−" if sign == "-" else "′" if sign == "'" else sign
        return {"k": "sym" if len(sign) == 1 else "num", "v": sign, "say": known.SPOKEN_SIGNS.get(sign, sign)}

    def command(self, name: str, depth: int) -> Node:
        if name == "|":
            return {"k": "sym", "v": "‖", "say": "norm"}
        if (node := _symbol(name)) is not None:
            return node
        if name in ("frac", "dfrac", "tfrac", "binom"):
            kind = "binom" if name == "binom" else "frac"
            return {"k": kind, "a": self.part(depth), "b": self.part(depth)}
        if name == "sqrt":
            index = None
            if self.peek() == "[":
                self.take()
                index = self.sequence(depth + 1, ("]",))
                self.expect("]")
            return {"k": "root", "index": index, "a": self.part(depth)}
        if name == "text":
            return {"k": "text", "v": self.take()}
        if name == "operatorname":
            return {"k": "op", "v": self.take(), "limits": False}
        if name in known.ACCENTS:
            return {"k": "accent", "v": known.ACCENTS[name], "say": name, "a": self.argument(depth)}
        if name in ("mathbb", "mathcal"):
            return self.letters(known.BLACKBOARD if name == "mathbb" else known.CALLIGRAPHIC, depth)
        if name in ("mathbf", "boldsymbol"):
            return {"k": "bold", "a": self.argument(depth)}
        if name == "left":
            return self.fenced(depth)
        if name == "begin":
            return self.environment(depth)
        raise MathError(f"unknown command \\{name}")

    def letters(self, alphabet: dict[str, str], depth: int) -> Node:
        node = self.argument(depth)
        items = node["items"] if node["k"] == "seq" else [node]
        styled = []
        for item in items:
            if item.get("k") != "sym" or item["v"] not in alphabet:
                raise MathError("such letters are capitals A to Z")
            styled.append({"k": "sym", "v": alphabet[item["v"]], "say": item["v"]})
        return {"k": "seq", "items": styled}

    def delimiter(self) -> str:
        sign = self.take()
        if sign.startswith("\\"):
            name = sign[1:]
            if name in ("{", "}"):
                return name
            if name == "|":
                return "‖"
            if name in ("langle", "rangle", "lfloor", "rfloor", "lceil", "rceil", "lvert", "rvert"):
                return known.OPERATORS[name][0]
        if sign not in _DELIMITERS:
            raise MathError(f"{sign!r} is not a delimiter")
        return "" if sign == "." else sign

    def fenced(self, depth: int) -> Node:
        left = self.delimiter()
        inner = self.sequence(depth + 1, ("\\right",))
        self.expect("\\right")
        return {"k": "lr", "l": left, "r": self.delimiter(), "a": inner}

    def name(self) -> str:
        self.expect("{")
        name = ""
        while self.peek() != "}":
            name += self.take()
        self.take()
        return name

    def environment(self, depth: int) -> Node:
        name = self.name()
        if name not in _MATRICES and name not in ("aligned", "align"):
            raise MathError(f"unknown environment {name!r}")
        rows: list[list[Node]] = [[]]
        while True:
            rows[-1].append(self.sequence(depth + 2, ("&", "\\\\", "\\end")))
            sign = self.take()
            if sign == "\\\\":
                rows.append([])
            elif sign == "\\end":
                break
        if self.name() != name:
            raise MathError(f"\\begin{{{name}}} is not closed")
        if rows[-1] == [{"k": "seq", "items": []}]:
            rows.pop()
        if name in _MATRICES:
            return {"k": "matrix", "rows": _even(rows), "delim": _MATRICES[name]}
        return {"k": "aligned", "rows": _even(rows)}


def _even(rows: list[list[Node]]) -> list[list[Node]]:
    width = max((len(row) for row in rows), default=0)
    return [row + [{"k": "seq", "items": []}] * (width - len(row)) for row in rows]


def _symbol(name: str) -> Node | None:
    if name in known.GREEK:
        return {"k": "sym", "v": known.GREEK[name], "say": name.removeprefix("var")}
    if name in known.OPERATORS:
        sign, say = known.OPERATORS[name]
        return {"k": "sym", "v": sign, "say": say}
    if name in known.BIG:
        sign, say = known.BIG[name]
        return {"k": "sym", "v": sign, "say": say, "big": True}
    if name in known.FUNCTIONS:
        return {"k": "op", "v": name, "limits": name in known.LIMITS}
    if name in known.SPACES:
        return {"k": "space", "em": known.SPACES[name]}
    if name in known.ESCAPED:
        return {"k": "sym", "v": name, "say": known.SPOKEN_SIGNS.get(name, name)}
    return None


_POWERS = {"2": "squared", "3": "cubed", "′": "prime"}
#: Formulas of more words are not read out: they are easier to look at.
MAX_WORDS = 40


def say_math(source: str) -> str:
    """Read a formula out in English; "" if it is outside of the subset or has more than MAX_WORDS."""
    try:
        words = _say(parse_math(source)).split()
    except MathError:
        return ""
    text = " ".join(words).replace(" ,", ",").replace(" .", ".")
    return text if 0 < len(words) <= MAX_WORDS else ""


def _say(node: Node | None) -> str:
    if node is None:
        return ""
    match node["k"]:
        case "seq":
            return " ".join(_say(item) for item in node["items"])
        case "sym" | "num":
            return str(node["say"])
        case "text" | "op":
            return str(node["v"])
        case "frac":
            return f"{_say(node['a'])} over {_say(node['b'])}"
        case "binom":
            return f"{_say(node['a'])} choose {_say(node['b'])}"
        case "root":
            return _say_root(node)
        case "attach":
            return _say_attach(node)
        case "accent":
            return f"{_say(node['a'])} {node['say']}"
        case "bold" | "lr":
            return _say(node["a"])
        case "matrix" | "aligned":
            return ", ".join(" ".join(_say(cell) for cell in row) for row in node["rows"])
        case _:
            return ""


def _say_root(node: Node) -> str:
    index = _say(node["index"]).strip()
    return f"the {'square root' if not index else 'root of order ' + index} of {_say(node['a'])}"


def _say_attach(node: Node) -> str:
    base, lower, upper = node["base"], _say(node["b"]).strip(), _say(node["t"]).strip()
    if base.get("big"):
        reach = f"{', from ' + lower if lower else ''}{' to ' + upper if upper else ''},"
        return f"{base['say'].removesuffix(' of')}{reach} of"
    said = _say(base)
    if lower:
        said += f" as {lower}," if base["k"] == "op" and base["limits"] else f" {lower}"
    if upper:
        power = _POWERS.get(upper, "prime" if upper == "prime" else f"to the power of {upper}")
        said += f" {power}"
    return said
