"""Declaring a setting once: an attrs field that carries its variable, default, reader and text.

`Group.setting` makes such a field, and `part` one that holds another class of settings. `read` makes the values from
variables; `declared` lists the declarations, and `sections` arranges them for the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import Factory, evolve, field, frozen

from eventflow.settings.kinds import Kind, Refused

T = TypeVar("T")
Part = TypeVar("Part", bound="attrs.AttrsInstance")

PREFIX = "EVENTFLOW_"
_SETTING, _PART = "setting", "part"
_FILE = "_FILE"


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
    def meaning(self) -> str:
        """The text with what it doesn't say: the file of a secret, the old name."""
        secret = f". Secret; `{self.file_variable}` may name a file that holds it" if self.secret else ""
        old = f". Called `{self.old_variable}` before; that name still works" if self.was else ""
        return f"{self.text}{secret}{old}"

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


@frozen
class Section:
    """The settings of one subject in the reference."""

    heading: str
    settings: tuple[Setting, ...]


def sections(kind: type[attrs.AttrsInstance]) -> tuple[Section, ...]:
    """Return the settings in `kind` and its parts by subject, in the order of their fields."""
    groups: dict[Group, list[Setting]] = {}
    for setting in declared(kind):
        groups.setdefault(setting.group, []).append(setting)
    return tuple(Section(group.heading, tuple(settings)) for group, settings in groups.items())


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
