"""Video jobs as events on Redis Streams: the domain, the log, the consumer runtime, the archive and the stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    #: The version of the installed distribution, such as 0.1.0.
    __version__: str


def __getattr__(name: str) -> str:
    """Read `__version__` from the installed metadata when it is asked for: `importlib.metadata` takes 50 ms to load."""
    if name == "__version__":
        from importlib.metadata import version

        return version("eventflow")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
