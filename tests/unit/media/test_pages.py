"""How a section is divided into pages."""

import pytest

from handlers.generation.script.content import Heading, Paragraph, Sentence, Span, Table
from handlers.generation.script.paging import WIDE, paginate


def text(sentences: int) -> Paragraph:
    return Paragraph(tuple(Sentence((Span("Nine words that take about a line of text."),)) for _ in range(sentences)))


def heading(words: str) -> Heading:
    return Heading((Span(words),))


def table(rows: int) -> Table:
    return Table(((Span("Name"),),), tuple(((Span(f"row {row}"),),) for row in range(rows)))


def sizes(body: list[Paragraph | Heading | Table]) -> list[list[int | str]]:
    return [
        [
            len(block.sentences) if isinstance(block, Paragraph)
            else len(block.rows) if isinstance(block, Table)
            else "heading"
            for block in page
            if isinstance(block, Paragraph | Heading | Table)
        ]
        for page in paginate(body)
    ]  # fmt: skip


def test_the_last_page_is_not_left_with_a_line() -> None:
    full = len(paginate([text(40)])[0][0].sentences)
    assert sizes([text(full)]) == [[full]]
    for more in (1, 2, full // 2, full + 1):
        counts = [page[0] for page in sizes([text(full + more)])]
        assert max(counts) - min(counts) <= 1, counts  # type: ignore[operator]


@pytest.mark.parametrize(("rows", "pages"), [(7, [7]), (8, [4, 4]), (15, [5, 5, 5]), (20, [7, 7, 6])])
def test_the_last_page_of_a_table_is_not_left_with_a_row(rows: int, pages: list[int]) -> None:
    assert WIDE.table_rows == 7
    assert sizes([table(rows)]) == [[count] for count in pages]


def test_a_page_begins_at_a_sub_heading_where_that_takes_no_page_more() -> None:
    assert sizes([text(6), heading("Rules"), text(7)]) == [[6], ["heading", 7]]


def test_blocks_as_high_as_a_page_stay_whole_and_in_order() -> None:
    assert sizes([text(1), table(7), text(9), table(7)]) == [[1], [7], [9], [7]]
