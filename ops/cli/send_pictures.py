"""Sends the pictures of a script to the service, each content once, and names their assets in the request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ops.cli.common import CommandError, say_note
from ops.cli.local_pictures import LocalPicture, ScriptPictures

if TYPE_CHECKING:
    from ops.cli.client import Api

#: Answers that are about the file, not about the request for it.
_OF_THE_FILE = (413, 415, 422)


async def with_pictures(api: Api, body: Mapping[str, Any], pictures: ScriptPictures) -> dict[str, Any]:
    """Return the request with the assets of its local pictures. Raises ApiError, CommandError with all refused ones."""
    from ops.cli.client import ApiError

    if not pictures.local:
        return dict(body)
    assets: dict[str, dict[str, Any]] = {}
    named, refused, new = [], [], 0
    for picture in pictures.local:
        digest = await asyncio.to_thread(_digest, picture)
        try:
            if digest not in assets:
                known = await api.asset_of(digest)
                new += known is None
                assets[digest] = known or await _sent(api, picture)
        except ApiError as error:
            if error.status not in _OF_THE_FILE:
                raise
            refused.append(f"line {picture.lines[0]}: {picture.address!r}: {error}")
            continue
        named.append({"address": picture.address, "asset": assets[digest]["id"], "kind": assets[digest]["kind"]})
    if refused:
        raise CommandError(f"The service refuses pictures of the script. {'; '.join(refused)}")
    sounds = [each["address"] for each in named if each["kind"] == "audio"]
    if sounds:
        raise CommandError(f"These are sounds, neither pictures nor clips: {', '.join(map(repr, sounds))}.")
    say_note(f"pictures  {len(assets)}, {new} of them new to the service")
    return {**body, "script": pictures.script, "pictures": named}


async def _sent(api: Api, picture: LocalPicture) -> dict[str, Any]:
    if picture.path is not None:
        return await api.add_asset(picture.path, picture.path.name)
    return await api.add_data(picture.data or b"")


def _digest(picture: LocalPicture) -> str:
    try:
        return picture.sha256()
    except OSError as error:
        raise CommandError(f"{picture.address} can't be read: {error.strerror}.") from error
