"""The keys that sign links to local files."""

from __future__ import annotations

import os
import secrets

from eventflow.settings import Environment, Settings, SettingsError
from eventflow.storage import SigningKeys

#: The file in a data directory that holds the signing key a development server has made for itself.
SIGNING_KEY_FILE = "signing.key"


def signing_keys(settings: Settings, *, keep: bool = True) -> SigningKeys:
    """The configured keys, or one that is made once and kept in the data directory (development only).

    Without `keep` nothing is written: where there is no key yet, it is one that opens nothing."""
    if settings.signing_key:
        return SigningKeys.parse(settings.signing_key)
    if settings.env is Environment.PRODUCTION:
        raise SettingsError(["EVENTFLOW_SIGNING_KEY must be set in production"])
    path = settings.data_dir / SIGNING_KEY_FILE
    if not path.exists() and not keep:
        return SigningKeys.parse(_new_key())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        mine = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_new_key())
        try:
            os.link(mine, path)  # whole or not at all; of several processes that start at once, one wins
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return SigningKeys.parse(path.read_text().strip())


def _new_key() -> str:
    return f"dev:{secrets.token_hex(32)}"
