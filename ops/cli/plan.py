"""`eventflow plan`: the scenes of a script, for editing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.cli.common import CommandError, say, say_note, service_environment
from ops.cli.reach import ApiKey, Service, Url, open_api, service
from ops.cli.request_files import (
    Format,
    Keep,
    Pictures,
    Voices,
    merge_fields,
    read_source,
    reading_options,
    style_options,
)


def plan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Markdown, plain text, or scenes; - for standard input.")],
    voice: Annotated[
        str | None,
        typer.Option(help="Voice, such as en-us; none for no narration. Left out: one of the language of the script."),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Speech rate, 0.5 to 2.")] = None,
    theme: Annotated[str | None, typer.Option(help="Theme, such as midnight.")] = None,
    aspect: Annotated[str | None, typer.Option(help="16:9, 9:16 or 1:1.")] = None,
    merge: Annotated[list[str] | None, typer.Option(help="NAME=TEXT for {{NAME}} (may be repeated).")] = None,
    format: Format = None,
    voices: Voices = None,
    keep: Keep = None,
    pictures: Pictures = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Print the scenes of a script as JSON. `eventflow generate` accepts them, edited or not.

    It needs no service, unless the script shows pictures of its folder or from the web: those are sent to the running
    service, which plans the script.
    """
    import orjson

    from eventflow.requests.errors import PlanningUnavailable, RequestInvalid
    from eventflow.settings import load_settings
    from handlers.generation.scene_planner import ScenePlanner
    from ops.compose import request_reader

    settings = load_settings(service_environment())
    body = read_source(file) | style_options(voice, rate, theme, aspect) | merge_fields(merge or [])
    body |= reading_options(format, voices or [], keep or [])
    planned = _by_service(body, file, pictures or [], lambda: service(url, api_key))
    try:
        planned = planned or ScenePlanner(settings).plan(request_reader(settings).read(body))
    except (RequestInvalid, PlanningUnavailable) as error:
        raise CommandError(f"{file} can't be planned: {error}") from error
    say(orjson.dumps(planned, option=orjson.OPT_INDENT_2).decode())
    for note in filter(None, (_read_as(planned), _language(planned))):
        say_note(note)


def _read_as(planned: dict[str, Any]) -> str:
    """What the script was read as, where that isn't a document or lines are left out."""
    from handlers.generation.script.shapes.reading import NAMES

    read_as, left_out = planned.get("read_as"), planned.get("left_out", [])
    if read_as is None or (read_as["shape"] == "document" and not left_out):
        return ""
    because = f" ({'; '.join(read_as['because'])})" if read_as["because"] else ""
    count = "a line isn't" if len(left_out) == 1 else f"{len(left_out)} lines aren't"
    lines = f"; {count} shown or said" if left_out else ""
    return f"Read as {NAMES[read_as['shape']]}{because}{lines}; --format document reads it as it stands."


def _language(planned: dict[str, Any]) -> str:
    """The language that the voice follows, where it isn't English."""
    found, voice = planned.get("language"), planned.get("voice")
    if found is None or voice is None or not found["sure"] or found["tag"].split("-")[0] == "en":
        return ""
    why, name = found["because"], voice["name"]
    return f"The language is {found['tag']} ({why}), and {name} reads it; --voice has another do so."


def _by_service(
    body: Mapping[str, Any], file: str, folders: Sequence[Path], at: Callable[[], Service]
) -> dict[str, Any] | None:
    """Return the service's plan of a script with pictures; None for other requests. Raises CommandError.

    Where pictures are at URLs alone and no service answers, the result is None, too: the plan then names them.
    """
    from ops.cli.client import ApiError
    from ops.cli.local_pictures import find_pictures
    from ops.cli.send_pictures import with_pictures

    found = find_pictures(body["script"], file, folders) if "script" in body else None
    if found is None or not (found.local or found.has_urls):
        return None

    async def ask() -> dict[str, Any]:
        async with open_api(at()) as api:
            return await api.plan(await with_pictures(api, body, found))

    try:
        return asyncio.run(ask())
    except ApiError as error:
        if error.status:
            raise CommandError(f"{file} can't be planned: {error}") from error
        if not found.local:
            return None
        raise CommandError(f"{file} shows pictures, which a service has to take in. {error}") from error
