"""`eventflow generate`: send a script, scenes or a topic to a running service, and follow the job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from attrs import frozen

from ops.cli.common import UsageError, say
from ops.cli.follow_job import follow_over_http
from ops.cli.outcome import warnings_of
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

if TYPE_CHECKING:
    from ops.cli.local_pictures import ScriptPictures

OnSceneFailure = Annotated[
    str | None, typer.Option(help="fail: the video fails if a scene can't be made; skip: it goes without the scene.")
]
Passthrough = Annotated[str | None, typer.Option(metavar="JSON", help="An object that the job's status gives back.")]
IdempotencyKey = Annotated[
    str | None, typer.Option(metavar="KEY", help="The same request with the same key makes one job.")
]


@frozen(kw_only=True)
class _Submission:
    """A request body, its idempotency key (None: a random one), and what to do with the job once it is accepted.

    `pictures` are those of its script, if it has one.
    """

    body: Mapping[str, Any]
    pictures: ScriptPictures | None
    idempotency_key: str | None
    wait: bool
    output: Path | None


def generate(
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="Markdown, plain text, or scenes (.json); - for standard input."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Have the script written about this, instead of a FILE.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the video; only with scenes.")] = None,
    merge: Annotated[list[str] | None, typer.Option(help="NAME=TEXT for {{NAME}} (may be repeated).")] = None,
    quality: Annotated[list[str] | None, typer.Option(help="Such as 720p (may be repeated).")] = None,
    voice: Annotated[str | None, typer.Option(help="Such as en-us, or none; else the script's language's.")] = None,
    rate: Annotated[float | None, typer.Option(help="Speech rate, 0.5 to 2.")] = None,
    theme: Annotated[str | None, typer.Option(help="Name of a theme, such as midnight.")] = None,
    aspect: Annotated[str | None, typer.Option(help="16:9, 9:16 or 1:1.")] = None,
    captions: Annotated[str | None, typer.Option(help="yes, no or burned.")] = None,
    music: Annotated[str | None, typer.Option(metavar="ASSET", help="Id of a sound of `eventflow assets add`.")] = None,
    format: Format = None,
    voices: Voices = None,
    keep: Keep = None,
    pipeline: Annotated[str | None, typer.Option(help="explainer, remote, simulation or a plug-in's name.")] = None,
    pipeline_version: Annotated[str | None, typer.Option(help="Version of the pipeline, such as 2.0.")] = None,
    priority: Annotated[str | None, typer.Option(help="high or normal.")] = None,
    retry_attempts: Annotated[int | None, typer.Option(help="Further attempts of a step that fails, 0 to 3.")] = None,
    on_scene_failure: OnSceneFailure = None,
    passthrough: Passthrough = None,
    thumbnail_generation: Annotated[bool | None, typer.Option(help="Make thumbnails.")] = None,
    enable_streaming: Annotated[bool | None, typer.Option(help="Make HLS playlists and segments.")] = None,
    s3_upload_enabled: Annotated[bool | None, typer.Option(help="Upload to the delivery store.")] = None,
    cleanup_local_files: Annotated[bool | None, typer.Option(help="Remove intermediate files at the end.")] = None,
    idempotency_key: IdempotencyKey = None,
    pictures: Pictures = None,
    url: Url = None,
    api_key: ApiKey = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, with live progress.")] = False,
    output: Annotated[Path | None, typer.Option(help="Save the best MP4 here (implies --wait).")] = None,
) -> None:
    """Make a video of a script, of scenes or about a topic on a running service; prints the URLs.

    Pictures that a script names by path are sent along, from its own folder or those of --pictures. Options but the
    last six are fields of POST /api/v1/videos/generate; left out, the service's default or the front matter's counts.
    """
    content = {"topic": topic, "title": title, "quality_levels": quality or None, "music": music}
    options = content | {
        "pipeline": pipeline,
        "pipeline_version": pipeline_version,
        "priority": priority,
        "retry_attempts": retry_attempts,
        "on_scene_failure": on_scene_failure,
        "passthrough": None if passthrough is None else _json_object("--passthrough", passthrough),
        "thumbnail_generation": thumbnail_generation,
        "enable_streaming": enable_streaming,
        "s3_upload_enabled": s3_upload_enabled,
        "cleanup_local_files": cleanup_local_files,
    }
    look = style_options(voice, rate, theme, aspect, captions) | reading_options(format, voices or [], keep or [])
    body = _source(file, needed=topic is None and pipeline is None) | look | merge_fields(merge or []) | _given(options)
    sent = _pictures_of(body, file, pictures or [])
    order = _Submission(body=body, pictures=sent, idempotency_key=idempotency_key, wait=wait, output=output)
    asyncio.run(_submit(service(url, api_key), order))


def _source(file: str | None, *, needed: bool) -> dict[str, Any]:
    """Return the request fields in a file. Raises UsageError where one is needed and isn't given."""
    if file is None and needed:
        raise UsageError("Give a FILE with a script or scenes, or --topic TEXT.")
    return {} if file is None else read_source(file)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _pictures_of(body: Mapping[str, Any], file: str | None, folders: Sequence[Path]) -> ScriptPictures | None:
    """Return the pictures of the request's script; None where it has no script. Raises UsageError."""
    if "script" not in body:
        return None
    from ops.cli.local_pictures import find_pictures

    return find_pictures(body["script"], file or "-", folders)


def _json_object(option: str, text: str) -> dict[str, Any]:
    """Return the JSON object in an option. Raises UsageError."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{option} isn't valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise UsageError(f'{option} is {text!r}; it is a JSON object, such as {{"order": 7}}.')
    return value


async def _submit(service: Service, submission: _Submission) -> None:
    from ops.cli.display import display

    async with open_api(service) as api:
        body = submission.body
        if submission.pictures is not None:
            from ops.cli.send_pictures import with_pictures

            body = await with_pictures(api, body, submission.pictures)
        accepted = await api.generate(body, submission.idempotency_key)
        say(f"job       {accepted['job_id']}")
        say(f"status    {api.url(accepted['status_url'])}")
        if submission.wait or submission.output:
            with display() as shown:
                status = await follow_over_http(api, accepted, shown)
            for warning in warnings_of(status):
                say(f"warning   {warning}")
        say(f"stream    {api.url(accepted['stream_url'])}")
        say(f"download  {api.url(accepted['download_url'])}")
        if submission.body.get("captions") is not False:
            say(f"captions  {api.url(accepted['status_url'].removesuffix('status') + 'captions.vtt')}")
        if submission.output:
            await api.save(accepted["download_url"], submission.output)
            say(f"saved     {submission.output}")
