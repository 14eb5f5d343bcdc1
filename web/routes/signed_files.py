"""`/media/{store}/{key}`: files of local stores, for holders of a signed URL."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator

from aiohttp import web

from eventflow.storage import InvalidKey, LocalStore, ObjectInfo, attachment, check_key, verify
from web.deps import DEPS
from web.http.errors import Problem
from web.http.file_response import Representation, send_file


async def media(request: web.Request) -> web.StreamResponse:
    """Send a file of a local store. The signature is checked before the disk is touched.

    Raises Problem 404, 416, 503, BadSignature, ExpiredSignature, StorageError.
    """
    deps = request.app[DEPS]
    name, key = request.match_info["store"], request.match_info["key"]
    store = _local_stores(request).get(name)
    if store is None or deps.signing is None or not _is_key(key):
        raise Problem(404, "not_found", "No resource has this path.")
    grant = verify(deps.signing, method=request.method, store=name, key=key, query=request.query, now=deps.clock())
    info = await store.head(key)
    with await store.open(key) as opened:
        file = Representation(
            size_bytes=os.fstat(opened.fileno()).st_size,
            etag=f'"{info.sha256 or info.etag}"',
            media_type=grant.media_type or info.media_type,
            cache_control="private, max-age=3600",
            disposition=None if grant.download_name is None else attachment(grant.download_name),
        )
        _check_same(info, file)

        def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
            return store.read(key, start=start, length=length)

        return await send_file(request, file, opened, read)


def _local_stores(request: web.Request) -> dict[str, LocalStore]:
    stores = request.app[DEPS].stores
    return {s.name: s for role, s in stores.items() if isinstance(s, LocalStore) and role != "workspace"}


def _is_key(key: str) -> bool:
    try:
        check_key(key)
    except InvalidKey:
        return False
    return True


def _check_same(info: ObjectInfo, file: Representation) -> None:
    """Raises Problem 503 if the file was replaced between `head` and `open`."""
    if info.size_bytes != file.size_bytes:
        raise Problem(503, "busy", "The file is being replaced; try again.", headers={"Retry-After": "1"})
