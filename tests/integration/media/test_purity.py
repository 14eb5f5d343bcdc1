"""Rooms that call themselves pure load no library for I/O, sound or pictures."""

import pkgutil
import subprocess
import sys

import pytest

import handlers.generation.script

IO = ("PIL", "aiobotocore", "aiohttp", "av", "numpy", "opentelemetry", "redis", "typst")
PURE = (
    *(f"handlers.generation.script.{info.name}" for info in pkgutil.iter_modules(handlers.generation.script.__path__)),
    "handlers.generation.narration.captions",
    "handlers.generation.encoding.h264",
    "handlers.generation.encoding.timeline",
    "handlers.generation.model",
    "handlers.generation.render_model",
    "handlers.generation.time_grid",
    "handlers.media.errors",
)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_loads_no_library_for_io(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {{*{IO}}}))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.split() == []


def test_the_check_sees_a_module_that_does() -> None:
    program = f"import sys, handlers.media.decode; print(*({{*sys.modules}} & {{*{IO}}}))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert {"av", "numpy"} <= set(ended.stdout.split())
