"""Metadata of a local store's objects, and its listing in key order."""

import hashlib
import os
import stat as stat_module
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from eventflow.storage.files import make_folders
from eventflow.storage.object_keys import guess_media_type, is_valid_key
from eventflow.storage.port import ObjectInfo

#: The folder of the store's own files; a key can't start with a dot.
INTERNAL = ".eventflow"


class MetaFiles:
    """SHA-256 and media type of objects, each in a small JSON file that is bound to one inode, mtime and size."""

    def __init__(self, root: Path, *, public: bool = False) -> None:
        self._folder, self._public = root / INTERNAL / "meta", public

    def write(self, key: str, stat: os.stat_result, sha256: str, media_type: str) -> None:
        """Write metadata before its file appears; until then it matches no file, and is ignored."""
        path = self._path(key)
        make_folders(path.parent, public=self._public)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps({"of": _identity(stat), "sha256": sha256, "media_type": media_type}))
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def info(self, key: str, stat: os.stat_result) -> ObjectInfo:
        """Return the info of the object whose file has this stat."""
        sha256, media_type = self._read(key, stat)
        return _info(key, stat, sha256, media_type or guess_media_type(key))

    def remove(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _read(self, key: str, stat: os.stat_result) -> tuple[str | None, str | None]:
        try:
            meta = orjson.loads(self._path(key).read_bytes())
            if meta["of"] == _identity(stat):
                return str(meta["sha256"]), str(meta["media_type"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass  # a crash may have left none, or half of it: the bytes are good without
        return None, None

    def _path(self, key: str) -> Path:
        # By hash: the keys "a.json/b" and "a" would otherwise want a folder and a file of one name.
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / name[:2] / f"{name}.json"


def walk(root: Path, prefix: str) -> Iterator[ObjectInfo]:
    """Yield objects whose keys start with `prefix`, ordered by the UTF-8 bytes of their keys, without links."""
    folder, _, beginning = prefix.rpartition("/")
    base = f"{folder}/" if folder else ""
    yield from _walk_folder(root / folder, base, beginning, root)


def remove_empty_folders(folder: Path, root: Path) -> None:
    """Remove `folder` and its parents below `root` as far as they are empty."""
    with suppress(OSError):  # not empty, or removed by another process
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def is_link(stat: os.stat_result) -> bool:
    return stat_module.S_ISLNK(stat.st_mode)


def _walk_folder(folder: Path, base: str, beginning: str, root: Path) -> Iterator[ObjectInfo]:
    if not Path(os.path.realpath(folder)).is_relative_to(root):
        return
    try:
        with os.scandir(folder) as entries:
            named = [(entry.name + "/" * entry.is_dir(follow_symlinks=False), entry) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return
    # A folder sorts as "name/", or "a-b" and "a/b" would come in another order than their keys.
    for name, entry in sorted(named, key=lambda pair: os.fsencode(pair[0])):
        if not name.startswith(beginning) or not is_valid_key(base + name.removesuffix("/")):
            continue
        if name.endswith("/"):
            yield from _walk_folder(folder / entry.name, base + name, "", root)
        elif entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):  # deleted since
                stat = entry.stat(follow_symlinks=False)
                yield _info(base + name, stat, None, guess_media_type(name))


def _info(key: str, stat: os.stat_result, sha256: str | None, media_type: str) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=stat.st_size,
        sha256=sha256,
        media_type=media_type,
        etag="-".join(format(number, "x") for number in _identity(stat)),
        modified_at=datetime.fromtimestamp(stat.st_mtime, UTC),
    )


def _identity(stat: os.stat_result) -> list[int]:
    """Return the identity of a file, which changes with every put: each writes a new file."""
    return [stat.st_ino, stat.st_mtime_ns, stat.st_size]
