"""Declaring a setting once: an attrs field that carries its variable, default, reader and text.

`Group.setting` makes such a field, and `part` one that holds another class of settings. `read` makes the values from
variables; `declared` lists the declarations, and `sections` arranges them for the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs
from attrs import Factory, evolve, field, frozen

T = TypeVar("T")
U = TypeVar("U")
N = TypeVar("N", int, float)
Part = TypeVar("Part", bound="attrs.AttrsInstance")

PREFIX = "EVENTFLOW_"
_SETTING, _PART = "setting", "part"
_FILE = "_FILE"

#: What an `Authorization` header can carry: printable ASCII without spaces (RFC 9110, section 5.5).
_BEARER = r"[!-~]{0,4096}"
#: No user and password: those would be logged with the URL.
_SERVICE = r"(https?://[^\s?#@]+)?"


class Refused(ValueError):
    """A fault of a value, worded for people; the message doesn't repeat a value that may be secret."""


@frozen(kw_only=True)
class Kind(Generic[T]):
    """How the text of a variable becomes a value. `read` raises ValueError for text that isn't `wanted`."""

    read: Callable[[str], T]
    wanted: str  #: for messages, such as "a number from 1 to 256"
    values: str  #: for the reference, such as "1 to 256"

    def then(self, convert: Callable[[T], U]) -> Kind[U]:
        """Return a kind that converts what this one reads; `convert` may raise ValueError."""
        return Kind(read=lambda text: convert(self.read(text)), wanted=self.wanted, values=self.values)


@frozen(kw_only=True)
class Setting:
    """One declaration. `name` and `was`, the name of earlier versions, are without the prefix `EVENTFLOW_`."""

    group: Group
    name: str
    default: str
    kind: Kind[Any]
    text: str
    was: str
    secret: bool

    @property
    def variable(self) -> str:
        return PREFIX + self.name

    @property
    def old_variable(self) -> str | None:
        return PREFIX + self.was if self.was else None

    @property
    def file_variable(self) -> str | None:
        """The variable that names a file with the value; only secrets have one."""
        return self.variable + _FILE if self.secret else None

    def is_unset(self, variables: Mapping[str, str]) -> bool:
        """Return whether the default applies: no variable, or an empty one where the default is empty, too."""
        text = variables.get(self.variable)
        return text is None or text == self.default == ""


@frozen(eq=False)
class Group:
    """Settings of one subject, which may lie in several classes; a section of the reference."""

    heading: str

    def setting(
        self,
        default: str,
        kind: Kind[T],
        text: str,
        *,
        name: str = "",
        was: str = "",
        secret: bool = False,
        derived: Callable[[Any], T] | None = None,
    ) -> T:
        """Return the attrs field of a setting.

        `default` and `text` (what the setting does: units, what a duration counts from) are shown in the reference.
        `name` is the variable's without the prefix, the field's in capitals if left out. `derived` gives the value of
        an unset variable from the fields before.
        """
        setting = Setting(group=self, name=name, default=default, kind=kind, text=text, was=was, secret=secret)
        factory = Factory(derived, takes_self=True) if derived else Factory(lambda: kind.read(default))
        return field(default=factory, repr=not secret, metadata={_SETTING: setting})


def part(kind: type[T]) -> T:
    """Return the attrs field of a class with settings of its own."""
    return field(factory=kind, metadata={_PART: kind})


def declared(kind: type[attrs.AttrsInstance]) -> Iterator[Setting]:
    """Yield the declarations in `kind` and its parts, in the order of their fields."""
    for attribute in attrs.fields(kind):
        if _PART in attribute.metadata:
            yield from declared(attribute.metadata[_PART])
        else:
            yield _setting_of(attribute)


@frozen(kw_only=True)
class Row:
    """A setting in the reference: `values` says which are allowed, `old_variable` the name of earlier versions."""

    variable: str
    default: str
    values: str
    text: str
    secret: bool
    old_variable: str | None


@frozen
class Section:
    """The settings of one subject in the reference."""

    heading: str
    rows: tuple[Row, ...]


def sections(kind: type[attrs.AttrsInstance]) -> tuple[Section, ...]:
    """Return the settings in `kind` and its parts by subject, in the order of their fields."""
    groups: dict[Group, list[Row]] = {}
    for setting in declared(kind):
        row = Row(
            variable=setting.variable,
            default=setting.default,
            values=setting.kind.values,
            text=setting.text,
            secret=setting.secret,
            old_variable=setting.old_variable,
        )
        groups.setdefault(setting.group, []).append(row)
    return tuple(Section(group.heading, tuple(rows)) for group, rows in groups.items())


