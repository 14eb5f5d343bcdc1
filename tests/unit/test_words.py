"""Names use the glossary's words: none of a module, a class or a function has a retired one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("eventflow", "handlers", "web", "ops")
#: Those of ops/docs/glossary.md that can mean nothing else in a name.
RETIRED = (
    *("tombstone", "grave", "bury", "buried", "burial", "revive", "shelf", "dossier", "keeper", "unlist", "unlister"),
    *("homecoming", "leavings", "obey", "obeyed", "insist", "insisted", "beside", "briefing", "staging", "told"),
    *("mend", "mended", "mender", "mending", "redo", "redraft", "carrier", "anew", "park", "parked", "patience"),
)
#: Names on the wire, and what makes or shows them.
ON_THE_WIRE = {"StepParked", "_step_parked", "_parked", "_parked_paths"}
#: Where a picture stands beside text, the word says just that.
PLAIN_MEANING = {"_goes_beside"}


def words(name: str) -> set[str]:
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def retired(path: Path) -> list[str]:
    """Names of a module with a retired word."""
    names = [path.stem]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
    return [name for name in names if words(name) & set(RETIRED) and name not in ON_THE_WIRE | PLAIN_MEANING]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_has_a_retired_word(package: str) -> None:
    found = {path.relative_to(ROOT).as_posix(): retired(path) for path in (ROOT / package).rglob("*.py")}
    assert not {path: names for path, names in found.items() if names}


def test_scripts_have_names_of_today() -> None:
    assert not [path.name for path in (ROOT / "eventflow").rglob("*.lua") if words(path.stem) & set(RETIRED)]


def test_a_retired_word_is_seen() -> None:
    assert words("ArchiveTombstones_told") == {"archive", "tombstones", "told"}
    assert words("obeyed_Twice") & set(RETIRED)


def test_no_two_modules_of_a_package_have_one_name() -> None:
    """But for those that each room has, and rooms named after resources."""
    usual = {"__init__", "errors", "store", "base", "client", "handler", "prompt", "settings", "plan"}
    named_after_resources = ("web/routes", "web/openapi", "ops/cli", "ops/bench", "ops/reference", "ops/docs")
    for package in PACKAGES:
        seen: dict[str, str] = {}
        for path in sorted((ROOT / package).rglob("*.py")):
            folder = path.parent.relative_to(ROOT).as_posix()
            if path.stem in usual or folder.startswith(named_after_resources):
                continue
            assert path.stem not in seen, f"{folder}/{path.name} and {seen[path.stem]}"
            seen[path.stem] = f"{folder}/{path.name}"
