"""`eventflow plan`: the scenes of a script, to be edited."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.common import CommandError, say, service_environment
from ops.cli.request_files import looks, merge_fields, read_source


def plan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Markdown, plain text, or scenes; - for standard input.")],
    voice: Annotated[str | None, typer.Option(help="Who narrates, such as en-us; none for no narration.")] = None,
    rate: Annotated[float | None, typer.Option(help="Speech rate, 0.5 to 2.")] = None,
    theme: Annotated[str | None, typer.Option(help="How it looks, such as midnight.")] = None,
    aspect: Annotated[str | None, typer.Option(help="16:9, 9:16 or 1:1.")] = None,
    merge: Annotated[list[str] | None, typer.Option(help="NAME=TEXT for {{NAME}} (may be repeated).")] = None,
) -> None:
    """Print the scenes of a script as JSON, without a service: edit them, and `eventflow generate` takes them."""
    import orjson

    from eventflow.settings import load_settings
    from ops.compose import request_limits
    from ops.planning import ScenePlanner
    from web.http.errors import Problem
    from web.requests.video_request import parse_request

    settings = load_settings(service_environment())
    body = read_source(file) | looks(voice, rate, theme, aspect, None) | merge_fields(merge or [])
    try:
        planned = ScenePlanner(settings).plan(parse_request(body, request_limits(settings)))
    except Problem as problem:
        raise CommandError(f"{file} can't be planned: {problem.detail}") from problem
    say(orjson.dumps(planned, option=orjson.OPT_INDENT_2).decode())
