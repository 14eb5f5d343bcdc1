"""The shape of the code: which way the arrows point, what the domain may touch, how long things may be."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("eventflow", "handlers", "web", "ops")
#: package -> those of ours that it may import, besides itself
ARROWS = {
    "eventflow": set[str](),
    "handlers": {"eventflow"},
    "web": {"eventflow"},
    "ops": {"eventflow", "handlers", "web"},
}
DOMAIN_MAY_IMPORT = {"__future__", "attrs", "collections", "datetime", "enum", "typing"}
CLOCKS_AND_IO = {"now", "utcnow", "today", "open", "print", "input", "eval", "exec", "__import__"}
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 600, 60
#: A path of somebody's machine. (`/etc/passwd` and the like appear in tests of attacks.)
HOST_PATH = re.compile(r"(?<![\w.:/}])/(?:work|home|root|Users|mnt|opt|var/folders)/[\w.]")
TEXT = {".py", ".lua", ".typ", ".toml", ".json", ".jsonl", ".md", ".yml", ".yaml", ".sh", ".cfg"}


@cache
def sources() -> dict[str, Path]:
    """Module name -> file, of our four packages."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text())


def imported(module: str) -> Iterator[str]:
    """Every module that `module` names in an import, wherever in it."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in sources() else node.module or ""


def modules_of(package: str) -> list[str]:
    return [name for name in sources() if name == package or name.startswith(package + ".")]


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_point_one_way(package: str) -> None:
    allowed = ARROWS[package] | {package}
    wrong = [
        f"{module} imports {target}"
        for module in modules_of(package)
        for target in imported(module)
        if target.partition(".")[0] in set(PACKAGES) - allowed
    ]
    assert not wrong


def test_the_packages_import_no_tests() -> None:
    assert not [m for m in sources() for target in imported(m) if target.partition(".")[0] in ("tests", "pytest")]


def test_the_domain_imports_no_io() -> None:
    wrong = [
        f"{module} imports {target}"
        for module in modules_of("eventflow.domain")
        for target in imported(module)
        if target.partition(".")[0] not in DOMAIN_MAY_IMPORT | {"hashlib", "re"}
        and not target.startswith("eventflow.domain")
    ]
    assert not wrong


def test_the_domain_reads_no_clock() -> None:
    wrong = []
    for module in modules_of("eventflow.domain"):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if name in CLOCKS_AND_IO:
                    wrong.append(f"{module}:{node.lineno} calls {name}")
            wrong += [f"{module}:{node.lineno} is async"] if isinstance(node, ast.AsyncFunctionDef | ast.Await) else []
    assert not wrong


def test_no_import_cycles() -> None:
    graph = {m: {t for t in imported(m) if t in sources() and t != m} for m in sources()}
    while True:  # take away what imports nothing that is left; a cycle stays
        free = {module for module, targets in graph.items() if not targets}
        if not free:
            break
        graph = {module: targets - free for module, targets in graph.items() if module not in free}
    assert not graph


def test_the_cycle_test_sees_imports() -> None:
    assert "eventflow.domain.events" in set(imported("eventflow.domain.decide"))
    assert "eventflow.storage" in set(imported("handlers.workspace"))


def test_modules_are_short() -> None:
    lengths = {module: len(path.read_text().splitlines()) for module, path in sources().items()}
    assert not {module: n for module, n in lengths.items() if n > MAX_MODULE_LINES}


def test_functions_are_short() -> None:
    long = {}
    for module in sources():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long[f"{module}.{node.name}"] = lines
    assert not long


def test_no_paths_of_a_machine() -> None:
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in (*PACKAGES, "tests", ".ci", ".github"):
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    named = {"Makefile", "run", "Dockerfile"}
    texts = [path for path in files if (path.suffix in TEXT or path.name in named) and path != Path(__file__)]
    assert len(texts) > 100
    found = {}
    for path in texts:
        if hits := HOST_PATH.findall(path.read_text(errors="replace")):
            found[str(path.relative_to(ROOT))] = hits
    assert not found


#: Of servers newer than those we work with; XACKDEL let anybody run code in the first that had it (CVE-2025-62507).
NEWER_COMMANDS = re.compile(r"\b(?:XACKDEL|XDELEX|XNACK|XCFGSET)\b", re.IGNORECASE)


def test_no_command_is_sent_that_the_oldest_servers_do_not_have() -> None:
    scripts = list((ROOT / "eventflow" / "log" / "scripts").glob("*.lua"))
    assert len(scripts) > 10
    texts = {path: path.read_text() for path in (*sources().values(), *scripts)}
    assert not {str(path.relative_to(ROOT)) for path, text in texts.items() if NEWER_COMMANDS.search(text)}
    assert NEWER_COMMANDS.search("redis.call('XACKDEL', key)")
    assert NEWER_COMMANDS.search("client.xackdel(key)")


@pytest.mark.parametrize("text", ["/mnt/disk/main", '"/home/me/x"', "(/root/.cache", "=/Users/me"])
def test_what_counts_as_a_path_of_a_machine(text: str) -> None:
    assert HOST_PATH.search(text)


@pytest.mark.parametrize("text", ["https://x.org/home/a", "docs/work/a", "./work/a", "file:///work", "{base}/work/x"])
def test_what_does_not(text: str) -> None:
    assert not HOST_PATH.search(text)
