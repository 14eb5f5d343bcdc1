"""What is installed: the lock files satisfy pyproject.toml, and the packages say that they are typed."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.abc import MetaPathFinder
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import eventflow
from ops.cli import main

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, GROUPS = DECLARED["project"], DECLARED["dependency-groups"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
IMAGE, DEVELOPMENT = (ROOT / "ops" / "deploy" / name for name in ("requirements.txt", "requirements-dev.txt"))
AGAIN = "run `make lock`"


def locked(path: Path) -> dict[str, list[tuple[Requirement, int]]]:
    """Name -> its entries and how many hashes each has; there are several where versions differ by platform."""
    found: dict[str, list[tuple[Requirement, int]]] = {}
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split(" --hash=")
        found.setdefault(canonicalize_name(Requirement(requirement).name), []).append(
            (Requirement(requirement), len(hashes))
        )
    return found


def wanted(*, extras: list[str], groups: list[str]) -> list[Requirement]:
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in EXTRAS[extra])]
    texts += [text for group in groups for text in GROUPS[group] if isinstance(text, str)]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(
    ("path", "requirements"),
    [
        (IMAGE, wanted(extras=["otlp"], groups=[])),
        (DEVELOPMENT, wanted(extras=[*EXTRAS], groups=[*GROUPS])),
    ],
    ids=["image", "development"],
)
def test_locked_versions_satisfy_what_is_declared(path: Path, requirements: list[Requirement]) -> None:
    entries = locked(path)
    assert len(requirements) > 25
    for requirement in requirements:
        found = entries.get(canonicalize_name(requirement.name))
        assert found, f"{path.name} lacks {requirement.name}: {AGAIN}"
        for entry, _ in found:
            (pin,) = entry.specifier
            assert pin.operator == "=="
            assert requirement.specifier.contains(pin.version), f"{entry} isn't {requirement}: {AGAIN}"


@pytest.mark.parametrize("path", [IMAGE, DEVELOPMENT], ids=["image", "development"])
def test_every_locked_file_has_its_hash_and_no_index_is_named(path: Path) -> None:
    assert not [str(entry) for entries in locked(path).values() for entry, hashes in entries if not hashes]
    assert not re.findall(r"://|--(?:index|extra-index|find-links|trusted-host)", path.read_text())


def test_development_has_the_versions_of_images() -> None:
    images, development = locked(IMAGE), locked(DEVELOPMENT)

    def pins(entries: list[tuple[Requirement, int]]) -> set[str]:
        return {str(entry.specifier) for entry, _ in entries}

    assert not {name for name in images if pins(images[name]) != pins(development.get(name, []))}, AGAIN


@pytest.mark.parametrize("package", ["eventflow", "handlers", "web", "ops"])
def test_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_version_is_that_of_the_distribution() -> None:
    assert eventflow.__version__ == version("eventflow")
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = eventflow.other


class _Without(MetaPathFinder):
    """An environment without one package."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == self.package:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("ops.bench", ["bench", "status"]), ("ops.chaos", ["chaos"]), ("ops.gallery", ["gallery", "--out", "nowhere"])],
)
def test_commands_that_the_wheel_lacks_say_where_to_get_them(
    package: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(package), *sys.meta_path])
    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert package in line
    assert "in a checkout of the repository" in line
