"""Takes in the pictures that a script names by URL, or holds as data, before its job begins (decision 238).

Their assets become part of the request, and so of the job's first event: whatever happens to the URL later, and however
often the job is made again, it shows the same pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from attrs import evolve

from eventflow.assets.data_urls import decoded
from eventflow.assets.errors import MediaRefused
from eventflow.domain.values import PictureAsset, VideoRequest
from web.deps import DEPS, PRINCIPAL, WebDeps
from web.requests.asset_intake import label_of, store
from web.requests.uploads import DISK_FULL, UPLOADS, no_disk_space, receive

#: Most pictures that are taken in for one request, those that are at a time, and seconds for all of them.
MOST: Final = 100
AT_A_TIME: Final = 4
ALL_SECONDS: Final = 60.0


async def with_embedded(
    request: web.Request, wanted: VideoRequest, embedded: Mapping[str, str]
) -> tuple[VideoRequest, Mapping[str, str]]:
    """The request with an asset for each of the `embedded` pictures; and why others gave none, by address.

    `embedded` are addresses by the keys that name their assets. Raises MediaBusy, StorageError, OSError.
    """
    if not embedded:
        return wanted, {}
    deps, owner = request.app[DEPS], request[PRINCIPAL].owner
    refused = dict.fromkeys(list(embedded)[MOST:], f"at most {MOST} pictures are fetched for a video")
    taken: list[PictureAsset] = []
    turn = asyncio.Semaphore(AT_A_TIME)
    late = f"fetching took longer than {ALL_SECONDS:g} s, that of all pictures together"

    async def take(key: str, address: str, folder: Path) -> None:
        refused[key] = late
        async with turn:
            try:
                taken.append(await _taken(deps, owner, key, address, folder))
                del refused[key]
            except MediaRefused as error:
                refused[key] = str(error)

    with request.app[UPLOADS].folder(owner) as folder:
        try:
            async with asyncio.timeout(ALL_SECONDS), asyncio.TaskGroup() as tasks:
                for number, (key, address) in enumerate(list(embedded.items())[:MOST]):
                    tasks.create_task(take(key, address, folder / str(number)))
        except TimeoutError:
            pass  # `refused` has the pictures that it is about
        except ExceptionGroup as errors:
            first = errors.exceptions[0]
            raise no_disk_space() if isinstance(first, OSError) and first.errno in DISK_FULL else first from errors
    known = {picture.address: picture for picture in taken}
    return evolve(wanted, pictures=(*wanted.pictures, *(known[key] for key in embedded if key in known))), refused


async def _taken(deps: WebDeps, owner: str, key: str, address: str, folder: Path) -> PictureAsset:
    """Raises MediaRefused, MediaBusy, StorageError, OSError."""
    await asyncio.to_thread(folder.mkdir)
    limits, path = deps.settings.asset_limits.max_bytes, folder / "upload"
    if address.startswith("data:"):
        upload = await receive(_at_once(decoded(address)), path, deps.inspector, limits)
        name = ""
    elif deps.picture_urls is None:
        raise MediaRefused("this service fetches none: EVENTFLOW_ASSET_URLS names the hosts from which it may")
    else:
        async with deps.picture_urls.fetch(address) as chunks:
            upload = await receive(chunks, path, deps.inspector, limits)
        name = label_of(urlsplit(address).path)
    asset, _ = await store(deps, upload, owner=owner, name=name, folder=folder)
    if asset.kind == "audio":
        raise MediaRefused("it is a sound, neither a picture nor a clip")
    return PictureAsset(key, asset.id, asset.kind)


async def _at_once(data: bytes) -> AsyncIterator[bytes]:
    yield data
