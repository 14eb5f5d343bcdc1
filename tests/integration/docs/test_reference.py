"""The generated pages are what the code gives, and have everything on them."""

from __future__ import annotations

from eventflow.domain.events import EVENT_TYPES
from ops.reference.__main__ import DOCS, stale
from ops.reference.cli_page import cli_commands
from ops.reference.error_codes import fault_codes, problems, warning_codes
from ops.reference.error_texts import CATEGORIES, FAULTS, PROBLEMS, WARNINGS
from ops.reference.settings_page import setting_names
from tests.support.docs import anchors


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text()


def test_generated_pages_are_current() -> None:
    assert stale() == [], "run: python -m ops.reference"


def test_each_setting_is_on_its_page() -> None:
    assert all(f"| `{name}` |" in page("settings.md") for name in setting_names())


def test_each_command_is_on_its_page() -> None:
    names = [command.name for command in cli_commands()]
    assert len(names) > 20
    assert {name.replace(" ", "-") for name in names} <= anchors(page("cli.md"))


def test_each_event_is_on_its_page() -> None:
    assert {kind.__name__.lower() for kind in EVENT_TYPES} <= anchors(page("events.md"))


def test_each_code_of_an_error_is_explained_and_no_other() -> None:
    assert {code for _, code in problems()} == PROBLEMS.keys()
    assert fault_codes() == FAULTS.keys()
    assert warning_codes() == WARNINGS.keys()
    assert all(f"`{code}`" in page("errors.md") for code in (*PROBLEMS, *FAULTS, *WARNINGS, *CATEGORIES))
