"""The walks of ops/docs/architecture.md lead through functions that exist, each reached from one before it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ops" / "docs" / "architecture.md").read_text()
#: Heading -> how many files the walk may enter: beyond that a newcomer is lost.
WALKS = {
    "A script, from POST to its first event": 16,
    "A script, from its first event to planned scenes": 22,
    "A planned scene, rendered": 20,
    "An event, from its append to the status": 8,
    "A failed upload, to the fallback store and back": 8,
}


def stations(heading: str) -> list[tuple[str, str]]:
    """(file, function) of a walk; the function of a file that isn't Python is empty."""
    section = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]
    return [(file, name) for file, name in re.findall(r"^\d+\. `([\w/.]+?)(?::([\w.]+))?`$", section, re.MULTILINE)]


def defined(file: str) -> set[str]:
    """The functions, classes and methods of a module, by their qualified names."""
    names = set()
    for node in ast.parse((ROOT / file).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{member.name}" for member in members}
    return names


def leads(before: str, file: str, name: str) -> bool:
    """Whether the source of `before` imports the module `file`, or calls `name`, as through a port.

    A script leads to the module that reads one of the keys it writes.
    """
    text = (ROOT / before).read_text()
    if before.endswith(".lua"):
        written = set(re.findall(r"\w+", text.partition("-- KEYS:")[2].partition("\n")[0]))
        return bool(written & set(re.findall(r"\bkeys\.(\w+)", (ROOT / file).read_text())))
    module = file.removesuffix(".py").replace("/", ".")
    package, _, base = module.rpartition(".")
    imports = rf"from {re.escape(module)} import|from {re.escape(package)} import [^#]*?\b{base}\b"
    if name:
        return bool(re.search(rf"{imports}|\.{name.rpartition('.')[2]}\b", text))
    path = Path(file)
    return path.stem in text or path.parent.name in text


@pytest.mark.parametrize(("heading", "most"), WALKS.items())
def test_a_walk_is_short_and_each_step_leads_to_the_next(heading: str, most: int) -> None:
    walk = stations(heading)
    files = [file for file, _ in walk]
    assert 5 < len(files) == len(set(files)) <= most
    for at, (file, name) in enumerate(walk):
        assert (ROOT / file).is_file(), file
        assert not name or name in defined(file), f"{file} has no {name}"
        reached = [before for before in files[:at] if leads(before, file, name)]
        started_by = [before for before in files[:at] if leads(file, before, walk[files.index(before)][1])]
        assert not at or reached or started_by, f"nothing before {file}:{name} leads to it"


def test_every_walk_of_the_page_has_a_limit() -> None:
    section = PAGE.split("## Four walks")[1].split("\n## ")[0]
    assert re.findall(r"^### (.+)$", section, re.MULTILINE) == list(WALKS)


def test_a_step_that_leads_nowhere_is_seen() -> None:
    assert leads("web/routes/generate.py", "web/requests/http_input.py", "read_json")
    assert not leads("web/routes/generate.py", "eventflow/archive/segment.py", "pack_block")
