"""Finds the pictures and clips that a script names by path, or holds as data, before anything is sent.

Paths are relative to the script's folder and stay in it: `..`, absolute paths and symbolic links lead out of it into
folders that the user names, nowhere else.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from attrs import frozen

from eventflow.assets.data_urls import decoded
from eventflow.assets.errors import MediaRefused
from eventflow.requests.pictures import may_name_pictures
from handlers.assets.sniff import HEAD_BYTES, format_of
from handlers.generation.errors import ScriptError
from handlers.generation.script.embedded_data import with_data, without_data
from handlers.generation.script.picture_addresses import host_of, kind_of
from handlers.generation.script.picture_references import PictureReference
from handlers.generation.script.script import open_script, pictures_of
from ops.cli.common import UsageError

#: Most pictures that an error names, and the characters of an address in it.
_MOST_NAMED: Final = 50
_SHOWN_CHARS: Final = 120
_FILE_URL: Final = re.compile(r"file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_DRIVE: Final = re.compile(r"[A-Za-z]:")


@frozen(kw_only=True)
class LocalPicture:
    """A picture to be sent: a file, or the data in the script. `lines` are those that name it."""

    address: str
    lines: tuple[int, ...]
    path: Path | None = None
    data: bytes | None = None

    def sha256(self) -> str:
        """Return the digest of the content in hex. Raises OSError."""
        if self.path is None:
            return hashlib.sha256(self.data or b"").hexdigest()
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@frozen(kw_only=True)
class ScriptPictures:
    """The pictures of a script: those to be sent, and whether others are at URLs.

    `script` has short forms in place of the data that is sent.
    """

    script: str
    local: tuple[LocalPicture, ...] = ()
    has_urls: bool = False


class _NotShown(Exception):
    """A picture that can't be sent; the message says why."""


def find_pictures(script: str, file: str, folders: Sequence[Path]) -> ScriptPictures:
    """Find the pictures of the script in `file` ("-": standard input), beside it and in `folders`.

    Raises UsageError, which names all pictures that can't be sent with their lines. A script that can't be read has no
    pictures: the service says what is wrong with it.
    """
    if not may_name_pictures(script):
        return ScriptPictures(script=script)
    shortened, embedded = without_data(script)
    try:
        references = pictures_of(open_script(shortened))
    except ScriptError:
        return ScriptPictures(script=script)
    lines: dict[str, list[int]] = {}
    for reference in references:
        lines.setdefault(reference.address, []).append(reference.line)
    places = _Places.of(file, folders)
    found: list[LocalPicture] = []
    problems: dict[str, str] = {}
    for address, at in lines.items():
        try:
            if address in embedded:
                found.append(LocalPicture(address=address, lines=tuple(at), data=_media(decoded(embedded[address]))))
            elif kind_of(address) != "url":
                found.append(LocalPicture(address=address, lines=tuple(at), path=places.find(address)))
        except (MediaRefused, _NotShown) as error:
            problems[address] = str(error)
    if problems:
        raise UsageError(_message(file, references, problems))
    sent = {picture.address for picture in found}
    return ScriptPictures(
        script=with_data(shortened, {short: data for short, data in embedded.items() if short not in sent}),
        local=tuple(found),
        has_urls=any(kind_of(address) == "url" for address in lines),
    )


def _message(file: str, references: Sequence[PictureReference], problems: dict[str, str]) -> str:
    named = []
    for each in references:
        reason = problems.get(each.address)
        if reason is None and kind_of(each.address) == "url":
            host = host_of(each.address) or "its host"
            reason = f"is a URL: the service fetches it only where EVENTFLOW_ASSET_URLS has {host}"
        if reason is not None:
            named.append(f"line {each.line}: {each.address[:_SHOWN_CHARS]!r} {reason}")
    more = f"; and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return (
        f"{file} names pictures that can't be shown, so nothing was sent. {'; '.join(named[:_MOST_NAMED])}{more}. "
        "Put the files into the script's folder, or name theirs by --pictures FOLDER."
    )


@frozen
class _Places:
    """The folders that pictures may lie in: `beside` is the script's (None: standard input), without symbolic links."""

    beside: Path | None
    others: tuple[Path, ...]

    @classmethod
    def of(cls, file: str, folders: Sequence[Path]) -> _Places:
        for folder in folders:
            if not folder.is_dir():
                raise UsageError(f"--pictures is {str(folder)!r}; there is no such folder.")
        others = tuple(folder.resolve() for folder in folders)
        return cls(None if file == "-" else Path(file).absolute().parent.resolve(), others)

    @property
    def all(self) -> tuple[Path, ...]:
        return (*([self.beside] if self.beside else []), *self.others)

    def find(self, address: str) -> Path:
        """Return the file at a path. Raises _NotShown."""
        if kind_of(address) == "other":
            raise _NotShown("is neither a path nor a URL")
        outside = False
        for path in self._candidates(address):
            try:
                real = path.resolve(strict=True)
            except (OSError, ValueError, RuntimeError):  # no such file, a NUL, a loop of links
                continue
            if not any(real.is_relative_to(place) for place in self.all):
                outside = True
            elif real.is_file():
                _media_file(real)
                return real
        if outside:
            raise _NotShown("lies outside of the script's folder")
        raise _NotShown("doesn't exist" if self.all else "has no folder, as the script comes from standard input")

    def _candidates(self, address: str) -> Iterator[Path]:
        for form in _forms(address):
            if form.startswith("/") or _DRIVE.match(form):
                yield Path(form)
                for place in self.others:  # sites write /img/x.png for a file below the folder that they publish
                    yield place / form.lstrip("/")
            else:
                for place in self.all:
                    yield place / form


def _forms(address: str) -> list[str]:
    """The paths that an address may mean: as it is written, then as a URL's or another system's path."""
    written = _FILE_URL.sub("", address, count=1)
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: text,
        lambda text: text.replace("\\", "/"),
        lambda text: unquote(text.replace("\\", "/")),
        lambda text: unquote(text.replace("\\", "/").partition("#")[0].partition("?")[0]),
    )
    forms = [change(written) for change in changes]
    return list(dict.fromkeys(made for form in forms for made in (form, unicodedata.normalize("NFD", form)) if made))


def _media_file(path: Path) -> None:
    """Raises _NotShown for a file that no upload takes as a picture or clip."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise _NotShown(f"can't be read: {error.strerror}") from error
    try:
        _media(head)
    except MediaRefused as error:
        raise _NotShown(f"can't be shown: {error}") from error


def _media(data: bytes) -> bytes:
    """Return `data` if it begins as a picture or clip does. Raises MediaRefused, _NotShown."""
    if format_of(data[:HEAD_BYTES]).kind == "audio":
        raise _NotShown("is a sound, neither a picture nor a clip")
    return data
