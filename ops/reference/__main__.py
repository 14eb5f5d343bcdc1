"""`python -m ops.reference [--check]`: write the generated pages, or fail if one is out of date."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ops.reference.cli_page import cli_page
from ops.reference.decision_index import index_page
from ops.reference.errors_page import errors_page
from ops.reference.events_page import events_page
from ops.reference.settings_page import settings_page

DOCS = Path(__file__).parents[1] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings_page,
    "reference/cli.md": cli_page,
    "reference/events.md": events_page,
    "reference/errors.md": errors_page,
    "decisions/index.md": lambda: index_page(DOCS / "decisions"),
}


def stale() -> list[Path]:
    """Return the pages that differ from what the code gives now."""
    return [DOCS / name for name, make in PAGES.items() if not _is_current(DOCS / name, make())]


def write() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make())


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        if paths := stale():
            sys.exit("out of date, run `python -m ops.reference`: " + ", ".join(str(path) for path in paths))
    else:
        write()
