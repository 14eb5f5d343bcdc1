"""The README tells what is true: its settings table, its commands."""

from __future__ import annotations

import re
from pathlib import Path

from ops.cli.settings import markdown_tables
from tests.support.programs import Programs

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def test_the_settings_table_is_what_the_code_says() -> None:
    assert markdown_tables() in README


def test_every_command_that_it_names_exists(programs: Programs) -> None:
    help_text = programs.run("--help").out
    known = set(re.findall(r"^  ([a-z]+) ", help_text, re.MULTILINE))
    assert {"up", "demo", "generate"} <= known
    code = re.findall(r"^```.*?^```|`[^`\n]+`", README, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"\beventflow ([a-z]+)\b", "\n".join(code))) <= known


def test_every_make_target_that_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets
