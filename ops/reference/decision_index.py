"""`ops/docs/decisions/index.md`: the decision records by area, with their status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from ops.reference.markdown import page

_TITLE = re.compile(r"# (\d+)\. (.+)")
_FACT = re.compile(r"^- (Status|Area|Date): (.+)$", re.MULTILINE)

_INTRODUCTION = """\
One record per choice that would be hard to take back, or that departs from the design. Code that rests on a record
names it: `decision 77`. A new record is a file `NNNN-title.md` with the next number, Status, Area and Date; then
`python -m ops.reference` adds it to this page. A record is not rewritten when a later one replaces it, in part or
whole: both say so in their Status."""


@frozen(kw_only=True)
class Record:
    """A decision record. `file` is its name in the folder; `status` is Markdown with links to other records."""

    number: int
    title: str
    file: str
    status: str
    area: str
    date: str


def records(folder: Path) -> list[Record]:
    """Return the records of `folder` by number. Raises ValueError for a file that isn't a record."""
    return sorted((_read(path) for path in folder.glob("[0-9]*.md")), key=lambda record: (record.number, record.file))


def index_page(folder: Path) -> str:
    """Return the index of the records in `folder`."""
    found = records(folder)
    areas = sorted({record.area for record in found})
    return page("Decisions", _INTRODUCTION, *("\n".join(_area(area, found)) for area in areas))


def _area(area: str, found: list[Record]) -> Iterator[str]:
    yield f"## {area.capitalize()}\n"
    for record in found:
        if record.area == area:
            status = "" if record.status == "accepted" else f" ({record.status})"
            yield f"- [{record.number}]({record.file}) {record.title}{status}"


def _read(path: Path) -> Record:
    text = path.read_text()
    title, facts = _TITLE.match(text), dict(_FACT.findall(text))
    if title is None or not {"Status", "Area", "Date"} <= facts.keys():
        raise ValueError(f"{path.name} must begin with '# NUMBER. Title' and have the lines Status, Area and Date")
    return Record(
        number=int(title[1]),
        title=title[2],
        file=path.name,
        status=facts["Status"],
        area=facts["Area"],
        date=facts["Date"],
    )
