"""A small file system of its own for a process, which fills up as any disk does.

It is mounted in a mount namespace that the process alone is in: nothing is left of it, and root isn't needed where
users may make namespaces.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path


def on_small_disk(command: Sequence[str], folder: Path, size_kb: int, *, free_kb: int) -> list[str]:
    """The command line that runs `command` with an almost full tmpfs at `folder`, seen by it and its children alone."""
    script = (
        f'mount -t tmpfs -o size={size_kb}k tmpfs "$0" && '
        f'head -c {(size_kb - free_kb) * 1024} /dev/zero > "$0/.ballast" && exec "$@"'
    )
    return [*_UNSHARE, "sh", "-c", script, str(folder), *command]


_UNSHARE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")


def can_mount() -> bool:
    """Whether this machine lets us: root always may."""
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