def read(kind: type[Part], variables: Mapping[str, str], faults: list[str]) -> Part:
    """Return a `kind` made from `variables`. Faults are added to `faults`; defaults stand in for faulty values."""
    values: dict[str, Any] = {}
    for attribute in attrs.fields(kind):
        if _PART in attribute.metadata:
            values[attribute.name] = read(attribute.metadata[_PART], variables, faults)
            continue
        setting = _setting_of(attribute)
        if setting.is_unset(variables):
            continue
        text = variables[setting.variable]
        try:
            values[attribute.name] = setting.kind.read(text)
        except Refused as error:
            faults.append(f"{setting.variable}: {error}")
        except ValueError:
            shown = "its value" if setting.secret else repr(text)
            faults.append(f"{setting.variable}: {shown} is not {setting.kind.wanted}")
    return kind(**values)


def _setting_of(attribute: attrs.Attribute[Any]) -> Setting:
    setting: Setting = attribute.metadata[_SETTING]
    return setting if setting.name else evolve(setting, name=attribute.name.upper())


def number(convert: Callable[[str], N], low: float, high: float) -> Kind[N]:
    """Return the kind of numbers from `low` to `high`; `convert` is int or float."""

    def read_number(text: str) -> N:
        value = convert(text)
        if low <= value <= high:  # false for NaN
            return value
        raise ValueError(text)

    values = f"{low:.15g} to {high:.15g}"
    return Kind(read=read_number, wanted=f"a number from {values}", values=values)


def mapped(choices: Mapping[str, T]) -> Kind[T]:
    """Return the kind of words, in any case, that stand for values."""

    def read_word(text: str) -> T:
        found = [value for word, value in choices.items() if word.lower() == text.lower()]
        if not found:
            raise ValueError(text)
        return found[0]

    values = ", ".join(choices)
    return Kind(read=read_word, wanted=f"one of {values}", values=values)


def choice(*words: str) -> Kind[str]:
    """Return the kind of one of `words`, in any case."""
    return mapped({word: word for word in words})


def switch() -> Kind[bool]:
    """Return the kind of off and on."""
    return mapped({"off": False, "on": True})


def form(read_text: Callable[[str], T], example: str) -> Kind[T]:
    """Return the kind of text that `read_text` takes, which raises ValueError."""
    return Kind(read=read_text, wanted=f"of the form {example}", values=example)


def matching(pattern: str, example: str = "", wanted: str = "") -> Kind[str]:
    """Return the kind of text that matches `pattern` as a whole; `wanted` describes it better than an example."""

    def read_text(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise ValueError(text)

    return Kind(read=read_text, wanted=wanted, values=wanted) if wanted else form(read_text, example)


def web_url(pattern: str, example: str) -> Kind[str]:
    """Return the kind of URLs that match `pattern`; the value has no slash at its end."""
    return matching(pattern, example).then(lambda url: url.rstrip("/"))


def service_url() -> Kind[str]:
    """Return the kind of a service's base URL, empty where there is no service."""
    return web_url(_SERVICE, "https://api.openai.com/v1")


def bearer_token() -> Kind[str]:
    """Return the kind of a service's bearer token, empty where it needs none."""
    return matching(_BEARER, wanted="a token of printable characters")


def folder(example: str) -> Kind[Path]:
    """Return the kind of a folder, made absolute."""
    return matching(r"[^\0]+", example).then(lambda path: Path(path).absolute())


def optional_folder(example: str) -> Kind[Path | None]:
    """Return the kind of a folder, made absolute; empty: None."""
    return matching(r"[^\0]*", example).then(lambda path: Path(path).absolute() if path else None)


def pairs(text: str) -> Iterator[tuple[str, float]]:
    """Yield the entries of a list such as alice=30,bob=0.5. Raises ValueError."""
    for entry in filter(None, map(str.strip, text.split(","))):
        name, _, value = entry.rpartition("=")
        yield name, float(value)


def with_current_names(environment: Mapping[str, str], settings: Iterable[Setting]) -> tuple[dict[str, str], list[str]]:
    """Return `environment` with old names replaced by today's, and one line of warning for each.

    Where both names are set, both stay; `load_settings` refuses that.
    """
    changed, warnings = dict(environment), list[str]()
    for setting in settings:
        old = setting.old_variable
        if old in changed and setting.variable not in changed:
            changed[setting.variable] = changed.pop(old)
            warnings.append(f"{old} is now called {setting.variable}: the old name still works; rename it")
    return changed, warnings


def with_secrets_from_files(
    variables: Mapping[str, str], settings: Iterable[Setting], faults: list[str]
) -> dict[str, str]:
    """Return `variables` with the text of each file that a variable of a secret's `..._FILE` names."""
    changed = dict(variables)
    for setting in settings:
        file = changed.pop(setting.file_variable, None) if setting.file_variable else None
        if file is None:
            continue
        try:
            changed[setting.variable] = Path(file).read_text().strip()
        except OSError as error:
            faults.append(f"{setting.file_variable}: {file} can't be read: {error.strerror}")
        except ValueError:
            faults.append(f"{setting.file_variable}: {file!r} is no text file")
    return changed
