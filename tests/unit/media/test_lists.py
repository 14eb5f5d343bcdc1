"""Lists and tables of Markdown: tasks, depths, paragraphs that go on, alignment."""

import pytest

from handlers.generation.script.blockjson import block_json
from handlers.generation.script.content import Bullet, Bullets, Code, Span, Table
from handlers.generation.script.inline import plain
from handlers.generation.script.markdown import parse_sections


def _bullets(text: str) -> list[Bullet]:
    (section,) = parse_sections(text)
    return [item for block in section.body if isinstance(block, Bullets) for item in block.items]


@pytest.mark.parametrize(
    ("source", "text", "done"),
    [
        ("- [x] Design is done", "Design is done", True),
        ("- [X] Design", "Design", True),
        ("- [ ] Tests are missing", "Tests are missing", False),
        ("1. [X] First", "First", True),
        ("* [x] **Bold** task", "Bold task", True),
        ("- [y] no box", "[y] no box", None),
        ("- [x]no blank", "[x]no blank", None),
        ("- [x](https://example.org) link", "x link", None),
        (r"- \[x] escaped", "[x] escaped", None),
        ("- a [x] b", "a [x] b", None),
    ],
)
def test_boxes_of_tasks(source: str, text: str, done: bool | None) -> None:
    (item,) = _bullets(source)
    assert (plain(item.spans), item.done) == (text, done)


def test_five_depths() -> None:
    source = "\n".join("  " * depth + f"- level {depth}" for depth in range(6))
    assert [item.depth for item in _bullets(source)] == [0, 1, 2, 3, 4, 4]


def test_a_second_paragraph_goes_on_with_its_item() -> None:
    items = _bullets("1. Boil the water.\n\n   Use a large pot.\n2. Serve.\n")
    assert [(plain(item.spans), item.number, item.continued) for item in items] == [
        ("Boil the water.", 1, False),
        ("Use a large pot.", None, True),
        ("Serve.", 2, False),
    ]


def test_code_keeps_its_place_within_an_item() -> None:
    source = "3. Run\n\n   ```sh\n   ls\n   ```\n\n   and look.\n4. Stop\n"
    (section,) = parse_sections(source)
    assert section.body == (
        Bullets((Bullet((Span("Run"),), 0, 3),)),
        Code("sh", "ls"),
        Bullets((Bullet((Span("and look."),), continued=True), Bullet((Span("Stop"),), 0, 4))),
    )


def test_the_box_is_that_of_the_first_paragraph_alone() -> None:
    items = _bullets("- [ ] One\n\n  [x] two\n")
    assert [(plain(item.spans), item.done) for item in items] == [("One", False), ("[x] two", None)]


def test_tables_keep_the_alignment_of_their_columns() -> None:
    (section,) = parse_sections("|a|b|c|d|\n|:--|:-:|--:|---|\n|1|2|3|4|\n")
    (table,) = section.body
    assert isinstance(table, Table)
    assert table.align == ("left", "center", "right", "")
    assert block_json(table)["align"] == ["left", "center", "right", ""]


def test_tables_without_colons_have_no_alignment() -> None:
    (section,) = parse_sections("|a|b|\n|---|---|\n|1|2|\n")
    assert section.body == (Table(((Span("a"),), (Span("b"),)), (((Span("1"),), (Span("2"),)),)),)
