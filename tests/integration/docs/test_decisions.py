"""Decision records: their numbers, their links to each other, and those that the code names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ops.reference.decision_index import Record, records
from tests.support.docs import DOCS, ROOT

FOLDER = DOCS / "decisions"
RECORDS = records(FOLDER)
_NUMBER = re.compile(r"\[(\d+)\]\(([^)]+)\)")


def replaced_by(record: Record) -> set[int]:
    return {int(number) for part in _parts(record, "superseded") for number, _ in _NUMBER.findall(part)}


def replaces(record: Record) -> set[int]:
    return {int(number) for part in _parts(record, "supersedes") for number, _ in _NUMBER.findall(part)}


def _parts(record: Record, word: str) -> Iterator[str]:
    yield from (part for part in record.status.split("; ") if part.startswith(word))


def test_numbers_are_unique_and_in_the_files_names() -> None:
    numbers = [record.number for record in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))
    assert all(record.file.startswith(f"{record.number:04}-") for record in RECORDS)


def test_each_record_has_a_known_status_and_a_date() -> None:
    link = r"\[\d+\]\([\w.-]+\)"
    superseded = rf"superseded (in part )?by {link}(, {link})*"
    status = re.compile(rf"(accepted|{superseded})(; supersedes {link}(, {link})*( in part)?)?")
    assert [record.file for record in RECORDS if not status.fullmatch(record.status)] == []
    assert [record.file for record in RECORDS if not re.fullmatch(r"20\d\d-\d\d-\d\d", record.date)] == []


def test_a_record_that_is_superseded_says_so_and_so_does_the_other_one() -> None:
    said = {(record.number, other) for record in RECORDS for other in replaced_by(record)}
    assert said
    assert said == {(other, record.number) for record in RECORDS for other in replaces(record)}


def test_records_that_the_code_names_exist() -> None:
    numbers, named = {record.number for record in RECORDS}, set[int]()
    for package in ("eventflow", "handlers", "web", "ops", "tests"):
        for path in (ROOT / package).rglob("*"):
            if path.suffix in (".py", ".lua", ".typ", ".md"):
                found = {int(number) for number in re.findall(r"\b[Dd]ecisions? \[?(\d+)\b", path.read_text())}
                assert found <= numbers, path
                named |= found
    assert named
