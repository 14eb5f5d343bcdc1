"""A small file system of its own for a process, which fills up as any disk does.

It is mounted in a mount namespace that the process alone is in: nothing is left of it, and root isn't needed where
users may make namespaces.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def on_small_disk(unshare: str, command: Sequence[str], folder: Path, size_kb: int, *, free_kb: int) -> list[str]:
    """The command line that runs `command` with an almost full tmpfs at `folder`, seen by it and its children alone.

    `unshare` is the path of that program. Skips the test where this user may not mount anything; root always may.
    """
    apart = [unshare, "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system here")
    script = (
        f'mount -t tmpfs -o size={size_kb}k tmpfs "$0" && '
        f'head -c {(size_kb - free_kb) * 1024} /dev/zero > "$0/.ballast" && exec "$@"'
    )
    return [*apart, "sh", "-c", script, str(folder), *command]
