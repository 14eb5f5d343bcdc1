"""What is loaded by an import, in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


_PROBE = """
import builtins, socket, sys
from eventflow.domain import commands, decide, envelope, errors, events, evolve, job_ids, topics, values, view, work
io = {"asyncio", "redis", "aiohttp", "aiobotocore", "botocore", "structlog", "random", "av"}
io |= {"orjson", "cattrs", "msgspec"}
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & (io | {"handlers", "web", "ops"}), loaded

def refuse(*args, **kwargs):
    raise AssertionError(f"I/O: {args}")

builtins.open = socket.socket = refuse
asked = decide.decide(None, commands.RequestVideo(values.VideoRequest(script="x")))
ended = decide.decide(evolve.fold(asked), commands.RequestCancellation("no"))
print(evolve.fold([*asked, *ended]).phase.value)
"""


_LIGHT = """
import sys
import ops.cli.app, ops.compose
heavy = {"aiobotocore", "aiohttp", "av", "boto3", "botocore", "handlers", "numpy", "PIL", "typst", "web"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


_SETTINGS = """
import sys
import eventflow.settings
io = {"aiobotocore", "aiohttp", "av", "botocore", "cattrs", "hiredis", "numpy", "opentelemetry", "redis", "structlog"}
print(sorted(io & {name.partition(".")[0] for name in sys.modules}))
"""


def test_settings_are_loaded_without_what_they_configure() -> None:
    done = subprocess.run([sys.executable, "-c", _SETTINGS], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_commands_start_without_what_only_some_of_them_need() -> None:
    done = subprocess.run([sys.executable, "-c", _LIGHT], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_the_domain_works_without_anything_that_does_io() -> None:
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "cancelled"
