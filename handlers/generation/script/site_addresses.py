"""Resolves what site generators write into the addresses of links and pictures, and their tags of pictures.

`{{ site.baseurl }}/a.png`, `{{ '/a.png' | relative_url }}`, `{% link a.md %}` and `{{< ref "a.md" >}}` are the path
that they name; what stands for a value that only the site has is nothing. `{{< figure src="a.png" caption="A" >}}` and
`{% include figure image_path="a.png" %}` are pictures. In texts `{{name}}` is a merge field, and stays.
"""

from __future__ import annotations

import re
from typing import Final

from handlers.generation.script.comments import CodeLines

#: Characters of an expression or tag.
_MOST: Final = 400
_EXPRESSION: Final = (
    rf"\{{\{{(?:[^{{}}\n]|\{{(?!\{{)|\}}(?!\}})){{1,{_MOST}}}+\}}\}}|\{{%(?:[^%\n]|%(?!\}})){{1,{_MOST}}}+%\}}"
)
_CODE: Final = r"`[^`\n]*+`"
#: Behind `](`, and behind the name of a definition.
_MARKDOWN: Final = re.compile(
    rf"{_CODE}|(?P<before>\]\([ \t]*+<?+|^ {{0,3}}\[[^\[\]\n]++\]:[ \t]*+<?+)"
    rf"(?P<address>(?:{_EXPRESSION}|\([^\s()]*+\)|\{{(?![{{%])|[^\s(){{<>])++)"
)
#: In an attribute of an element. An expression may have the quotes that stand around it.
_ATTRIBUTE: Final = re.compile(
    rf"{_CODE}|(?P<before>\b(?:src|href|poster)[ \t]*+=[ \t]*+[\"']?+)"
    rf"(?P<address>(?:{_EXPRESSION}|\{{(?![{{%])|[^\s{{<>\"'])++)"
)
_PART: Final = re.compile(_EXPRESSION)
_QUOTED: Final = re.compile(r"\"([^\"]*+)\"|'([^']*+)'")
_CONTROL: Final = frozenset({"if", "unless", "else", "elsif", "endif", "endunless", "for", "endfor", "assign"})
_SLASHES: Final = re.compile(r"(?<!:)/{2,}")
#: Tags of pictures that stand alone on their lines.
_FIGURE: Final = re.compile(
    r"[ \t]*+(?:\{\{[<%][ \t]*+(?:figure|image|img)|\{%-?[ \t]*+(?:include[ \t]++)?(?:figure|image|img)(?:\.html)?)"
    rf"(?P<given>[ \t]++(?:[^%>\n]|[%>](?!\}})){{1,{_MOST}}}+)(?:[>%]\}}\}}|%\}})[ \t]*+"
)
_GIVEN: Final = re.compile(r"(?P<name>\w++)=(?:\"(?P<two>[^\"]*+)\"|'(?P<one>[^']*+)'|(?P<bare>[^\s\"'>]++))")


def resolve_site_addresses(body: str) -> str:
    """Resolve the addresses of a text outside of code; lines keep their numbers."""
    if "{{" not in body and "{%" not in body:
        return body
    code = CodeLines()
    return "\n".join(line if code.is_code(line) else _resolved_line(line) for line in body.split("\n"))


def _resolved_line(line: str) -> str:
    if "{{" not in line and "{%" not in line:
        return line
    if figure := _FIGURE.fullmatch(line):
        return _picture(figure["given"]) or line
    for pattern in (_MARKDOWN, _ATTRIBUTE):
        line = pattern.sub(_replaced, line)
    return line


def _replaced(match: re.Match[str]) -> str:
    whole, address = match[0], match["address"]
    if address is None or not _PART.search(address):
        return str(whole)
    return f"{match['before']}{resolved(address)}"


def resolved(address: str) -> str:
    """Return the path in an address; where it has none, the expression without blanks names it."""
    path = _PART.sub(lambda match: _named(match[0]), address)
    if not any(map(str.isalnum, path)):
        return re.sub(r"[\s()\"'<>]+", "", address)
    return _SLASHES.sub("/", path)


def _named(expression: str) -> str:
    """Return what an expression or tag names by itself: a text in quotes, or the first word behind a tag's name."""
    quoted: list[str] = [two or one for two, one in _QUOTED.findall(expression)]
    if quoted:
        return next((text for text in quoted if "/" in text or "." in text), quoted[0])
    if expression[:3] not in ("{{<", "{{%") and not expression.startswith("{%"):
        return ""
    name, *words = expression.strip("{}<>%- \t").split() or [""]
    return next((word for word in words if "=" not in word), "") if name not in _CONTROL else ""


def _picture(given: str) -> str | None:
    """Return a picture and its caption as Markdown in one line; None where the tag has no address."""
    values = {match["name"]: match["two"] or match["one"] or match["bare"] or "" for match in _GIVEN.finditer(given)}
    address = next((values[name] for name in ("src", "image_path", "url", "path", "link") if values.get(name)), "")
    if not address:
        return None
    caption = values.get("caption") or values.get("title") or ""
    alt = re.sub(r"([\[\]\\])", r"\\\1", values.get("alt", ""))
    return f"![{alt}](<{re.sub(r'[<>]', '', address)}>)" + (f"<br>{caption}" if caption else "")
