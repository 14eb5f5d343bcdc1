"""Looking into a store's folder while others work in it."""

from __future__ import annotations

import os
from pathlib import Path

from eventflow.storage.owner_mark import MARK

_MARKS = (MARK, ".eventflow-data")


def stored_files(folder: Path) -> list[Path]:
    """The objects below `folder`, without the store's own notes and the marks of whose it is.

    Folders that vanish during the walk count as empty (`Path.rglob` would raise): a job's last file takes its folder
    along.
    """
    return [
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        if ".eventflow" not in Path(parent).parts
        for name in names
        if name not in _MARKS
    ]
