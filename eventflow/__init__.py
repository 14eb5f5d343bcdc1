"""Events on Redis Streams that make videos: the domain, the log, the runtime and storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    #: The version of the installed distribution, such as 0.1.0.
    __version__: str


def __getattr__(name: str) -> str:
    """Read `__version__` from the installed metadata, when it is asked for: this takes some 20 ms."""
    if name == "__version__":
        from importlib.metadata import version

        return version("eventflow")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
