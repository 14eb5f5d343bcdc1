"""`/media/{store}/{key}`: files of local stores, for whoever holds a signed URL."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator

from aiohttp import web

from eventflow.storage import InvalidKey, LocalStore, ObjectInfo, attachment, check_key, verify
from web.deps import DEPS
from web.http.errors import Problem
from web.http.file_response import Representation, send_file


async def media(request: web.Request) -> web.StreamResponse:
    """Checks the path, then the signature, then looks at the disk: only what we have signed is looked for.

    Raises Problem 404, BadSignature, ExpiredSignature, StorageError.
    """
    deps = request.app[DEPS]
    name, key = request.match_info["store"], request.match_info["key"]
    store = _local_stores(request).get(name)
    if store is None or deps.signing is None or not _is_key(key):
        raise Problem(404, "not_found", "There is nothing here.")
    grant = verify(deps.signing, method=request.method, store=name, key=key, query=request.query, now=deps.clock())
    info = await store.head(key)
    with await store.open(key) as file:
        what = Representation(
            size_bytes=os.fstat(file.fileno()).st_size,
            etag=f'"{info.sha256 or info.etag}"',
            media_type=grant.media_type or info.media_type,
            cache_control="private, max-age=3600",
            disposition=None if grant.download_name is None else attachment(grant.download_name),
        )
        _check_same(info, what)

        def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
            return store.read(key, start=start, length=length)

        return await send_file(request, what, file, read)


def _local_stores(request: web.Request) -> dict[str, LocalStore]:
    stores = request.app[DEPS].stores
    return {s.name: s for role, s in stores.items() if isinstance(s, LocalStore) and role != "workspace"}


def _is_key(key: str) -> bool:
    try:
        check_key(key)
    except InvalidKey:
        return False
    return True


def _check_same(info: ObjectInfo, what: Representation) -> None:
    """The file may have been replaced between the two looks at it."""
    if info.size_bytes != what.size_bytes:
        raise Problem(503, "busy", "The file is being replaced; try again.", headers={"Retry-After": "1"})
