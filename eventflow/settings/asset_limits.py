"""Settings of assets, the users' own media: how large they may be, and whether they may be fetched from URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from eventflow.domain.values import Kind as AssetKind
from eventflow.settings.declare import Group
from eventflow.settings.kinds import Kind, number, switch

ASSETS = Group("Assets: the users' own pictures, clips and sound")

_MB = 1_000_000
_HOSTS = "hosts with commas between them"
_HOST = re.compile(r"\*|(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def _hosts(text: str) -> tuple[str, ...]:
    """Return the hosts in a list such as example.org, *.example.com. Raises ValueError."""
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(map(_HOST.fullmatch, hosts)):
        raise ValueError(text)
    return hosts


@frozen(kw_only=True)
class AssetLimits:
    """Sizes in MB (millions of bytes). `allow_remote`: POST /api/v1/assets takes URLs, too.

    `url_hosts` are the hosts from which pictures of scripts are fetched.
    """

    max_image_mb: int = ASSETS.setting(
        "20",
        number(int, 1, 1_000),
        "size in MB (millions of bytes) of the largest picture that POST /api/v1/assets takes",
    )
    max_clip_mb: int = ASSETS.setting("200", number(int, 1, 10_000), "size in MB of the largest clip")
    max_audio_mb: int = ASSETS.setting("50", number(int, 1, 10_000), "size in MB of the largest sound file")
    allow_remote: bool = ASSETS.setting(
        "off",
        switch(),
        "on: POST /api/v1/assets also takes public https URLs, and fetches them",
        name="ALLOW_REMOTE_MEDIA",
    )

    url_hosts: tuple[str, ...] = ASSETS.setting(
        "",
        Kind(read=_hosts, wanted=_HOSTS, values=_HOSTS),
        "hosts from which the service fetches pictures and clips that a script names by URL, such as "
        "images.example.org or *.example.org; * is every public host",
        name="ASSET_URLS",
    )

    @property
    def max_bytes(self) -> Mapping[AssetKind, int]:
        """The size of the largest file of each kind, in bytes."""
        return {"image": self.max_image_mb * _MB, "clip": self.max_clip_mb * _MB, "audio": self.max_audio_mb * _MB}
