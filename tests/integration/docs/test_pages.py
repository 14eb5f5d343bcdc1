"""Pages name only what exists: links, commands, settings, files, make targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from ops.cli.common import KEY_VARIABLES, URL_VARIABLES
from ops.reference.cli_page import root_command
from ops.reference.settings_page import earlier_names, setting_names
from tests.support.docs import (
    DOCS,
    PAGES,
    README,
    ROOT,
    anchors,
    eventflow_lines,
    inline_code,
    links,
    name_of,
    shell_lines,
)

TEXTS = {page: page.read_text() for page in PAGES}
#: Variables that the programs read beside the settings.
_CLIENT = {*URL_VARIABLES, *KEY_VARIABLES}


def test_links_and_anchors_lead_somewhere() -> None:
    assert list(_dead_links()) == []


def _dead_links() -> Iterator[str]:
    for page, text in TEXTS.items():
        for target in links(text):
            path, _, anchor = target.partition("#")
            leads_to = (page.parent / path).resolve() if path else page
            if not leads_to.exists() or (anchor and anchor not in anchors(leads_to.read_text())):
                yield f"{name_of(page)}: {target}"


def test_command_lines_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("talk.md", "scenes.json", "logo.png"):
        (tmp_path / name).touch()
    lines = [(page, words) for page, text in TEXTS.items() for words in eventflow_lines(text)]
    assert len(lines) > 30
    for page, words in lines:
        assert _refusal(root_command(), words) == "", f"{name_of(page)}: eventflow {' '.join(words)}"


def _refusal(command: Any, words: list[str]) -> str:
    """Why the program would refuse the arguments; empty if it wouldn't. Nothing is run."""
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        return _refusal(command.commands[words[0]], words[1:])
    try:
        command.make_context("eventflow", list(words))
    except typer.Exit:  # --help and --version
        return ""
    except Exception as error:  # the parser's own, of a module that is private
        return str(error) or type(error).__name__
    return ""


def test_a_line_with_an_unknown_option_is_refused() -> None:
    assert "--sideways" in _refusal(root_command(), ["doctor", "--sideways"])
    assert "no command" in _refusal(root_command(), ["keys", "lend"])


def test_commands_in_the_text_exist() -> None:
    codes = {(name_of(page), code) for page, text in TEXTS.items() for code in inline_code(text)}
    named = sorted((page, code) for page, code in codes if code.startswith("eventflow "))
    assert len(named) > 20
    assert [(page, code) for page, code in named if not _exists(code.split()[1:])] == []


def _exists(words: list[str]) -> bool:
    """Whether the words up to the first argument are a command or a group, and the options are its options."""
    command: Any = root_command()
    while words and hasattr(command, "commands") and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        if words[0] not in command.commands:
            return False
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {word.partition("=")[0] for word in words if word.startswith("--")} <= options | {"--help"}


def test_settings_exist() -> None:
    known = {*setting_names(), *(f"{name}_FILE" for name in setting_names()), *_CLIENT}
    for page, text in TEXTS.items():
        earlier = earlier_names() if page.parent == DOCS / "reference" else frozenset[str]()
        assert set(re.findall(r"\bEVENTFLOW_[A-Z_]*[A-Z]\b", text)) <= known | earlier, name_of(page)


def test_files_exist() -> None:
    path = re.compile(r"(eventflow|handlers|web|ops|tests|\.github|\.ci)/[\w./-]+")
    codes = [(name_of(page), code) for page, text in TEXTS.items() for code in inline_code(text)]
    named = [(page, code) for page, code in codes if path.fullmatch(code)]
    assert len(named) > 10
    assert [(page, code) for page, code in named if not (ROOT / code).exists()] == []


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, text in TEXTS.items():
        named = [re.match(r"make ([a-z-]+)", code) for code in (*inline_code(text), *shell_lines(text))]
        assert {match[1] for match in named if match} <= targets, name_of(page)


def test_the_readme_is_short_and_begins_with_a_small_moving_picture() -> None:
    lines = TEXTS[README].splitlines()
    assert len(lines) <= 150
    picture = DOCS / "images" / "demo.webp"
    assert any(str(picture.relative_to(ROOT)) in line for line in lines[:15])
    assert picture.stat().st_size < 400_000
    with Image.open(picture) as image:
        assert getattr(image, "n_frames", 1) > 10


def test_every_page_is_linked() -> None:
    linked = {(page.parent / target.partition("#")[0]).resolve() for page in PAGES for target in links(TEXTS[page])}
    assert {page for page in DOCS.rglob("*") if page.suffix in (".md", ".html", ".py")} <= linked
