"""`eventflow dev gallery`: contact sheets of every layout and block in every theme and aspect."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ops.cli.common import CommandError, UsageError, say


def gallery(
    out: Annotated[Path, typer.Option(help="Folder for the sheets; it is created.")],
    theme: Annotated[list[str] | None, typer.Option(help="Only this theme (may be repeated).")] = None,
    aspect: Annotated[list[str] | None, typer.Option(help="Only this aspect, such as 9:16 (may be repeated).")] = None,
) -> None:
    """Draw every layout and block in every theme and aspect: a PNG for each theme and aspect, and an index.html."""
    from handlers.generation.aspects import ASPECTS, aspect_of
    from handlers.generation.pages.themes import THEMES, theme_of
    from handlers.media.errors import MediaError, RequestError
    from ops.gallery.pictures import paint
    from ops.gallery.scenes import samples
    from ops.gallery.sheet import draw_sheet, write_index

    try:
        themes = [theme_of(name).name for name in theme or THEMES]
        aspects = [aspect_of(name).name for name in aspect or ASPECTS]
    except RequestError as error:
        raise UsageError(str(error)) from error
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} can't be created: {error.strerror}") from error
    wanted = [(one, other) for one in themes for other in aspects]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        tempfile.TemporaryDirectory(prefix="gallery-") as painted,
        Progress(*columns, console=Console(stderr=True), transient=True) as bar,
    ):
        assets = paint(Path(painted))
        task = bar.add_task("pages", total=len(wanted) * len(samples("midnight", "16:9")))
        try:
            sheets = [draw_sheet(*pair, assets, out, lambda _: bar.advance(task)) for pair in wanted]
        except MediaError as error:
            raise CommandError(str(error)) from error
    for sheet in sheets:
        say(f"{sheet.path}  {sheet.pages} pages")
    say(str(write_index(sheets, out)))
