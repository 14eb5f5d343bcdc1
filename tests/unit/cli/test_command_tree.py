"""The commands: grouped by subject, every earlier name still there, every field of a request an option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from typer.main import get_command

from eventflow.requests.limits import RequestLimits
from eventflow.requests.video_request import RequestReader
from ops.cli import main
from ops.cli.app import app

ROOT: Any = get_command(app)
BY_SUBJECT = {
    "jobs": {"list", "status", "events", "cancel", "delete", "download", "reprocess", "fork", "history"},
    "groups": {"list", "remove", "replay"},
    "dead-letters": {"list", "show", "redrive", "drop"},
    "projections": {"rebuild"},
    "storage": {"check", "adopt", "setup"},
    "archive": {"status", "verify", "restore"},
    "keys": {"add", "list", "revoke"},
    "assets": {"add", "show", "remove"},
    "dev": {"bench", "chaos", "gallery"},
}
ALONE = {"up", "web", "worker", "demo", "doctor", "generate", "plan", "settings"}
#: The name of a command before -> now.
RENAMED = {
    "events": "jobs events",
    "cancel": "jobs cancel",
    "delete": "jobs delete",
    "replay reprocess": "jobs reprocess",
    "replay fork": "jobs fork",
    "replay history": "jobs history",
    "replay group": "groups replay",
    "replay rebuild": "projections rebuild",
    "parked list": "dead-letters list",
    "parked show": "dead-letters show",
    "parked redrive": "dead-letters redrive",
    "parked drop": "dead-letters drop",
    "bench chain": "dev bench chain",
    "chaos": "dev chaos",
    "gallery": "dev gallery",
}


def command(name: str) -> Any:
    found = ROOT
    for word in name.split():
        found = found.commands[word]
    return found


def options(name: str) -> dict[str, list[str]]:
    return {each.name: each.opts for each in command(name).params}


def shown(commands: Mapping[str, Any]) -> set[str]:
    return {name for name, each in commands.items() if not each.hidden}


def test_commands_are_grouped_by_subject() -> None:
    assert shown(ROOT.commands) == BY_SUBJECT.keys() | ALONE
    for group, names in BY_SUBJECT.items():
        assert shown(command(group).commands) == names


@pytest.mark.parametrize(("before", "now"), RENAMED.items())
def test_earlier_names_are_hidden_and_take_the_same_options(before: str, now: str) -> None:
    assert ROOT.commands[before.split()[0]].hidden
    assert options(before) == options(now)


def test_a_group_that_lists_does_so_without_a_command() -> None:
    for group in ("jobs", "keys", "groups", "dead-letters", "parked"):
        for given, read in ((["--json"], ["list", "--json"]), ([], ["list"]), (["list"], ["list"])):
            context = command(group).make_context(group, list(given), resilient_parsing=True)
            assert [*context._protected_args, *context.args] == read


def test_every_field_of_a_request_is_an_option_of_generate() -> None:
    named = {"script": "file", "scenes": "file", "quality_levels": "quality"}
    known = options("generate")
    limits = RequestLimits(pipelines={}, default_pipeline="explainer")
    fields = RequestReader(limits).schema({})["properties"]
    assert len(fields) > 20
    missing = {field for field in fields if named.get(field, field) not in known}
    assert not missing
    assert {"idempotency_key", "rate"} <= known.keys()


@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_fills_the_terminal_and_cuts_nothing(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for arguments in (["--help"], ["jobs", "--help"], ["dev", "bench", "--help"], ["generate", "--help"]):
        assert main(arguments) == 0
        text = capsys.readouterr().out
        assert "..." not in text.replace("[ARGS]...", "").replace("...}", "")
        assert int(columns) - 20 <= max(map(len, text.splitlines())) <= int(columns)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"eventflow {version('eventflow')}\n"
