"""The pages of the documentation: their links, anchors, code blocks and commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "ops" / "docs"
#: Every page that people read.
PAGES = (README, *sorted(DOCS.rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md")))

_FENCE = re.compile(r"^(`{3,})([\w-]*)[^\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'\n.*?^\1$", re.MULTILINE | re.DOTALL)
#: Languages of blocks in which lines are typed at a terminal.
_SHELL = ("", "bash", "sh", "console")


def name_of(page: Path) -> str:
    """The page's path in the repository."""
    return str(page.relative_to(ROOT))


def code_blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks in one of `languages` ("" is none), in order."""
    return [body for _, language, body in _FENCE.findall(text) if language in languages]


def without_blocks(text: str) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """The targets of links and pictures, but those of other sites."""
    found = _LINK.findall(_INLINE.sub("", without_blocks(text)))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    titles = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in _HEADING.findall(without_blocks(text)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def inline_code(text: str) -> list[str]:
    """What stands between single backticks."""
    return _INLINE.findall(without_blocks(text))


def shell_lines(text: str) -> Iterator[str]:
    """The lines of blocks for the terminal, joined where a backslash ends them, without here-documents."""
    for block in code_blocks(text, *_SHELL):
        yield from _HERE_DOCUMENT.sub("", block).replace("\\\n", " ").splitlines()


def eventflow_lines(text: str) -> list[list[str]]:
    """The arguments of each line in a block that runs `eventflow`, up to a comment, redirection or pipe."""
    found = []
    for line in shell_lines(text):
        if line.strip().startswith(("eventflow ", ".venv/bin/eventflow ")):
            words = shlex.split(line, comments=True)
            end = next((at for at, word in enumerate(words) if word in (">", "|", "&", "&&", ";")), len(words))
            found.append(words[1:end])
    return found
