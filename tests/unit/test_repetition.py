"""Nothing stands twice: no identical run of more than ten lines in the tree."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("eventflow", "handlers", "web", "ops", "tests", ".ci", ".github")
SUFFIXES = {".py", ".lua", ".typ", ".md", ".toml", ".yml", ".yaml", ".sh"}
#: Made by a command from what is elsewhere in the tree.
GENERATED = ("ops/docs/reference/", "ops/deploy/requirements")
MOST_LINES = 10


def texts() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in SUFFIXES and path.is_file() and not name.startswith(GENERATED):
                yield name, path.read_text()


def lines_of(name: str, text: str) -> list[tuple[int, str]]:
    """(number, text) of each line that counts: not empty, and no import, which only names what a module needs."""
    imports: set[int] = set()
    if name.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    numbered = enumerate((line.strip() for line in text.splitlines()), 1)
    return [(number, line) for number, line in numbered if line and number not in imports]


def repeated(files: Iterator[tuple[str, str]]) -> list[str]:
    """Places of each run of more than `MOST_LINES` lines that stands more than once."""
    runs = defaultdict(list)
    for name, text in files:
        lines = lines_of(name, text)
        for first in range(len(lines) - MOST_LINES):
            run = tuple(line for _, line in lines[first : first + MOST_LINES + 1])
            runs[run].append(f"{name}:{lines[first][0]}")
    return [" ~ ".join(places) for places in runs.values() if len(places) > 1]


def test_nothing_stands_twice() -> None:
    assert not repeated(texts())


def test_what_stands_twice_is_found() -> None:
    run = "\n\n".join(f"line({n})" for n in range(11))
    assert repeated(iter([("a.py", f"import a\n{run}"), ("b.py", run)])) == ["a.py:2 ~ b.py:1"]
    assert not repeated(iter([("a.py", run), ("b.py", run.replace("line(5)", "line(50)"))]))
