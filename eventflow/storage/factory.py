"""`open_store`: makes an object store from the URL of a setting."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from attrs import evolve, frozen

from eventflow.storage.local.store import LocalStore
from eventflow.storage.port import ObjectStore
from eventflow.storage.signed_urls import SigningKeys

if TYPE_CHECKING:
    from eventflow.storage.s3.client import S3Options


@frozen
class PublicAddress:
    """The address at which viewers reach a store. `signed`: S3's signatures are for this host, not for the store's own.

    Signatures of local files don't depend on the host.
    """

    url: str
    signed: bool = False


def open_store(
    url: str,
    *,
    now: Callable[[], datetime],
    signing: SigningKeys | None = None,
    name: str = "local",
    base_url: str = "",
    public: PublicAddress | None = None,
    public_files: bool = False,
    s3: S3Options | None = None,
    environ: Mapping[str, str] = os.environ,
) -> ObjectStore:
    """Make the store at `s3://bucket/prefix`, `file:///absolute/dir` or `/absolute/dir`, without a request.

    `public` is where viewers reach it, if not by its own address. Only local stores use `now`, `signing`, `name` (the
    store's name in URLs), `base_url` (that of the app) and `public_files` (every user of the machine may read it). S3
    credentials come from botocore's chain (AWS_* variables, profile, role) unless `s3` has them.

    Raises ValueError, which never repeats a URL that contains credentials.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("A store's URL holds no credentials, query or fragment; set AWS_* variables instead.")
    if parts.scheme == "s3":
        from eventflow.storage.s3.client import S3Options
        from eventflow.storage.s3.store import S3Store

        options = s3 or S3Options()
        if public is not None and public.signed:
            options = evolve(options, public_endpoint_url=public.url)
        elif public is not None:
            options = evolve(options, public_base_url=public.url)
        return S3Store(parts.netloc, unquote(parts.path), options=options, environ=environ, now=now)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        path = unquote(parts.path)
    elif not parts.scheme and not parts.netloc:
        path = url
    else:
        raise ValueError(f"A store is s3://bucket/prefix or file:///absolute/dir, not {url!r}.")
    base_url = public.url if public else base_url
    return LocalStore(Path(path), now=now, signing=signing, name=name, base_url=base_url, public=public_files)
