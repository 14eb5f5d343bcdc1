"""Builds the wheel, compares its files with the sources, and runs the program from it in an empty environment.

    python .ci/wheel.py FOLDER

FOLDER gets the wheel, the environment and what the demo makes. Nothing of this checkout is on the path of the program
that runs. Exits with the first thing that is wrong.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("eventflow", "handlers", "web", "ops")
EXCLUDED = DECLARED["tool"]["setuptools"]["packages"]["find"]["exclude"]
#: Documentation and notes that lie in packages and that no code reads.
UNUSED = ("ops/*.md",)
COMMANDS_OF_A_CHECKOUT = (["bench", "chain"], ["chaos"], ["gallery", "--out", "sheets"])


def main(folder: Path) -> None:
    wheel = built(ROOT, folder / "wheel")
    compare(wheel)
    print(wheel.name)
    if (ROOT / ".git").exists():
        archive = folder / "archive"
        run(["git", "archive", "--output", folder / "archive.tar", "HEAD"], cwd=ROOT)
        with tarfile.open(folder / "archive.tar") as tar:
            tar.extractall(archive, filter="data")
        print(f"from a source archive: {built(archive, folder / 'from-archive').name}")

    run([sys.executable, "-m", "venv", folder / "env"])
    run([folder / "env/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel])
    program, away = folder / "env/bin/eventflow", folder / "away"
    away.mkdir()
    version = run([folder / "env/bin/python", "-c", "import eventflow; print(eventflow.__version__)"], cwd=away)
    if version.strip() != wheel.name.split("-")[1]:
        raise SystemExit(f"eventflow.__version__ is {version.strip()!r}, but the wheel is {wheel.name}")
    if (shown := run([program, "--version"], cwd=away).strip()) != f"eventflow {version.strip()}":
        raise SystemExit(f"eventflow --version says {shown!r}, and the package is {version.strip()!r}")
    print(run([program, "doctor"], cwd=away))
    run([program, "demo"], cwd=away)
    videos = sorted(path.name for path in (away / "demo-output").glob("*.mp4"))
    if len(videos) != 2:
        raise SystemExit(f"the demo made {videos}, not two videos")
    for command in COMMANDS_OF_A_CHECKOUT:
        refused = subprocess.run([program, *command], cwd=away, capture_output=True, text=True)
        if refused.returncode != 1 or "checkout" not in refused.stderr or len(refused.stderr.splitlines()) != 1:
            raise SystemExit(f"eventflow {' '.join(command)}: exit code {refused.returncode}\n{refused.stderr}")


def run(command: list[str | Path], *, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def built(source: Path, folder: Path) -> Path:
    """The wheel of the project in `source`."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--wheel-dir", folder, source])
    (wheel,) = folder.glob("*.whl")
    return wheel


def compare(wheel: Path) -> None:
    """Exit where the wheel lacks a file of the packages, or has one that doesn't belong to it."""
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = set(shipped())
    if held != wanted:
        raise SystemExit(f"{wheel.name} lacks {sorted(wanted - held)}, and has {sorted(held - wanted)} too many")


def shipped() -> Iterator[str]:
    """The files of the four packages, without those that pyproject.toml keeps out of the wheel."""
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()):
        name = path.relative_to(ROOT)
        package = ".".join(name.parent.parts)
        unwanted = [*(fnmatch(package, pattern) for pattern in EXCLUDED), *(name.match(pattern) for pattern in UNUSED)]
        if path.parent.name != "__pycache__" and not any(unwanted):
            yield str(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
