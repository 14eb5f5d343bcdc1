"""A diagnosis of a disk that has no room left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.command_server import ROOT
from tests.support.full_disk import on_small_disk


def test_the_doctor_says_that_the_disk_is_full(tmp_path: Path, unshare: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [sys.executable, "-m", "tests.support.doctor_on_full_disk", str(disk / "data")]
    within = on_small_disk(unshare, command, disk, 8_000, free_kb=4_000)
    ended = subprocess.run(within, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    found = {finding["part"]: finding for finding in json.loads(ended.stdout.splitlines()[-1])}
    server, store, folder = found["log server"], found["delivery store"], found["data directory"]
    assert {finding["state"] for finding in (server, store, folder)} == {"fail"}
    assert "MISCONF" in server["found"]
    assert "No space left on device" in store["found"]
    for finding in (server, store, folder):
        assert "Free s" in finding["remedy"], finding
