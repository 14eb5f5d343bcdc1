"""A subset of LaTeX mathematics, parsed into a tree of plain data.

The theme builds formulas from the tree by a fixed set of constructors; no text of the user is ever
evaluated. What the subset does not know raises `MathError`, and the caller shows the source as text.

Known: letters, digits, signs, `^ _ { }`, `\\frac \\sqrt[n]{} \\binom \\text{} \\left( \\right)`, Greek
letters, the names of `mathsymbols`, `\\mathbb \\mathcal \\mathbf \\mathrm \\operatorname`, accents, and
the environments matrix, pmatrix, bmatrix, vmatrix, cases and aligned.
"""

import re
from typing import Any

from handlers.generation import mathsymbols as known

#: A node is a JSON object with the constructor's name under "k".
Node = dict[str, Any]

MAX_CHARS = 2_000
MAX_DEPTH = 24

_TOKEN = re.compile(r"\\([A-Za-z]+)\*?|\\(.)|([0-9]+(?:\.[0-9]+)?)|(\s+)|(.)", re.DOTALL)
_MATRICES = {"matrix": "", "pmatrix": "(", "bmatrix": "[", "vmatrix": "|", "cases": "{"}
_DELIMITERS = {"(", ")", "[", "]", "|", ".", "/", "<", ">", "‖"}


class MathError(ValueError):
    """The formula uses something outside the subset; the message names it."""


def parse_math(source: str) -> Node:
    """The tree of a formula. Raises MathError."""
    if len(source) > MAX_CHARS:
        raise MathError(f"a formula has at most {MAX_CHARS} characters, not {len(source)}")
    parser = _Parser(_tokens(source))
    node = parser.sequence(0, ())
    if parser.peek() is not None:
        raise MathError(f"unexpected {parser.peek()!r}")
    return node


def _tokens(source: str) -> list[str]:
    """Commands keep their backslash; text in `\\text{}` stays one token; other white space is dropped."""
    tokens: list[str] = []
    position = 0
    while match := _TOKEN.match(source, position):
        position = match.end()
        name, escaped, number, space, sign = match.groups()
        if name in ("text", "textrm", "mathrm", "operatorname", "mbox"):
            raw = re.compile(r"\s*\{([^{}]*)\}").match(source, position)
            if raw is None:
                raise MathError(f"\\{name} needs {{text}}")
            tokens += ["\\operatorname" if name in ("operatorname", "mathrm") else "\\text", raw[1]]
            position = raw.end()
        elif name is not None:
            tokens.append("\\" + name)
        elif escaped is not None:
            tokens.append("\\" + escaped)
        elif space is None:
            tokens.append(number or sign)
    return tokens


class _Parser:
    """Recursive descent over tokens; depth is bounded so that braces can't exhaust the stack."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise MathError("the formula ends too early")
        self._at += 1
        return token

    def expect(self, token: str) -> None:
        if (found := self.take()) != token:
            raise MathError(f"expected {token!r}, found {found!r}")

    def sequence(self, depth: int, until: tuple[str, ...]) -> Node:
        if depth > MAX_DEPTH:
            raise MathError(f"nested deeper than {MAX_DEPTH}")
        items: list[Node] = []
        while (token := self.peek()) is not None and token not in until:
            if token in ("}", "&", "\\\\", "\\right", "\\end"):
                raise MathError(f"unexpected {token!r}")
            if token in ("\\limits", "\\nolimits") or token.lstrip("\\") in known.IGNORED:
                self.take()
                continue
            items.append(self.scripts(depth))
        return {"k": "seq", "items": items}

    def scripts(self, depth: int) -> Node:
        """An atom with its sub- and superscripts."""
        base = {"k": "seq", "items": []} if self.peek() in ("^", "_") else self.atom(depth)
        lower: Node | None = None
        upper: Node | None = None
        while (token := self.peek()) in ("^", "_", "'"):
            self.take()
            if token == "_" and lower is None:
                lower = self.argument(depth)
            elif token == "^" and upper is None:
                upper = self.argument(depth)
            elif token == "'":
                prime = {"k": "sym", "v": "′", "say": "prime"}
                upper = prime if upper is None else {"k": "seq", "items": [upper, prime]}
            else:
                raise MathError(f"two {token!r} in a row")
        if lower is None and upper is None:
            return base
        return {"k": "attach", "base": base, "b": lower, "t": upper}

    def argument(self, depth: int) -> Node:
        """A group in braces, or a single atom."""
        if self.peek() == "{":
            self.take()
            node = self.sequence(depth + 1, ("}",))
            self.expect("}")
            return node
        return self.atom(depth + 1)

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise MathError(f"nested deeper than {MAX_DEPTH}")
        if self.peek() == "{":
            return self.argument(depth)
        token = self.take()
        if token.startswith("\\") and len(token) > 1:
            return self.command(token[1:], depth)
        if token == "~":
            return {"k": "space", "em": 0.33}
        if token in ("}", "&", "\\", "#", "$", "^", "_"):
            raise MathError(f"unexpected {token!r}")
        token = "−" if token == "-" else "′" if token == "'" else token
        return {"k": "sym" if len(token) == 1 else "num", "v": token, "say": known.SPOKEN_SIGNS.get(token, token)}

    def command(self, name: str, depth: int) -> Node:
        if (node := _symbol(name)) is not None:
            return node
        if name in ("frac", "dfrac", "tfrac", "binom"):
            kind = "binom" if name == "binom" else "frac"
            return {"k": kind, "a": self.argument(depth), "b": self.argument(depth)}
        if name == "sqrt":
            index = None
            if self.peek() == "[":
                self.take()
                index = self.sequence(depth + 1, ("]",))
                self.expect("]")
            return {"k": "root", "index": index, "a": self.argument(depth)}
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
        token = self.take()
        if token.startswith("\\"):
            name = token[1:]
            if name in ("{", "}"):
                return name
            if name == "|":
                return "‖"
            if name in ("langle", "rangle", "lfloor", "rfloor", "lceil", "rceil", "lvert", "rvert"):
                return known.OPERATORS[name][0]
        if token not in _DELIMITERS:
            raise MathError(f"{token!r} is not a delimiter")
        return "" if token == "." else token

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
            rows[-1].append(self.sequence(depth + 1, ("&", "\\\\", "\\end")))
            token = self.take()
            if token == "\\\\":
                rows.append([])
            elif token == "\\end":
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
