"""Whose folder the data directory is, and who may read what is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventflow.settings import load_settings
from eventflow.storage import SigningKeys
from ops.compose import open_stores, signing_keys
from ops.local_stack.data_dir import MARK, DataDirError, is_needed, prepare, scratch_of

NOBODY = 65_534
KEYS = SigningKeys.parse("k1:" + "0" * 64)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="ef-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


#: Rights are given up once the interpreter runs, which may itself be in a closed folder.
_AS_NOBODY = f"""
import os, sys
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
for at, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(at, name)
        try:
            open(path, "rb").close()
            print(path)
        except PermissionError:
            pass
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def readable_by_others(folder: Path) -> list[str]:
    """The files below `folder` that a user of no rights can read: asked as one where we may become him."""
    if os.geteuid() != 0:
        closed = not mode(folder) & 0o001
        return [] if closed else [str(p) for p in folder.rglob("*") if p.is_file() and mode(p) & 0o004]
    command = [sys.executable, "-I", "-c", _AS_NOBODY, str(folder)]
    return subprocess.run(command, cwd="/", capture_output=True, check=True).stdout.decode().split()


def test_a_new_folder_an_empty_one_and_ours_are_taken(tmp_path: Path) -> None:
    for folder in (tmp_path / "a" / "new", tmp_path / "empty", tmp_path / "mounted"):
        if folder.name != "new":
            folder.mkdir()
        if folder.name == "mounted":
            (folder / "lost+found").mkdir()
        prepare(folder)
        assert (folder / MARK).is_file()
        assert mode(folder) == 0o700
        (folder / "workspace").mkdir()
        prepare(folder)


@pytest.mark.parametrize("name", ["scratch", "valkey", "delivery", "notes.txt"])
def test_a_folder_with_somebodys_files_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.tex").write_text("mine")
    tmp_path.chmod(0o755)
    with pytest.raises(DataDirError, match=rf"isn't empty \({name}\).*Name a new or empty folder"):
        prepare(tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == [name, "thesis.tex"]
    assert mode(tmp_path) == 0o755


def _server(folder: Path) -> None:
    (folder / "valkey").mkdir()
    for name in ("valkey.conf", "url"):
        (folder / "valkey" / name).write_text("")


def _store(folder: Path) -> None:
    (folder / "delivery" / ".eventflow" / "spool").mkdir(parents=True)


def _key(folder: Path) -> None:
    (folder / "signing.key").write_text("dev:" + "a" * 64)


@pytest.mark.parametrize("made", [_server, _store, _key])
def test_a_data_directory_of_a_version_without_a_mark_goes_on(tmp_path: Path, made: object) -> None:
    made(tmp_path)  # type: ignore[operator]
    tmp_path.chmod(0o755)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "left-by-whom").write_text("?")
    prepare(tmp_path)
    assert mode(tmp_path) == 0o700
    scratch_of(tmp_path)
    assert (tmp_path / "scratch" / "left-by-whom").exists()


def test_one_that_holds_other_files_too_keeps_its_permissions(tmp_path: Path) -> None:
    _server(tmp_path)
    (tmp_path / "public_html").mkdir()
    tmp_path.chmod(0o755)
    prepare(tmp_path)
    assert mode(tmp_path) == 0o755


def test_scratch_loses_what_dead_steps_have_left_and_nothing_else(tmp_path: Path) -> None:
    prepare(tmp_path)
    scratch = scratch_of(tmp_path)
    (scratch / "eventflow-00-abcdef-x1").mkdir(parents=True)
    (scratch / "eventflow-00-abcdef-x1" / "pages.png").write_text("left")
    (scratch / "mine.txt").write_text("mine")
    assert scratch_of(tmp_path) == scratch
    assert [path.name for path in scratch.iterdir()] == ["mine.txt"]


async def test_other_users_read_nothing_in_it(open_folder: Path) -> None:
    data = open_folder / "data"
    prepare(data)
    settings = load_settings({"EVENTFLOW_DATA_DIR": str(data)})
    signing_keys(settings)
    await _fill(open_folder, settings.data_dir, {})
    assert sum(path.is_file() for path in data.rglob("*")) > 6
    assert readable_by_others(open_folder) == []


async def test_of_stores_elsewhere_only_delivered_files_may_be_read(open_folder: Path) -> None:
    elsewhere = {
        f"EVENTFLOW_{role.upper()}_URL": (open_folder / role).as_uri() for role in ("workspace", "delivery", "fallback")
    }
    await _fill(open_folder, open_folder / "data", elsewhere)
    assert {Path(path).relative_to(open_folder).parts[0] for path in readable_by_others(open_folder)} == {"delivery"}
    assert mode(open_folder / "workspace" / "videos" / "j" / "a.txt") == 0o600
    assert mode(open_folder / "workspace" / "videos") == 0o700


async def _fill(folder: Path, data: Path, urls: dict[str, str]) -> None:
    settings = load_settings({"EVENTFLOW_DATA_DIR": str(data), **urls})
    for store in open_stores(settings, KEYS).values():
        await store.check()
        await store.put_bytes("videos/j/a.txt", b"private", media_type="text/plain")
        await store.copy("videos/j/a.txt", "videos/j/b.txt")
        await store.close()


def test_nothing_is_needed_of_it_where_all_is_elsewhere(tmp_path: Path) -> None:
    there = {f"EVENTFLOW_{role}_URL": f"s3://bucket/{role}" for role in ("WORKSPACE", "DELIVERY")}
    there |= {"EVENTFLOW_FALLBACK_URL": (tmp_path / "fallback").as_uri(), "EVENTFLOW_DATA_DIR": str(tmp_path / "data")}
    assert is_needed(load_settings(there))
    assert not is_needed(load_settings({**there, "EVENTFLOW_SIGNING_KEY": "k1:" + "0" * 64}))


def test_a_tool_makes_no_key(tmp_path: Path) -> None:
    settings = load_settings({"EVENTFLOW_DATA_DIR": str(tmp_path / "data")})
    signing_keys(settings, keep=False)
    assert not (tmp_path / "data").exists()
    kept = signing_keys(settings)
    assert signing_keys(settings, keep=False) == kept


def test_a_mark_that_is_a_link_is_no_mark_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    letter = tmp_path / "letter"
    letter.write_text("Dear reader")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / MARK).symlink_to(letter)
    (folder / "thesis").touch()
    with pytest.raises(DataDirError, match="isn't empty"):
        prepare(folder)
    (folder / "valkey").mkdir()  # what is ours by something else is taken, the link left as it is
    for name in ("valkey.conf", "url"):
        (folder / "valkey" / name).touch()
    prepare(folder)
    assert letter.read_text() == "Dear reader"
