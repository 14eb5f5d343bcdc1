"""Prints the lowest version that pyproject.toml allows of each dependency, extras and groups included, as requirements
for pip."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

declared = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
project = declared["project"]
texts = [*project["dependencies"]]
texts += [text for extra in project["optional-dependencies"].values() for text in extra]
texts += [text for group in declared["dependency-groups"].values() for text in group if isinstance(text, str)]
for text in texts:
    wanted = Requirement(text)
    floors = [part.version for part in wanted.specifier if part.operator == ">="]
    if len(floors) != 1:
        raise SystemExit(f"pyproject.toml: {text!r} must name one lowest version")
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
    marker = f"; {wanted.marker}" if wanted.marker else ""
    print(f"{wanted.name}{extras}=={floors[0]}{marker}")
