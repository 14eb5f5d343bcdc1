"""`eventflow plan`: the scenes of a script, for editing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ops.cli.common import CommandError, say, say_note, service_environment
from ops.cli.request_files import Format, Keep, Voices, merge_fields, read_source, reading_options, style_options


def plan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Markdown, plain text, or scenes; - for standard input.")],
    voice: Annotated[str | None, typer.Option(help="Voice, such as en-us; none for no narration.")] = None,
    rate: Annotated[float | None, typer.Option(help="Speech rate, 0.5 to 2.")] = None,
    theme: Annotated[str | None, typer.Option(help="Theme, such as midnight.")] = None,
    aspect: Annotated[str | None, typer.Option(help="16:9, 9:16 or 1:1.")] = None,
    merge: Annotated[list[str] | None, typer.Option(help="NAME=TEXT for {{NAME}} (may be repeated).")] = None,
    format: Format = None,
    voices: Voices = None,
    keep: Keep = None,
) -> None:
    """Print the scenes of a script as JSON, without a service. `eventflow generate` accepts them, edited or not."""
    import orjson

    from eventflow.requests.errors import PlanningUnavailable, RequestInvalid
    from eventflow.settings import load_settings
    from handlers.generation.scene_planner import ScenePlanner
    from ops.compose import request_reader

    settings = load_settings(service_environment())
    body = read_source(file) | style_options(voice, rate, theme, aspect) | merge_fields(merge or [])
    body |= reading_options(format, voices or [], keep or [])
    try:
        planned = ScenePlanner(settings).plan(request_reader(settings).read(body))
    except (RequestInvalid, PlanningUnavailable) as error:
        raise CommandError(f"{file} can't be planned: {error}") from error
    say(orjson.dumps(planned, option=orjson.OPT_INDENT_2).decode())
    if note := _read_as(planned):
        say_note(note)


def _read_as(planned: dict[str, Any]) -> str:
    """What the script was read as, where that isn't a document or lines are left out."""
    from handlers.generation.script.shapes.reading import NAMES

    read_as, left_out = planned.get("read_as"), planned.get("left_out", [])
    if read_as is None or (read_as["shape"] == "document" and not left_out):
        return ""
    because = f" ({'; '.join(read_as['because'])})" if read_as["because"] else ""
    lines = f"; {len(left_out)} lines aren't shown or said" if left_out else ""
    return f"Read as {NAMES[read_as['shape']]}{because}{lines}; --format document reads it as it stands."
