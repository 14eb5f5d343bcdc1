"""Writes formulas as a line of text, with the signs, subscripts and superscripts that Unicode has.

Captions of languages in which formulas aren't read out show them so. Signs are those of Unicode 15, blocks
Superscripts and Subscripts, Spacing Modifier Letters and Phonetic Extensions.
"""

from __future__ import annotations

from typing import Final

from handlers.generation.script.formula import MathError, Node, parse_math

_RAISED: Final = dict(
    zip("0123456789+−=()abcdefghijklmnoprstuvwxyz′∗", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ′*", strict=True)
)
_LOWERED: Final = dict(zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
#: Signs with blanks around them.
_RELATIONS: Final = frozenset("=<>≤≥≠≈≡∼∝≪≫∈∉⊂⊆⊃→←↦⇒⟹⟺⇔+−±∓×⋅÷∣∪∩∧∨")


def write_math(source: str) -> str:
    """Return a formula as a line of text; one that isn't understood, without its backslashes."""
    try:
        return " ".join(_written(parse_math(source)).split())
    except MathError:
        return " ".join(source.replace("\\", " ").split())


def _written(node: Node | None) -> str:
    if node is None:
        return ""
    match node["k"]:
        case "seq":
            return "".join(_spaced(node["items"]))
        case "sym" | "num" | "text" | "op":
            return str(node["v"])
        case "frac":
            return f"{_grouped(node['a'])}/{_grouped(node['b'])}"
        case "binom":
            return f"({_written(node['a'])} {_written(node['b'])})"
        case "root":
            index = _script(node["index"], _RAISED, "") if node["index"] else ""
            return f"{index}√{_grouped(node['a'])}"
        case "attach":
            lower, upper = _script(node["b"], _LOWERED, "_"), _script(node["t"], _RAISED, "^")
            return f"{_written(node['base'])}{lower}{upper}"
        case "accent":
            mark = node["v"] if node["v"] != "→" else "\u20d7"
            return f"{_written(node['a'])}{mark}"
        case "bold":
            return _written(node["a"])
        case "lr":
            return f"{node['l']}{_written(node['a'])}{node['r']}"
        case "matrix" | "aligned":
            return "; ".join(" ".join(_written(cell) for cell in row) for row in node["rows"])
        case _:
            return " "


def _spaced(items: list[Node]) -> list[str]:
    """The parts of a sequence, with blanks around relations and between words and behind commas."""
    parts: list[str] = []
    for at, item in enumerate(items):
        text = _written(item)
        binary = item["k"] == "sym" and item["v"] in _RELATIONS and at > 0
        word = item["k"] in ("op", "text") or (item["k"] == "attach" and item["base"]["k"] == "op")
        parts.append(f" {text} " if binary or word else f"{text} " if text in (",", ";") else text)
    return parts


def _grouped(node: Node) -> str:
    """A part in parentheses, unless it is a single sign, number or letter with its scripts."""
    text = _written(node).strip()
    items = node.get("items", [node])
    return text if len(items) == 1 and items[0]["k"] != "seq" else f"({text})"


def _script(node: Node | None, letters: dict[str, str], sign: str) -> str:
    """A sub- or superscript: in letters of its own where Unicode has all of them, else behind its sign."""
    text = "".join(_written(node).split())
    if all(letter in letters for letter in text):
        return "".join(letters[letter] for letter in text)
    return f"{sign}{text}" if len(text) == 1 else f"{sign}({text})"
