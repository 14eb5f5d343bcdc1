"""The data directory: a folder that only this program writes to, readable by its owner alone.

    DATA/.eventflow-data               the mark of a data directory
    DATA/.eventflow-scratch/           files of a stack's running steps
    DATA/lock, valkey/                 of the embedded server, see `ops.local_stack.embedded`
    DATA/signing.key                   see `ops.compose`
    DATA/workspace, delivery, fallback the default stores, see `eventflow.storage.local.store`

Every process prepares it first (`prepare`), and a folder with other files is refused: they could have the names of this
program's files, and would be overwritten or removed. Data directories of earlier versions have no mark; they are
recognized by files that only this program creates.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from eventflow.settings import Settings

MARK = ".eventflow-data"
SCRATCH = ".eventflow-scratch"
#: Prefix of the folders of running steps (`Workspace.folder`) and of uploads to the web app.
_STEP_PREFIX = "eventflow-"
_MARK_TEXT = "This folder is the data directory of eventflow, which writes and removes files in it.\n"
_STORES = ("workspace", "delivery", "fallback")
#: The signing key that a development server creates.
SIGNING_KEY_FILE = "signing.key"
#: Names that this program and its earlier versions create at the top of a data directory.
_OURS = frozenset({MARK, SCRATCH, SIGNING_KEY_FILE, "lock", "valkey", "scratch", *_STORES})
#: Names that a new file system has, or that a file browser leaves behind.
_NOBODYS = frozenset({"lost+found", ".DS_Store"})
_KEY = re.compile(r"dev:[0-9a-f]{64}")


class DataDirError(Exception):
    """The folder can't be the data directory; the message says what to do."""


def prepare(folder: Path) -> None:
    """Create the data directory, or check that `folder` is one. Only its owner may read it, if it holds nothing else.

    Raises DataDirError if it holds other files, or can't be created.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()} - _NOBODYS
        if names and not is_ours(folder):
            raise DataDirError(_refusal(folder, names - _OURS or names))
    except OSError as error:
        raise DataDirError(f"{folder} can't be used ({error.strerror}): {_WAY_OUT}.") from error
    # A container image may hold a read-only data directory. A symbolic link in place of the mark is left alone.
    with suppress(OSError), (folder / MARK).open("x") as mark:
        mark.write(_MARK_TEXT)
    with suppress(OSError):
        if names <= _OURS:
            folder.chmod(0o700)


_WAY_OUT = "choose another folder by --data-dir or EVENTFLOW_DATA_DIR"


def _refusal(folder: Path, names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
    return (
        f"{folder} isn't a data directory of eventflow, and isn't empty ({shown}): its files could be overwritten or "
        f"removed. Name a new or empty folder, such as {folder / '.eventflow'}, by --data-dir or EVENTFLOW_DATA_DIR."
    )


def is_ours(folder: Path) -> bool:
    """Return whether the folder has the mark, or files of a version without one: server, signing key, or a store.

    Raises OSError.
    """
    mark = folder / MARK
    if mark.is_file() and not mark.is_symlink():
        return True
    server = folder / "valkey"
    if (server / "valkey.conf").is_file() and (server / "url").is_file():
        return True
    if any((folder / name / ".eventflow").is_dir() for name in _STORES):
        return True
    key = folder / SIGNING_KEY_FILE
    return key.is_file() and _KEY.fullmatch(key.read_text(errors="replace").strip()) is not None


def is_needed(settings: Settings) -> bool:
    """Return whether a web or worker process keeps anything in the data directory."""
    urls = (settings.workspace_url, settings.delivery_url, settings.fallback_url, settings.archive_url)
    return not settings.signing_key or any(holds(settings.data_dir, url) for url in urls)


def holds(folder: Path, store_url: str) -> bool:
    """Return whether the store at `store_url` is in `folder`."""
    parts = urlsplit(store_url)
    return parts.scheme == "file" and Path(url2pathname(parts.path)).is_relative_to(folder)


def scratch_of(folder: Path) -> Path:
    """Return the folder for files of running steps, and remove those of steps that died.

    Only for the process that holds the lock of the data directory.
    """
    scratch = folder / SCRATCH
    with suppress(OSError):
        for left in scratch.glob(f"{_STEP_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
    return scratch
