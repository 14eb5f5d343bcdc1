"""Settings of media of the users' own: how large they may be, and whether they may come from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from eventflow.domain.values import Kind
from eventflow.light import environ
from eventflow.setting_checks import PREFIX, Checks

_MB = 1_000_000


@environ.config(prefix=PREFIX)
class RawMedia:
    """The variables as text, with their defaults and what they mean."""

    max_image_mb = environ.var("20", help="largest picture that is taken in by POST /api/v1/assets, in MB")
    max_clip_mb = environ.var("200", help="largest clip, in MB")
    max_audio_mb = environ.var("50", help="largest sound file, in MB")
    allow_remote_media = environ.var("off", help="on: assets may be fetched from public https URLs, too")


@frozen
class MediaSettings:
    """Sizes in MB (millions of bytes)."""

    max_image_mb: int = 20
    max_clip_mb: int = 200
    max_audio_mb: int = 50
    allow_remote: bool = False

    @property
    def max_bytes(self) -> Mapping[Kind, int]:
        """The largest file of each kind, in bytes."""
        return {"image": self.max_image_mb * _MB, "clip": self.max_clip_mb * _MB, "audio": self.max_audio_mb * _MB}


def media_settings(check: Checks) -> MediaSettings:
    return MediaSettings(
        max_image_mb=check.number("max_image_mb", int, 1, 1_000),
        max_clip_mb=check.number("max_clip_mb", int, 1, 10_000),
        max_audio_mb=check.number("max_audio_mb", int, 1, 10_000),
        allow_remote=check.choice("allow_remote_media", ("off", "on")) == "on",
    )
