"""Tables of contents, rows of links and logos, which are for readers."""

import pytest

from handlers.generation.script.contents import without_contents
from handlers.generation.script.script import open_script, parse_script, read_script

BELOW = "\n## Install\n\nOne line.\n"
LIST = "- [Install](#install)\n  - [Linux](#linux)\n* [2. Usage](#usage)\n"
HTML = """<details>
  <summary>Table of Contents</summary>
  <ol>
    <li>
      <a href="#install">Install</a>
      <ul>
        <li><a href="#linux">Linux</a></li>
      </ul>
    </li>
    <li><a href="#usage">Usage</a></li>
  </ol>
</details>
"""


@pytest.mark.parametrize(
    "contents",
    [
        f"## Table of contents\n\n{LIST}",
        f"**Contents**\n\n{LIST}",
        f"## What is in here\n{LIST}",
        f"## Inhalt\n\n{LIST.replace('- ', '1. ')}",
        HTML,
        f"<!-- contents -->\n{HTML}",
        "[Install](#install) • [Usage](#usage) • [Docs](https://docs.test)\n",
        '<h4><a href="#a">A</a> | <a href="https://b.test">B</a> | <a href="#c">C</a></h4>\n',
    ],
)
def test_contents_are_left_out(contents: str) -> None:
    text = f"# Name\n\nWhat it is.\n\n{contents}{BELOW}"
    assert [scene.title for scene in parse_script(text).scenes] == ["Name", "Install"]
    reading = read_script(open_script(text))
    assert {each.why for each in reading.left_out} == {"contents"}
    assert reading.body.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "kept",
    [
        "- [Install](#install)\n- [Usage](#usage)\n",
        "- [One](https://one.test)\n- [Two](https://two.test)\n- [Three](https://three.test)\n",
        "- [Install](#install): how to\n- [Usage](#usage): what for\n- [More](#more): all\n",
        f"```markdown\n{LIST}```\n",
        "[One](https://one.test) and [two](#two) and [three](#three)\n",
    ],
)
def test_links_that_say_something_stay(kept: str) -> None:
    text = f"# Name\n\n{kept}{BELOW}"
    assert without_contents(text) == (text, ())


def test_a_heading_with_more_than_contents_stays() -> None:
    body, left_out = without_contents(f"## Guide\n\n{LIST}\nAll of it is short.\n{BELOW}")
    assert body.startswith("## Guide\n")
    assert len(left_out) == 3


def test_contents_stay_in_a_document_that_is_read_as_it_stands() -> None:
    text = f"# Name\n\n{LIST}{BELOW}"
    assert read_script(open_script(text), "document").body == text


def test_a_logo_stands_with_the_name_below_it() -> None:
    first, *_ = parse_script(f"![A crab](crab.svg)\n\n# Name\n\nWhat it is.\n{BELOW}").scenes
    assert (first.title, [line.text for line in first.lines]) == ("Name", ["Name", "A crab", "What it is."])
