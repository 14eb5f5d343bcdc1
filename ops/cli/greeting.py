"""The lines that `eventflow up` shows on a terminal once it serves requests."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen


@frozen(kw_only=True)
class Started:
    """A stack that serves requests. `is_open`: it needs no API key. `is_found`: other commands find it without help."""

    url: str
    data_dir: Path
    groups: Sequence[str]
    concurrency: int
    is_open: bool
    is_found: bool


def greeting(started: Started, program: str) -> list[str]:
    """Return the lines; `program` is the command line of this program."""
    where = "" if started.is_found else f" --url {started.url}"
    key = "" if started.is_open else ' -H "Authorization: Bearer $EVENTFLOW_API_KEY"'
    steps = "1 step" if started.concurrency == 1 else f"{started.concurrency} steps"
    return [
        f"eventflow is ready at {started.url}",
        "",
        f"  data      {started.data_dir}",
        f"  workers   {len(started.groups)}, each up to {steps} at a time: {', '.join(started.groups)}",
        f"  API       {started.url}/openapi.json",
        f"  access    {_access(started)}",
        "",
        "Make a video, in another terminal:",
        "",
        *_key_lines(started, program),
        "  printf '# Hello\\n\\nMy first video.\\n' |",
        f"    {program} generate - --output hello.mp4{where}",
        "",
        "or over HTTP:",
        "",
        f"  curl {started.url}/api/v1/videos/generate{key} \\",
        "    -H 'Content-Type: application/json' \\",
        '    -d \'{"script": "# Hello\\n\\nMy first video."}\'',
        "",
        "Ctrl-C ends it; running steps finish first.",
    ]


def _access(started: Started) -> str:
    if started.is_open:
        return "this machine only, without a key"
    return "with API keys only"


def _key_lines(started: Started, program: str) -> list[str]:
    if started.is_open:
        return []
    where = "" if started.is_found else f" --data-dir {shlex.quote(str(started.data_dir))}"
    return [f"  export EVENTFLOW_API_KEY=$({program} keys add me{where})"]


def program_name() -> str:
    """Return how a user calls this program: by name if the PATH leads to it, else by its path."""
    called = Path(sys.argv[0])
    if called.name != "eventflow":
        return f"{shlex.quote(sys.executable)} -m ops.cli"
    found = shutil.which("eventflow")
    if found is not None and called.exists() and Path(found).resolve() == called.resolve():
        return "eventflow"
    shown = os.path.relpath(called)
    return shlex.quote(shown if not shown.startswith("..") else str(called.absolute()))
