"""Prints the lowest version that pyproject.toml allows of each dependency, as constraints for pip."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"].values()
for text in [*project["dependencies"], *(line for extra in extras for line in extra)]:
    wanted = Requirement(text)
    floors = [part.version for part in wanted.specifier if part.operator == ">="]
    if len(floors) != 1:
        raise SystemExit(f"pyproject.toml: {text!r} must name one lowest version")
    print(f"{wanted.name}=={floors[0]}")
