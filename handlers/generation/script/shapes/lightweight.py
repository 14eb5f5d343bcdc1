"""Writes the commonest marks of reStructuredText, AsciiDoc, Org and wikis as Markdown, line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from handlers.generation.script.shapes.reading import Shape

_LONGEST: Final = 2_000
_UNDERLINE: Final = re.compile(r"([=~^\"'*+#.:-])\1{2,}\s*")
_KINDS: Final = {
    "note": "NOTE",
    "tip": "TIP",
    "hint": "TIP",
    "warning": "WARNING",
    "caution": "CAUTION",
    "important": "IMPORTANT",
    "danger": "CAUTION",
    "attention": "WARNING",
    "info": "NOTE",
}
#: Directives of a text that stands by itself, with a title or without.
_TITLED: Final = frozenset(
    {"topic", "sidebar", "rubric", "epigraph", "highlights", "pull-quote", "compound", "container"}
)


def as_markdown(shape: Shape, lines: Sequence[str]) -> str:
    """A text of one of these markups as Markdown."""
    read = {"rst": _rst, "asciidoc": _asciidoc, "org": _org, "wiki": _wiki}[shape]
    return "\n".join(read(list(lines)))


# -- reStructuredText ---------------------------------------------------------------------------------------------

_RST_INLINE: Final = (
    (re.compile(r"``([^`\n]{1,200})``"), r"`\1`"),
    (re.compile(r":[a-zA-Z:+-]{1,30}:`~?([^`<>\n]{1,200}?)(?:\s*<[^<>`\n]{1,200}>)?`"), r"`\1`"),
    (re.compile(r"`([^`<>\n]{1,200}?)\s*<[^<>`\n]{1,300}>`__?"), r"\1"),
    (re.compile(r"`([^`\n]{1,200})`_{1,2}(?!\w)"), r"\1"),
    (re.compile(r"\b(\w{1,60})_(?=[\s.,;)]|$)"), r"\1"),
    (re.compile(r"\[(\d{1,3}|#\w{0,20})\]_"), ""),
    (re.compile(r"\|(\w[\w -]{0,40})\|"), r"\1"),
)
_DIRECTIVE: Final = re.compile(r"\.\.\s+([\w-]{1,40})::\s*(.*)")


def _rst(lines: list[str]) -> list[str]:
    found: list[str] = []
    signs: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        over = (
            at + 2 < len(lines)
            and _UNDERLINE.fullmatch(line)
            and _UNDERLINE.fullmatch(lines[at + 2])
            and lines[at + 1].strip()
        )
        under = (
            at + 1 < len(lines)
            and line.strip()
            and line[:1] not in " \t"
            and _UNDERLINE.fullmatch(lines[at + 1])
            and len(lines[at + 1].strip()) >= min(3, len(line))
        )
        if over or under:
            sign = ("o" if over else "u") + lines[at if over else at + 1][0]
            if sign not in signs:
                signs.append(sign)
            text = lines[at + 1] if over else line
            found += ["", f"{'#' * min(6, signs.index(sign) + 1)} {_inline(text.strip(), _RST_INLINE)}", ""]
            at += 3 if over else 2
        elif directive := _DIRECTIVE.match(line.strip()):
            at = _rst_block(lines, at, directive[1], directive[2], found)
        elif line.startswith(".. ") or line.strip() == "..":
            at = _indented(lines, at + 1)[1]
        elif re.match(r":[\w ]{1,30}:(?:\s|$)", line):
            at += 1
        elif line.rstrip().endswith("::") and at + 1 < len(lines):
            found.append(_inline(line.rstrip()[:-1], _RST_INLINE))
            block, at = _indented(lines, at + 1)
            found += ["", "```", *block, "```", ""] if block else []
        else:
            found.append(_inline(line, _RST_INLINE))
            at += 1
    return found


def _indented(lines: Sequence[str], at: int) -> tuple[list[str], int]:
    """The indented lines from `at` on, without their indentation, and the first line behind them."""
    block: list[str] = []
    while at < len(lines) and (not lines[at].strip() or lines[at][:1] in " \t"):
        block.append(lines[at])
        at += 1
    while block and not block[-1].strip():
        block.pop()
    while block and not block[0].strip():
        block.pop(0)
    least = min((len(line) - len(line.lstrip()) for line in block if line.strip()), default=0)
    return [line[least:] for line in block], at


def _rst_block(lines: list[str], at: int, name: str, argument: str, found: list[str]) -> int:
    block, end = _indented(lines, at + 1)
    options = [line for line in block if re.match(r":[\w-]{1,30}:", line)]
    content = [line for line in block if line not in options]
    if name in ("code-block", "code", "sourcecode", "literalinclude"):
        found += ["", f"```{argument}", *content, "```", ""]
    elif name in _KINDS or name == "admonition":
        texts = [argument, *content] if argument else content
        found += [
            "",
            f"> [!{_KINDS.get(name, 'NOTE')}]",
            *[f"> {_inline(text, _RST_INLINE)}" for text in texts if text.strip()],
            "",
        ]
    elif name in ("image", "figure"):
        alt = next((option.split(":", 2)[2].strip() for option in options if option.startswith(":alt:")), "")
        found += ["", alt, ""] if alt else []
        found += ["", *(_inline(text, _RST_INLINE) for text in content), ""] if name == "figure" else []
    elif name in _TITLED:
        texts = [f"**{argument}**" if argument else "", "", *content]
        found += ["", *(_inline(text, _RST_INLINE) for text in texts), ""]
    elif name == "math":
        found += ["", "$$", argument, *content, "$$", ""]
    return end


def _inline(text: str, rules: Sequence[tuple[re.Pattern[str], str]]) -> str:
    if len(text) > _LONGEST:
        return text
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


#: Bold between single asterisks, in AsciiDoc, Org and Jira.
_STARRED: Final = (re.compile(r"(?<![\w*])\*([^*\s](?:[^*\n]{0,200}[^*\s])?)\*(?![\w*])"), r"**\1**")


# -- AsciiDoc -----------------------------------------------------------------------------------------------------

_ASCII_INLINE: Final = (
    (re.compile(r"(?:link:|https?://)[^\s\[\]]{1,300}\[([^\[\]\n]{1,200}?)(?:,[^\[\]]{0,80})?\]"), r"\1"),
    (re.compile(r"<<[^<>,\n]{1,100},\s*([^<>\n]{1,200})>>"), r"\1"),
    (re.compile(r"<<([^<>\n]{1,100})>>"), r"\1"),
    (re.compile(r"xref:[^\s\[\]]{1,200}\[([^\[\]\n]{1,200})\]"), r"\1"),
    (re.compile(r"(?:kbd|btn|menu|footnote):\[([^\[\]\n]{1,200})\]"), r"\1"),
    _STARRED,
    (re.compile(r"(?<!\w)\+([^+\n]{1,100})\+(?!\w)"), r"`\1`"),
)
_ASCII_NOTE: Final = re.compile(r"(NOTE|TIP|WARNING|CAUTION|IMPORTANT):\s+(.*)")
_ASCII_ITEM: Final = re.compile(r"([*.-]{1,5})\s+(\S.*)")


def _asciidoc(lines: list[str]) -> list[str]:
    found: list[str] = []
    language, caution, at, header = "", "", 0, True
    while at < len(lines):
        line = lines[at]
        text = line.strip()
        if heading := re.fullmatch(r"(={1,6})\s+(.+)", text):
            found += ["", f"{'#' * len(heading[1])} {_inline(heading[2], _ASCII_INLINE)}", ""]
            header = len(heading[1]) == 1
            at += 1
            while header and at < len(lines) and lines[at].strip():
                at += 1
            continue
        if block := re.fullmatch(r"\[(source|NOTE|TIP|WARNING|CAUTION|IMPORTANT)?[^\]]{0,100}\]", text):
            parts = text.strip("[]").split(",")
            language = parts[1].strip() if block[1] == "source" and len(parts) > 1 else ""
            caution = block[1] if block[1] not in (None, "source") else ""
        elif re.fullmatch(r"-{4,}|\.{4,}", text):
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == text), len(lines))
            found += ["", f"```{language}", *lines[at + 1 : end], "```", ""]
            at, language = end, ""
        elif text == "|===":
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == "|==="), len(lines))
            found += ["", *_ascii_table(lines[at + 1 : end]), ""]
            at = end
        elif re.fullmatch(r"={4,}|\*{4,}|_{4,}|--", text) or re.match(r":[\w!-]{1,40}:|//|include::", text):
            pass
        elif image := re.fullmatch(r"image::[^\[]{1,200}\[([^\],]{0,200})[^\]]{0,200}\]", text):
            found.append(image[1])
        elif note := _ASCII_NOTE.fullmatch(text):
            found += ["", f"> [!{note[1]}]", f"> {_inline(note[2], _ASCII_INLINE)}", ""]
        elif re.fullmatch(r"\.[^\s.].{0,100}", text):
            found += ["", f"**{text[1:]}**", ""]
        elif (item := _ASCII_ITEM.fullmatch(text)) and len(set(item[1])) == 1:
            sign = "1." if item[1][0] == "." else "-"
            found.append(
                f"{'    ' * (len(item[1]) - 1 if item[1][0] != '-' else 0)}{sign} {_inline(item[2], _ASCII_INLINE)}"
            )
        elif caution and text:
            found.append(f"> [!{caution}]\n> {_inline(text, _ASCII_INLINE)}")
            caution = ""
        elif text == "+":
            found.append("")
        else:
            found.append(_inline(line.removesuffix(" +"), _ASCII_INLINE))
        at += 1
    return found


def _ascii_table(lines: Sequence[str]) -> list[str]:
    rows: list[list[str]] = []
    width = 0
    cells: list[str] = []
    for line in lines:
        if not line.strip():
            if cells and not width:
                width = len(cells)
                rows.append(cells)
                cells = []
            continue
        parts = [part.strip() for part in line.split("|")[1:]] if line.lstrip().startswith("|") else []
        width = width or (len(parts) if len(parts) > 1 else 0)
        cells += parts
        while width and len(cells) >= width:
            rows.append(cells[:width])
            cells = cells[width:]
    return _pipes(rows)


def _pipes(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


# -- Org ----------------------------------------------------------------------------------------------------------

_ORG_INLINE: Final = (
    (re.compile(r"\[\[[^\[\]\n]{1,300}\]\[([^\[\]\n]{1,200})\]\]"), r"\1"),
    (re.compile(r"\[\[([^\[\]\n]{1,300})\]\]"), r"\1"),
    _STARRED,
    (re.compile(r"(?<![\w/:])/([^/\s](?:[^/\n]{0,200}[^/\s])?)/(?![\w/])"), r"*\1*"),
    (re.compile(r"(?<!\w)[=~]([^=~\n]{1,100})[=~](?!\w)"), r"`\1`"),
    (re.compile(r"(?<!\w)\+([^+\s](?:[^+\n]{0,100}[^+\s])?)\+(?!\w)"), r"~~\1~~"),
    (re.compile(r"<\d{4}-\d{2}-\d{2}[^<>\n]{0,30}>"), ""),
)


def _org(lines: list[str]) -> list[str]:
    found: list[str] = []
    titled = any(re.match(r"#\+title:", line, re.IGNORECASE) for line in lines)
    fence = drawer = False
    for line in lines:
        text = line.strip()
        if title := re.fullmatch(r"#\+title:\s*(.+)", text, re.IGNORECASE):
            found += [f"# {title[1]}", ""]
        elif begin := re.fullmatch(r"#\+begin_(\w+)\s*([\w+-]*).*", text, re.IGNORECASE):
            if begin[1].lower() in ("src", "example", "export", "comment"):
                fence = True
                found += ["", f"```{begin[2]}"]
        elif re.match(r"#\+end_", text, re.IGNORECASE):
            if fence:
                found += ["```", ""]
            fence = False
        elif fence:
            found.append(line)
        elif re.fullmatch(r":\w{1,30}:", text):
            drawer = text.upper() != ":END:"
        elif (
            drawer or text.startswith(("#+", "# ")) or text == "#" or re.match(r"(?:SCHEDULED|DEADLINE|CLOSED):", text)
        ):
            continue
        elif heading := re.fullmatch(
            r"(\*{1,6})\s+(?:(?:TODO|DONE|NEXT|WAITING)\s+)?(?:\[#[A-C]\]\s+)?(.+?)(?:\s+:[\w@:]{1,100}:)?",
            line.rstrip(),
        ):
            found += ["", f"{'#' * min(6, len(heading[1]) + titled)} {_inline(heading[2], _ORG_INLINE)}", ""]
        elif re.fullmatch(r"\|[-+]{2,}\|?", text):
            columns = text.count("+") + 1
            found.append("|" + "---|" * columns)
        else:
            found.append(_inline(re.sub(r"^(\s*)\+ ", r"\1- ", line), _ORG_INLINE))
    return found


# -- wikis --------------------------------------------------------------------------------------------------------

_WIKI_INLINE: Final = (
    (
        re.compile(
            r"\[\[(?:File|Image|Datei|Category|Kategorie|Fichier|Archivo|Catégorie|Categoría):[^\[\]\n]{1,300}\]\]",
            re.IGNORECASE,
        ),
        "",
    ),
    (re.compile(r"\[\[[^\[\]|\n]{1,200}\|([^\[\]\n]{1,200})\]\]"), r"\1"),
    (re.compile(r"\[\[([^\[\]\n]{1,200})\]\]"), r"\1"),
    (re.compile(r"\[https?://[^\s\[\]]{1,300}\s([^\[\]\n]{1,200})\]"), r"\1"),
    (re.compile(r"\[([^\[\]|\n]{1,200})\|[^\[\]\n]{1,300}\]"), r"\1"),
    (re.compile(r"'''''([^'\n]{1,200})'''''"), r"***\1***"),
    (re.compile(r"'''([^'\n]{1,200})'''"), r"**\1**"),
    (re.compile(r"''([^'\n]{1,200})''"), r"*\1*"),
    (re.compile(r"\{\{([^{}\n]{1,100})\}\}"), r"`\1`"),
    (re.compile(r"<ref[^<>]{0,200}>[^<>]{0,500}</ref>|<ref[^<>]{0,200}/>"), ""),
    (re.compile(r"![^!|\s]{1,100}\.\w{2,5}(?:\|[^!\n]{0,80})?!"), ""),
)


def _wiki(lines: list[str]) -> list[str]:
    jira = any(re.match(r"h[1-6]\. |\{(?:code|panel|info|toc)|\|\|", line) for line in lines)
    rules = (*_WIKI_INLINE, _STARRED) if jira else _WIKI_INLINE
    found: list[str] = []
    fence = ""
    table: list[list[str]] = []
    for line in [*lines, ""]:
        text = line.strip()
        if table and not text.startswith("|") and not text.startswith("!"):
            found += ["", *_pipes(table), ""]
            table = []
        if fence:
            if text == fence:
                found += ["```", ""]
                fence = ""
            else:
                found.append(line)
        elif heading := re.fullmatch(r"h([1-6])\.\s+(.+)|(={1,6})\s*(.+?)\s*\3", text):
            level = int(heading[1]) if heading[1] else len(heading[3])
            found += ["", f"{'#' * level} {_inline(heading[2] or heading[4], rules)}", ""]
        elif code := re.fullmatch(
            r"\{(?:code|noformat)(?::(\w{1,20})[^}]{0,80})?\}(.*?)(\{(?:code|noformat)\})?", text
        ):
            found += ["", f"```{code[1] or ''}"]
            if code[2]:
                found.append(code[2])
            if code[3]:
                found += ["```", ""]
            else:
                fence = re.sub(r":.*", "", text.split("}")[0]) + "}"
        elif boxed := re.fullmatch(
            r"\{(info|note|tip|warning|panel)(?::(?:title=)?([^}]{0,100}))?\}(.*?)(?:\{\1\})?", text
        ):
            words = boxed[3] or boxed[2] or ""
            found += ["", f"**{words}**" if not boxed[3] and words else _inline(words, rules), ""]
        elif text.startswith("||"):
            table.append([_inline(cell.strip(), rules) for cell in text.strip("|").split("||")])
        elif text.startswith("|") and jira:
            table.append([_inline(cell.strip(), rules) for cell in text.strip("|").split("|")])
        elif text.startswith(("{|", "|}", "|-", "|+", "{{", "}}", "{toc", "__")):
            continue
        elif (text.startswith("!") and "!!" in text) or text.startswith(("! ", "| ")):
            table.append([_inline(cell.strip(), rules) for cell in re.split(r"!!|\|\|", text[1:])])
        elif item := re.fullmatch(r"([*#-]{1,5})\s+(.+)|([*#]{1,5})(\S.+)", text):
            signs, words = item[1] or item[3], item[2] or item[4]
            found.append(f"{'    ' * (len(signs) - 1)}{'1.' if signs[-1] == '#' else '-'} {_inline(words, rules)}")
        else:
            found.append(_inline(line, rules))
    return found
