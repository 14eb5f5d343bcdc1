"""The levels of tests, and the mark that each test gets from its folder. A plugin of pytest.

`tests/unit/...` is marked `unit`, and so on: `pytest -m unit` runs a level, `pytest -m "unit or contract"` two.
Collection fails for a test outside of these folders, and for a test that names a level itself. The marks `debian` and
`chaos` say something else (which programs a test needs, and that it takes long) and go with any level.
"""

from __future__ import annotations

from pathlib import Path

import pytest

#: Folder of `tests`, and mark -> what its tests may use.
LEVELS = {
    "tour": "twenty short tests to read first; each shows one promise on real parts",
    "unit": "functions and values: no sockets, processes or written files",
    "contract": "one suite for all adapters of a port",
    "integration": "several modules with a real server, real files, real codecs, or whole processes",
    "faults": "what goes wrong with event streams: killed workers, lost servers, cut connections",
    "cluster": "the same on a Redis Cluster",
    "browser": "videos and pages in real browsers",
}


def pytest_configure(config: pytest.Config) -> None:
    for level, tests in LEVELS.items():
        config.addinivalue_line("markers", f"{level}: {tests}; set by tests/support/levels.py, from the folder")


def pytest_itemcollected(item: pytest.Item) -> None:
    named = sorted(LEVELS.keys() & {mark.name for mark in item.iter_markers()})
    if named:
        raise pytest.UsageError(f"{item.nodeid}: the mark {named[0]} follows from the folder; take it out")
    level = level_of(item.path, item.config)
    if level is None:
        raise pytest.UsageError(f"{item.nodeid} is of no level: move it to a folder of tests/{{{','.join(LEVELS)}}}")
    item.add_marker(level)


def level_of(path: Path, config: pytest.Config) -> str | None:
    """The level of a test module, which is the first folder below one of `testpaths`; None outside of a level."""
    for root in config.getini("testpaths"):
        folder = config.rootpath / root
        if path.is_relative_to(folder):
            first = path.relative_to(folder).parts[0]
            return first if first in LEVELS else None
    return None
