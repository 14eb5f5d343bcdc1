"""From a setting to a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from eventflow.storage.local import LocalStore
from eventflow.storage.port import ObjectStore
from eventflow.storage.signing import SigningKeys

if TYPE_CHECKING:
    from eventflow.storage.s3_client import S3Options


def open_store(
    url: str,
    *,
    now: Callable[[], datetime],
    signing: SigningKeys | None = None,
    name: str = "local",
    base_url: str = "",
    s3: S3Options | None = None,
    environ: Mapping[str, str] = os.environ,
) -> ObjectStore:
    """The store at `s3://bucket/prefix`, `file:///absolute/dir` or `/absolute/dir`; makes no request.

    `signing`, `name` (the store's name in URLs) and `base_url` are used by local stores only. S3
    credentials come from botocore's chain (AWS_* variables, profile, role) unless `s3` has them.
    Raises ValueError with what is wrong; a URL with credentials in it is refused without being repeated.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("A store's URL holds no credentials, query or fragment; set AWS_* variables instead.")
    if parts.scheme == "s3":
        from eventflow.storage.s3 import S3Store  # a large import, for those who need it

        return S3Store(parts.netloc, unquote(parts.path), options=s3, environ=environ, now=now)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        path = unquote(parts.path)
    elif not parts.scheme and not parts.netloc:
        path = url
    else:
        raise ValueError(f"A store is s3://bucket/prefix or file:///absolute/dir, not {url!r}.")
    return LocalStore(Path(path), now=now, signing=signing, name=name, base_url=base_url)
