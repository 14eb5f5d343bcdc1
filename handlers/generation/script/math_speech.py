"""A formula in spoken English, from the tree of `mathtree`."""

from handlers.generation.script.mathtree import MathError, Node, parse_math

_POWERS = {"2": "squared", "3": "cubed", "′": "prime"}
#: A longer formula is better looked at than listened to.
MAX_WORDS = 40


def say_math(source: str) -> str:
    """`source` in words, or "" when it is outside the subset or too long to be read out."""
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
